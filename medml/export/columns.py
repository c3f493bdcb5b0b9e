"""From typed columns to the matrix that a model reads, and to the reasons for saying nothing, inside the graph.

Every encoded column depends on one column of the table alone. So our own cleaning is asked what it makes of every text
that it knows, of any other, and of a missing cell; the graph looks the answers up and needs no copy of its rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medml.errors import UserError
from medml.export import silence
from medml.export.graph import INNER, ML, Graph
from medml.steps.step import MISSING, NUMERIC, OTHER

if TYPE_CHECKING:
    import pandas as pd

    from medml.pipeline import Matrix
    from medml.recipe import Cleaner

KNOWN_STEPS = frozenset({"cap_outliers", "impute", "merge_rare"})  # what learned steps the graph can do
LARGE = 100_000  # cells of the tables for all texts; beyond, the file would grow for a few microseconds
ANY_OTHER = "\x1fno category that anybody has"
OUTPUTS = ("probabilities", "computed", "reasons")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The number columns of a row side by side, some more than once.

    of       the column of each;   places  where it stands in the encoded row, -1: nowhere
    x, there (n, len(of)) tensors, float64 and bool: the values, and whether they are finite
    """

    of: list[str]
    places: np.ndarray
    x: str
    there: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """Tensors: the encoded rows (n, p) float64, reasons (n, n_columns) int32, codes of medml.export.silence, and silent
    (n, 1) bool where there is any."""

    rows: str
    reasons: str
    silent: str


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
    kinds = matrix.cleaner.kinds
    tensors = {name: graph.input(given, np.float64 if kinds[name] in NUMERIC else np.str_, ["n", 1])
               for name, given in input_names(list(kinds)).items()}
    numbers = [name for name in kinds if kinds[name] in NUMERIC]
    probe, columns = _Probe(matrix, [name for name in kinds if name not in set(numbers)]), list(kinds)
    blocks: list[Block] = []
    why: list[Block] = []  # places among the columns, their codes
    row: Numbers | None = None
    if numbers:
        row = _side_by_side(graph, matrix, numbers, tensors)
        blocks.append((row.places, _filled(graph, matrix, probe, row)))
        first = [columns.index(name) for name in numbers] + [-1] * (len(row.of) - len(numbers))
        why.append((np.array(first), silence.of_numbers(graph, matrix.cleaner, row, key)))
    if probe.texts:
        found, codes = _texts(graph, matrix.cleaner, probe, tensors, key)
        blocks += found
        why.append((np.array([columns.index(name) for name in probe.texts]), codes))
    reasons, silent = silence.with_odd_together(graph, matrix.cleaner, row, _together(graph, why, len(columns)))
    return Encoded(_together(graph, blocks, len(matrix.names)), reasons, silent)


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


Block = tuple[np.ndarray, str]  # places among the encoded columns, tensor (n, as many)


def _side_by_side(graph: Graph, matrix: Matrix, names: list[str], tensors: dict[str, str]) -> Numbers:
    """Every number column once, then again for each further cell that is made from it."""
    of, places = list(names), [-1] * len(names)
    for place, column in enumerate(matrix.origins):
        if column in names:
            at = names.index(column)
            if places[at] < 0:
                places[at] = place
            else:
                of.append(column)
                places.append(place)
    x = graph.add("Concat", *(tensors[name] for name in of), axis=1)
    there = graph.add("Less", graph.add("Abs", x), graph.constant(np.inf))   # NaN is not less
    return Numbers(of, np.array(places), x, there)


def _filled(graph: Graph, matrix: Matrix, probe: _Probe, row: Numbers) -> str:
    """Missing or endless: what our cleaning makes of a missing cell. Else: moved to the limits; a mark of what was
    missing has its one value for limits."""
    low, high = _limits(matrix, row.of)
    marks = np.array([place >= 0 and matrix.encoder.origins[place] != column
                      for place, column in zip(row.places, row.of, strict=True)])
    for end in (low, high):
        end[marks] = probe.cells[-1, row.places[marks]]
    moved = row.x
    for operation, end in (("Max", low), ("Min", high)):
        if np.isfinite(end).any():
            moved = graph.add(operation, moved, graph.constant(end))
    missing = np.where(row.places >= 0, probe.cells[0, row.places], 0.0)
    return graph.add("Where", row.there, moved, graph.constant(missing))


