"""A capsule: one zip that another hospital unpacks and runs on its own patients, and what comes back from there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from medml import external, gallery
from medml.errors import UserError
from medml.evaluate import overlaps, smooth
from medml.evaluate.words import METRICS
from medml.export.package import BESIDE, Package, as_zip
from medml.export.record import record_of
from medml.recipe.target import ABOVE_ZERO
from medml.types import SMALL_GROUP, External, Subgroup

if TYPE_CHECKING:
    from medml.types import Metric, Report

RESULT = "medml site result"
RUNNER = ("validate.py", "figures.py", "curves.py", "groups.py", "hints.py", "cells.py")  # cells: outcomes of pictures
LARGEST = 20_000_000  # bytes of a result
LINE = {"slope", "intercept", "ici"}  # figures of calibration that a result may hold
LEAST = 30  # patients, as validate.py has it
README = """This folder judges a model on your own patients, on your own machine, without any network.

    pip install onnxruntime numpy
    python validate.py patients.csv --name "Our hospital"

patients.csv has {columns} and the outcome under "target"; where one is called
otherwise with you, add --map "your name=our name". It writes result.json: figures of all and of large groups;
no row, no patient, no group of fewer than 10. Open it in any editor, see that this is so, and send it back.
It says on the screen which values the model does not know: recode them in a copy of your table and run it again.
At least 30 patients, and 10 of each outcome, are needed.

