"""From typed columns to the matrix that a model reads, and to the reasons for saying nothing, inside the graph.

Every encoded column depends on one column of the table alone. So our own cleaning is asked what it makes of every text
that it knows, of any other, and of a missing cell; the graph looks the answers up and needs no copy of its rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from medml.errors import UserError
from medml.export import silence
from medml.export.graph import INNER, ML, Graph, Rows
from medml.export.views import ENDLESS, Seen, View, look
from medml.steps.step import MISSING, NUMERIC, OTHER

if TYPE_CHECKING:
    import pandas as pd

    from medml.pipeline import Matrix
    from medml.recipe import Cleaner

KNOWN_STEPS = frozenset({"cap_outliers", "impute", "merge_rare"})  # what learned steps the graph can do
LARGE = 100_000  # cells of a table of texts or weights; beyond, the file would grow for a few microseconds
ANY_OTHER = "\x1fno category that anybody has"
OUTPUTS = ("probabilities", "computed", "reasons")


class Cells(NamedTuple):
    """A tensor (n, k) float64, and where each of its k columns stands in the encoded row, -1: nowhere."""

    tensor: str
    places: np.ndarray


class Marks(NamedTuple):
    """A tensor (n, k) float32, and what each of its k columns adds to the code of the reason of each column of the
    table.

    weights  (k, n_columns), 0 nearly everywhere;   start  (n_columns,) or 0: where those codes begin
    """

    tensor: str
    weights: np.ndarray
    start: np.ndarray | float = 0.0


@dataclass(frozen=True, slots=True)
class Encoded:
    """The encoded rows, and two tensors: reasons (n, n_columns) int32, codes of medml.export.silence, and a veil (n, 1)
    float64 to be added to an answer, NaN where there is any reason, else 0."""

    rows: Rows
    reasons: str
    veil: str


def input_names(columns: list[str]) -> dict[str, str]:
    """Column -> its input's name: its own, with a mark behind it where a name is taken or empty."""
    named: dict[str, str] = {}
    for column in columns:
        name = column or "column"
        while name in OUTPUTS or name.startswith(INNER) or name in named.values():
            name += "'"
        named[column] = name
    return named


def encoded(graph: Graph, matrix: Matrix, key: list[str]) -> Encoded:
    """Put the inputs and all cleaning into the graph; UserError where a step is one that it cannot do."""
    refuse_unknown_steps(matrix)
    kinds, columns = matrix.cleaner.kinds, list(matrix.cleaner.kinds)
    tensors = {name: graph.input(given, np.float64 if kinds[name] in NUMERIC else np.str_, ["n", 1])
               for name, given in input_names(columns).items()}
    numbers = [name for name in kinds if kinds[name] in NUMERIC]
    probe = _Probe(matrix, [name for name in kinds if name not in set(numbers)])
    views = [*_cells(matrix, probe, numbers), *silence.of_numbers(matrix.cleaner, numbers, key)]
    seen = look(graph, [tensors[name] for name in numbers], numbers, views) if numbers else None
    cells, marks = of_numbers(seen, columns) if seen else ([], [])
    if probe.texts:
        more = _texts(graph, matrix.cleaner, probe, tensors, key)
        cells, marks = cells + more[0], marks + more[1]
    reasons, veil = silence.with_odd_together(graph, matrix.cleaner, seen, codes(graph, marks))
    return Encoded(_rows(graph, cells, len(matrix.names)), reasons, veil)


def refuse_unknown_steps(matrix: Matrix) -> None:
    """UserError where something was learned that the graph has no operation for."""
    from medml.steps import registry

    odd = [registry.get(name).title for name, _ in matrix.cleaner.states if name not in KNOWN_STEPS]
    if odd:
        raise UserError(what=f"The cleanup step “{odd[0]}” cannot be written into a model file.", code="no_export",
                        fix="Switch it off on the Cleanup page and train again, or use the model inside MedML.")


class _Probe:
    """What our own cleaning and encoding make of each text, of a missing cell and of a number.

    texts  column -> every text that the cleaning knows, the missing one ('') first, any other last
    cells  (1 + most texts, p) encoded: row i has text i of every column; the last one has numbers instead of NaN
    """

    def __init__(self, matrix: Matrix, categories: list[str]) -> None:
        self.matrix = matrix
        self.texts = {name: ["", *_listed(matrix, name), ANY_OTHER] for name in categories}
        deepest = max((len(texts) for texts in self.texts.values()), default=1)
        numbers = np.r_[np.full(deepest, np.nan), 0.0]
        self.frame = _frame({name: [text or None for text in self.texts[name]] if name in self.texts else numbers
                             for name in matrix.cleaner.kinds}, deepest + 1)
        self.cells = matrix.encode(self.frame)

    def of(self, name: str) -> np.ndarray:
        """Places of the encoded columns that come from this column."""
        return np.array([place for place, origin in enumerate(self.matrix.origins) if origin == name], dtype=np.int64)


def _listed(matrix: Matrix, name: str) -> list[str]:
    cleaner, known = matrix.cleaner, {OTHER, MISSING}
    known |= set(cleaner.known.get(name, [])) | set(matrix.encoder.levels.get(name, []))
    for _, state in cleaner.states:
        known |= set(state.get("keep", {}).get(name, []))
        known |= {state["categories"][name]} if name in state.get("categories", {}) else set()
    return sorted(known)


def _frame(columns: dict[str, Any], n_rows: int) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: values if isinstance(values, np.ndarray) else
                         pd.Series([*values, *[None] * (n_rows - len(values))], dtype=object)
                         for name, values in columns.items()})


