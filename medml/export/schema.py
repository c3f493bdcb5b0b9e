"""schema.json: how raw text becomes the inputs of a model file, what its outputs mean, and what must be said of it.

The rules are patterns that Python and JavaScript read alike, applied one after the other and whatever the case; in the
replacement "$1" is the first group. What they do is what medml.data.numbers, dates and values do to single cells.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from medml import righted
from medml.abstain import WORDS
from medml.answers import NOT_READ
from medml.data.missing import MISSING_WORDS
from medml.data.values import NO, YES
from medml.export.columns import input_names
from medml.export.silence import CODES
from medml.steps.step import NUMERIC
from medml.vision import seen

if TYPE_CHECKING:
    from medml.predict import Predictor
    from medml.types import Column, Recipe

VERSION = 1
SPARE = ("The model itself does not read {names}: an empty column of that name changes no number, but whoever is "
         "unlike the training patients there is not noticed.")
NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?$"  # \d is more than these ten in Python
Rules = list[list[str]]

_LIMIT = [r"^(?:<=?|>=?|≤|≥|&lt;|&gt;)\s*", ""]
_MINUS = ["^−", "-"]
_SPACES = ["(?<=\\d)[ \u00a0\u202f\u2009'’](?=\\d{3}(?:\\D|$))", ""]
_DOTS_GROUP: Rules = [[r"^([+-]?\d{1,3})\.(\d{3})\.(\d{3})(?=,|$)", "$1$2$3"],
                      [r"^([+-]?\d{1,3})\.(\d{3})(?=,)", "$1$2"], [",", "."]]
_COMMAS_GROUP: Rules = [[r"^([+-]?\d{1,3})\.(\d{3})(?:\.(\d{3}))?,(\d+)$", "$1$2$3.$4"],
                        [r"(?<=\d),(?=(?:\d{2,3},)*\d{3}(?:\.|$))", ""], [r"^([+-]?\d*),(\d+)$", "$1.$2"]]
_TIME = r"(?:[T ].*)?$"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATES: Rules = [[r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME, "$1-$2-$3"],
                 [r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})" + _TIME, "$3-$2-$1"],
                 *([rf"^(\d{{1,2}})[ /-]{month}[a-z]*[ /-](\d{{4}})" + _TIME, f"$2-{number}-$1"]
                   for number, month in enumerate(_MONTHS, start=1)),
                 *([rf"^{month}[a-z]* (\d{{1,2}}),? (\d{{4}})" + _TIME, f"$2-{number}-$1"]
                   for number, month in enumerate(_MONTHS, start=1))]
_NAMES: Rules = [[r"^(-?(?:0|[1-9]\d*))\.0+$", "$1"], [r"^(-?\d+\.\d*?[1-9])0+$", "$1"]]


def schema_of(predictor: Predictor, columns: list[dict[str, Any]], parity: dict[str, Any],
              sha256: str) -> dict[str, Any]:
    """Everything that a program needs beside model.onnx; aggregates and names alone."""
    run, report = predictor.run, predictor.report
    words, codes = (WORDS, CODES) if columns else (seen.WORDS, seen.CODES)
    put_right = righted.said(report, predictor.steps)
    return {"version": VERSION, "model": "model.onnx", "model_sha256": sha256, "run": run.run,
            "checkpoint": run.chain.current, "name": run.label.name, "family": run.config.family,
            "task": report.task, "outcome": run.config.choice.target, "classes": report.classes,
            "positive": report.positive, "threshold": report.threshold, "stamps": report.stamps,
            "note": "; ".join([*report.stamps, *filter(None, [put_right])]),  # stands beside every answer
            "put_right": put_right, "computed_threshold": run.report.threshold,
            "number": NUMBER, "unread": NOT_READ, "spare": SPARE, "columns": columns,
            "outputs": {"probabilities": "one column a class, or the predicted number; NaN where no answer is given",
                        "computed": "what the model itself says of every row, before it is put right or silenced: for "
                                    "comparisons and validations, never for a patient",
                        "reasons": "one column an input, 0 or a number of `reasons`"},
            "reasons": {str(code): words[word] for word, code in codes.items()}, "parity": parity}


def columns_of(predictor: Predictor) -> list[dict[str, Any]]:
    """One entry a column, in the order of the output "reasons".

    read    whether the model reads it;   needed  whether anything does: by some columns that a choice of predictors
            dropped, patients are seen to be unlike those of training; a table may lack all others
    """
    kinds, recipe = predictor.pipeline.matrix.cleaner.kinds, predictor.run.recipe
    named, read, needed = input_names(list(kinds)), predictor.read_by_model, predictor.looked_at
    return [{"name": name, "input": named[name], "read": name in read, "needed": name in needed}
            | typed_column(predictor.table.column(name), recipe) for name in kinds]


def typed_column(column: Column, recipe: Recipe) -> dict[str, Any]:
    """Type, usual values and reading rules of a column by its kind."""
    if column.kind not in NUMERIC:
        return text_rules(column, recipe, yes_no=column.kind == "yes_no")
    return {"type": column.kind, "unit": column.unit, "usual": [column.low, column.high],
            "missing": sorted(MISSING_WORDS),
            "codes": [float(code) for code in _codes(column.name, recipe) if _is_number(code)],
            "rewrite": _DATES if column.kind == "date" else _number_rules(column, recipe), "words": {}}


def text_rules(column: Column, recipe: Recipe, *, yes_no: bool) -> dict[str, Any]:
    """A column read as names of categories; yes_no: the many words for yes and no become these two."""
    words = {word: said for said, listed in (("yes", YES), ("no", NO)) for word in sorted(listed)}
    words = words if yes_no else {}
    return {"type": "text", "missing": sorted(MISSING_WORDS) if _step(recipe, "sentinels") is not None else [""],
            "codes": _codes(column.name, recipe), "rewrite": _NAMES, "words": words,
            "usual": list(dict.fromkeys(_as_read(level.label, words) for level in column.levels))}


def _as_read(label: str, words: dict[str, str]) -> str:
    """A category as cells.py reads a cell that holds it: 0 of a yes/no column is no."""
    for pattern, instead in _NAMES:
        label = re.sub(pattern, instead.replace("$", "\\"), label, flags=re.IGNORECASE)
    return words.get(label.lower(), label)


def _number_rules(column: Column, recipe: Recipe) -> Rules:
    params = _step(recipe, "text_numbers")
    if params is None:
        return []
    unit = [[rf"\s*[\[(]?{re.escape(column.unit)}[\])]?\.?$".replace(r"\ ", " "), ""]] if column.unit else []
    style = _DOTS_GROUP if column.name in params.get("decimal_comma", []) else _COMMAS_GROUP
    return [_LIMIT, *unit, _MINUS, _SPACES, *style]


def _codes(name: str, recipe: Recipe) -> list[str]:
    params = _step(recipe, "sentinels")
    return [] if params is None else [str(code).strip() for code in params.get("columns", {}).get(name, [])]


def _step(recipe: Recipe, name: str) -> dict[str, Any] | None:
    """The settings of a step that is on, else None."""
    return next((step.params for step in recipe.steps if step.name == name and step.on), None)


def _is_number(text: str) -> bool:
    return re.fullmatch(NUMBER, text, re.IGNORECASE) is not None