seen.json says what the model was trained on. run.py and run.mjs show how the model is used on single patients.
"""


def readme(described: dict[str, Any]) -> str:
    """How the capsule is used, of pictures by a table that names them."""
    columns = ('the columns that schema.json lists under "columns"' if described["columns"] else
               'a column "picture" with the names of .pgm, .ppm or .npy files beside it\n(schema.json says under '
               '"pixels" how DICOM, PNG and the others become such files)')
    patient = f', "{described["patient"]}", which tells patients apart,' if described["patient"] else ""
    return README.format(columns=columns + patient)


def capsule(found: Package) -> bytes:
    """The zip: model, schema, what training saw as aggregates, the runner; no row and no path of this machine."""
    described = found.schema | outcome_of(found.run) | asked_of(found.run, found.schema["columns"])
    files = found.files()
    files["schema.json"] = json.dumps(described, indent=1, ensure_ascii=False, allow_nan=False).encode()
    files["seen.json"] = json.dumps(seen(found.run), indent=1, ensure_ascii=False, allow_nan=False).encode()
    runner = {name: (BESIDE / name).read_bytes() for name in RUNNER}
    ours = [Path(each.__file__) for each in (overlaps, smooth)]
    runner |= {each.name: each.read_bytes() for each in ours}
    return as_zip(files | runner | {"README.txt": readme(described).encode()})


def outcome_of(run: gallery.Run) -> dict[str, Any]:
    """How the outcome and the patient stand in a table: what validate.py needs besides the columns."""
    from medml.export.schema import text_rules, typed_column

    choice, report, recipe = run.config.choice, run.report, run.recipe
    target = run.profile.table(choice.table).column(choice.target)
    if report.task == "regression" or report.positive == ABOVE_ZERO:
        entry = typed_column(target.model_copy(update={"kind": "number"}), recipe)
        how = "number" if report.task == "regression" else "above zero"
    else:
        entry = text_rules(target, recipe, yes_no={"yes", "no"} >= set(report.classes))
        how = "the rest" if report.task == "binary" and report.classes[0].startswith("not ") else "classes"
    once = any(step.name == "exact_duplicates" and step.on for step in recipe.steps)
    return {"target": {"name": choice.target, "how": how} | entry, "patient": choice.patient, "once": once}


def asked_of(run: gallery.Run, columns: list[dict[str, Any]]) -> dict[str, Any]:
    """The groups and the range of thresholds that the other hospital's figures are told by, as the run's own are.

    A group is of a predictor: its categories, or the bands of an age (medml.profile.names).
    """
    from medml.evaluate.subgroups import subgroup_columns
    from medml.profile.names import AGE_BANDS, is_age

    types = {each["name"]: each["type"] for each in columns}
    groups = [{"column": name, "cuts": list(AGE_BANDS) if types[name] == "number" else []}
              for name in subgroup_columns(run.profile.table(run.config.choice.table), run.config)
              if types.get(name) == "text" or types.get(name) == "number" and is_age(name)]
    where = run.report.net_benefit
    return {"subgroups": groups, "net_benefit": where and {
        "low": where.low, "high": where.high, "range_reason": "as for the run itself"}}


def seen(run: gallery.Run) -> dict[str, Any]:
    """What the model was trained on and how it did there: aggregates that a stored profile and report hold anyway."""
    report, table = run.report, run.profile.table(run.config.choice.table)
    used = {each.name for each in table.columns} - set(run.config.choice.leave_out)
    columns = [{"name": each.name, "kind": each.kind, "unit": each.unit,
                "missing": share_missing(each.missing, table.rows),
                "5 %, median, 95 %": [each.low, each.median, each.high],
                "categories": {level.label: level.n for level in each.levels}}
               for each in table.columns if each.name in used and each.kind not in ("identifier", "text")]
    return {"n_cases": report.n_cases, "n_patients": report.n_patients, "n_events": report.n_events,
            "measured_on": report.measured_on, "metrics": _figures(report), "stamps": report.stamps,
            "columns": columns}


def share_missing(n: int, rows: int) -> float | str:
    """The share without a value; none of fewer than k rows, which could be counted by it."""
    return f"fewer than {SMALL_GROUP} rows" if 0 < n < SMALL_GROUP else round(n / rows, 3)


def _figures(report: Report) -> dict[str, Any]:
    both = report.metrics | report.calibration_line
    return {name: each.model_dump(mode="json") for name, each in both.items() if name not in report.hidden}


def take_back(run: str, path: Path) -> External:
    """Read a result that came back, and keep it with the run as a validation on data from elsewhere.

    raises  UserError where the file is no such result, belongs to another model, or says what cannot be
    """
    opened = gallery.open_run(run)
    told = _read(path)
    if told.get("format") != RESULT or not isinstance(told.get("external"), dict):
        raise _no_result()
    if told.get("run") != opened.run:
        raise UserError(what="This result was made with the model of another run.", code="other_run",
                        fix="Choose the run that the capsule was made from.")
    kept = record_of(opened)
    if kept is None or not kept.passed or told.get("model_sha256") != kept.sha256:
        raise UserError(what="This result was made with another model file than the last one exported from this run.",
                        fix="Go back to the checkpoint that the capsule was made from, or make a new capsule.",
                        code="other_model")
    try:
        found = External.model_validate(told["external"])
    except ValidationError as damaged:
        raise _no_result(f"{damaged.error_count()} fields") from None
    if found.data_sha256 == opened.config.data_sha256:
        raise UserError(what="This result was made from the very table that the model was made from.", code="own_table",
                        fix="Run the capsule on data of other patients.")
    if found.found_by != "capsule" or found.checkpoint != opened.chain.current or not (
            _possible(found, opened) and _as_written(found)):
        raise _no_result("figures")
    return external.add(run, found)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
        told = json.loads(content)
    except (OSError, ValueError, RecursionError):
        raise _no_result() from None
    return told if isinstance(told, dict) else {}


def _possible(found: External, opened: gallery.Run) -> bool:
    """Known figures and columns, of no more rows than there were, within intervals that hold them."""
    ours = {each.name for each in opened.profile.table(opened.config.choice.table).columns}
    lines = [found.calibration_line, *found.calibration_of_classes.values()]
    figures = [*found.metrics.values(), *(each for line in lines for each in line.values())]
    return set(found.metrics) <= set(METRICS) and 0 < found.n_patients <= found.n_cases and \
        set(found.calibration_of_classes) <= set(opened.report.classes) and set(found.absent) <= ours and \
        all(set(line) <= LINE for line in lines) and \
        all(0 <= each.low and each.high <= 1 for each in _told(line.get("ici") for line in lines)) and \
        all(each.n <= found.n_cases and (each.value is None or each.low is not None and each.high is not None
                                         and each.low <= each.value <= each.high) for each in figures)


def _told(figures: Iterable[Metric | None]) -> list[Metric]:
    return [each for each in figures if each is not None and each.low is not None and each.high is not None]


def _as_written(found: External) -> bool:
    """Of as many patients as validate.py asks for, of no small group, and without what it never writes: another score,
    copies."""
    events = SMALL_GROUP if found.n_events is None else found.n_events
    return found.n_patients >= LEAST and SMALL_GROUP <= events <= found.n_cases - SMALL_GROUP and \
        not 0 < found.n_left_out < SMALL_GROUP and not found.score_in_use and not found.n_copies and \
        not found.stated and not found.stated_by and \
        set(found.under_ten) <= {"n_left_out"} and not found.over_a_twentieth and \
        all(_no_few(each, found) for each in found.subgroups)


def _no_few(group: Subgroup, found: External) -> bool:
    """Whether a group is one that validate.py tells of, with figures only where it is large enough for them."""
    events = SMALL_GROUP if group.n_events is None else group.n_events
    return SMALL_GROUP <= group.n_patients <= group.n <= found.n_cases and (
        not group.enough or group.n_patients >= LEAST) and \
        SMALL_GROUP <= events <= group.n - SMALL_GROUP * (group.n_events is not None) and \
        (group.enough or group.figure is None and group.slope is None)


def _no_result(detail: str = "") -> UserError:
    return UserError(what="This is no result of a capsule, or it was changed on the way.", code="no_result",
                     fix="Choose the file result.json that validate.py wrote.", detail=detail)