def _cells(matrix: Matrix, probe: _Probe, names: list[str]) -> list[View]:
    """One for each encoded cell that is made from a number: moved to the limits, and where missing what our cleaning
    makes of that. A mark of what was missing has its one value for limits."""
    limits = next((state["limits"] for step, state in matrix.cleaner.states if step == "cap_outliers"), {})
    views = []
    for place, column in enumerate(matrix.origins):
        if column in names:
            there, missing = probe.cells[-1, place], probe.cells[0, place]
            low, high = limits.get(column, ENDLESS) if matrix.encoder.origins[place] == column else (there, there)
            views.append(View(column, low, high, missing, place=place))
    return views


def of_numbers(seen: Seen, columns: list[str]) -> tuple[list[Cells], list[Marks]]:
    """Encoded cells of numbers, and what adds up to their codes."""
    of = np.array([each.column for each in seen.views])[:, None] == columns   # (views, columns)
    outside, missing = (of * np.array([[getattr(each, what)] for each in seen.views])
                        for what in ("outside", "missing"))
    return ([Cells(seen.filled, np.array([each.place for each in seen.views]))],
            [Marks(seen.inside, -outside), Marks(seen.there, outside - missing, missing.sum(axis=0))])


def _texts(graph: Graph, cleaner: Cleaner, probe: _Probe, tensors: dict[str, str],
           key: list[str]) -> tuple[list[Cells], list[Marks]]:
    """Encoded cells and codes of the texts.

    All texts are looked up at once among those of every column, which takes as long as one column alone; each code and
    cell is then read from its own column of a table, in the row of its text. Where that table would be large, each
    column is looked up by itself.
    """
    coded = {name: silence.of_texts(cleaner, probe.frame, name, len(texts), name in key)
             for name, texts in probe.texts.items()}
    made = {name: probe.cells[:len(texts), probe.of(name)] for name, texts in probe.texts.items()}
    places, widths = np.concatenate([probe.of(name) for name in made]), [each.shape[1] for each in made.values()]
    weights = np.array(list(made))[:, None] == list(cleaner.kinds)
    every = sorted({text for texts in probe.texts.values() for text in texts[:-1]})
    if (len(every) + 1) * (len(made) + len(places)) > LARGE:
        return _one_by_one(graph, probe, coded, made, tensors, weights)
    rows = {name: [texts.index(text) if text in texts[:-1] else len(texts) - 1 for text in [*every, ANY_OTHER]]
            for name, texts in probe.texts.items()}
    given = [tensors[name] for name in made]
    at = _known(graph, beside(graph, given), every)   # (n, columns)
    wide = at if set(widths) == {1} else graph.gather(at, np.repeat(np.arange(len(made)), widths))
    cells = _read(graph, np.hstack([table[rows[name]] for name, table in made.items()]), wide, np.float64)
    marks = _read(graph, np.column_stack([each[rows[name]] for name, each in coded.items()]), at, np.float32)
    return [Cells(cells, places)], [Marks(marks, weights)]


def _read(graph: Graph, table: np.ndarray, at: str, kind: type) -> str:
    """(n, columns): of each column of a table the row that is asked for."""
    return graph.add("GatherElements", graph.constant(table, kind), at, axis=0)


def _known(graph: Graph, texts: str, listed: list[str]) -> str:
    """Texts -> their places in a list, or its length."""
    return graph.add("LabelEncoder", texts, domain=ML, keys_strings=listed, values_int64s=list(range(len(listed))),
                     default_int64=len(listed))


def _one_by_one(graph: Graph, probe: _Probe, coded: dict[str, np.ndarray], made: dict[str, np.ndarray],
                tensors: dict[str, str], weights: np.ndarray) -> tuple[list[Cells], list[Marks]]:
    cells, marks = [], []
    for name, mine in zip(made, weights, strict=True):
        at = _known(graph, tensors[name], probe.texts[name][:-1])   # (n, 1)
        row = graph.add("Squeeze", at, graph.constant([1], np.int64))
        cells.append(Cells(graph.add("Gather", graph.constant(made[name]), row, axis=0), probe.of(name)))
        marks.append(Marks(graph.add("Gather", graph.constant(coded[name][:, None], np.float32), row, axis=0),
                           mine[None, :]))
    return cells, marks


def codes(graph: Graph, marks: list[Marks]) -> str:
    """(n, n_columns) float32, which knows small whole numbers as they are: what the marks add up to, at no more cost
    than a column has weights where the table is wide."""
    whole = beside(graph, [each.tensor for each in marks])
    weights = np.vstack([each.weights for each in marks])
    start = graph.constant(sum((each.start for each in marks), np.zeros(weights.shape[1])), np.float32)
    if weights.size <= LARGE:
        return graph.add("Gemm", whole, graph.constant(weights, np.float32), start)
    most = max(1, int((weights != 0).sum(axis=0).max()))
    at = np.argsort(weights == 0, axis=0, kind="stable")[:most]   # (most, n_columns)
    parts = graph.add("Mul", graph.gather(whole, at),
                      graph.constant(np.take_along_axis(weights, at, axis=0), np.float32))
    return graph.add("Add", graph.add("ReduceSum", parts, graph.constant([1], np.int64), keepdims=0), start)


def beside(graph: Graph, tensors: list[str]) -> str:
    """Tensors (n, some) side by side."""
    return tensors[0] if len(tensors) == 1 else graph.add("Concat", *tensors, axis=1)


def _rows(graph: Graph, cells: list[Cells], width: int) -> Rows:
    """The columns that have a place."""
    places = np.concatenate([each.places for each in cells])
    order = np.full(width, -1)
    order[places[places >= 0]] = np.flatnonzero(places >= 0)
    if (order < 0).any():
        raise ValueError(f"{(order < 0).sum()} of {width} columns were not built")
    return Rows(beside(graph, [each.tensor for each in cells]), order, len(places))