def _limits(matrix: Matrix, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    limits = next((state["limits"] for step, state in matrix.cleaner.states if step == "cap_outliers"), {})
    return tuple(np.array([limits.get(name, (-np.inf, np.inf))[end] for name in names]) for end in (0, 1))


def _texts(graph: Graph, cleaner: Cleaner, probe: _Probe, tensors: dict[str, str], key: list[str]) -> tuple[
        list[Block], str]:
    """Encoded cells of the texts, and their codes (n, columns).

    All texts are looked up at once among those of every column, which takes as long as one column alone; each cell is
    then read from its own column of a table, in the row of its text. Where that table would be large, each column is
    looked up by itself.
    """
    codes = {name: silence.of_texts(cleaner, probe.frame, name, len(texts), name in key)
             for name, texts in probe.texts.items()}
    places = {name: probe.of(name) for name in probe.texts}
    every = sorted({text for texts in probe.texts.values() for text in texts[:-1]})
    owners = [name for name, mine in places.items() for _ in mine]
    if (len(every) + 1) * (len(codes) + len(owners)) > LARGE:
        return _one_by_one(graph, probe, places, codes, tensors)
    rows = {name: [texts.index(text) if text in texts[:-1] else len(texts) - 1 for text in [*every, ANY_OTHER]]
            for name, texts in probe.texts.items()}
    cells = [tensors[name] for name in probe.texts]
    at = _known(graph, cells[0] if len(cells) == 1 else graph.add("Concat", *cells, axis=1), every)   # (n, columns)
    why = _read(graph, np.column_stack([codes[name][rows[name]] for name in codes]), at, np.int32)
    if not owners:
        return [], why
    if owners != list(codes):
        at = graph.gather(at, [list(codes).index(name) for name in owners])
    table = np.hstack([probe.cells[np.ix_(rows[name], mine)] for name, mine in places.items()])
    return [(np.concatenate(list(places.values())), _read(graph, table, at, np.float64))], why


def _read(graph: Graph, table: np.ndarray, at: str, kind: type) -> str:
    """(n, columns): of each column of a table the cell of that row."""
    return graph.add("GatherElements", graph.constant(table, kind), at, axis=0)


def _known(graph: Graph, texts: str, listed: list[str]) -> str:
    """Texts -> their places in a list, or its length."""
    return graph.add("LabelEncoder", texts, domain=ML, keys_strings=listed, values_int64s=list(range(len(listed))),
                     default_int64=len(listed))


def _one_by_one(graph: Graph, probe: _Probe, places: dict[str, np.ndarray], codes: dict[str, np.ndarray],
                tensors: dict[str, str]) -> tuple[list[Block], str]:
    blocks, why = [], []
    for name, mine in places.items():
        at = _known(graph, tensors[name], probe.texts[name][:-1])   # (n, 1)
        why.append(graph.add("Gather", graph.constant(codes[name], np.int32), at, axis=0))
        if len(mine):
            row = graph.add("Squeeze", at, graph.constant([1], np.int64))
            blocks.append((mine, graph.add("Gather", graph.constant(probe.cells[:len(probe.texts[name]), mine]), row,
                                           axis=0)))
    return blocks, graph.add("Concat", *why, axis=1)


def _together(graph: Graph, blocks: list[Block], width: int) -> str:
    """Blocks of columns beside each other, put in order; what has no place is left out."""
    tensors, places = [tensor for _, tensor in blocks], np.concatenate([places for places, _ in blocks])
    whole = tensors[0] if len(tensors) == 1 else graph.add("Concat", *tensors, axis=1)
    order = np.full(width, -1)
    order[places[places >= 0]] = np.flatnonzero(places >= 0)
    if (order < 0).any():
        raise ValueError(f"{(order < 0).sum()} of {width} columns were not built")
    return whole if len(places) == width and (order == np.arange(width)).all() else graph.gather(whole, order)
