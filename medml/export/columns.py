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

KNOWN_STEPS = frozenset({"cap_outliers", "impute", "merge_rare"})  # what learned steps the graph can do
LARGE = 100_000  # cells of one table for all categories; beyond, the file would grow for a few microseconds
ANY_OTHER = "\x1fno category that anybody has"
OUTPUTS = ("probabilities", "computed", "reasons")


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
    x = there = ""
    if numbers:
        x = graph.add("Concat", *(tensors[name] for name in numbers), axis=1)   # (n, numbers)
        there = graph.add("Less", graph.add("Abs", x), graph.constant(np.inf))   # NaN is not less
        blocks += _numbers(graph, matrix, probe, numbers, x, there)
        why.append((np.array([columns.index(name) for name in numbers]),
                    silence.of_numbers(graph, matrix.cleaner, x, there, numbers, key)))
    if probe.texts:
        at = _rows_of_texts(graph, probe, tensors)
        blocks += _categories(graph, probe, at)
        codes = [silence.of_texts(matrix.cleaner, probe.frame, name, len(texts), name in key)
                 for name, texts in probe.texts.items()]
        why.append((np.array([columns.index(name) for name in probe.texts]),
                    graph.add("Gather", graph.constant(np.concatenate(codes), np.int32), at, axis=0)))
    reasons = _together(graph, why, len(columns))
    reasons, silent = silence.with_odd_together(graph, matrix.cleaner, x, there, numbers, reasons)
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


def _numbers(graph: Graph, matrix: Matrix, probe: _Probe, names: list[str], x: str, there: str) -> list[Block]:
    """Missing or endless: what our cleaning makes of a missing cell. Else: moved to the limits; a mark of what was
    missing has its one value for limits."""
    known = set(names)
    origins = list(enumerate(zip(matrix.encoder.origins, matrix.origins, strict=True)))
    of = {place: column for place, (_, column) in origins if column in known}
    if not of:
        return []
    places, marks = np.array(list(of)), [place for place, (own, column) in origins if column in known and own != column]
    low, high = _limits(matrix, list(of.values()))
    for end in (low, high):
        end[np.isin(places, marks)] = probe.cells[-1, marks]
    at = [names.index(column) for column in of.values()]
    moved = graph.add("Min", graph.add("Max", graph.gather(x, at), graph.constant(low)), graph.constant(high))
    return [(places, graph.add("Where", graph.gather(there, at), moved, graph.constant(probe.cells[0, places])))]


def _limits(matrix: Matrix, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    limits = next((state["limits"] for step, state in matrix.cleaner.states if step == "cap_outliers"), {})
    return tuple(np.array([limits.get(name, (-np.inf, np.inf))[end] for name in names]) for end in (0, 1))


def _rows_of_texts(graph: Graph, probe: _Probe, tensors: dict[str, str]) -> str:
    """Texts (n, 1) each -> (n, columns) int64: rows of one table with all texts of all columns under each other."""
    found, first = [], 0
    for name, texts in probe.texts.items():
        last = first + len(texts) - 1
        found.append(graph.add("LabelEncoder", tensors[name], domain=ML, keys_strings=texts[:-1],
                               values_int64s=list(range(first, last)), default_int64=last))
        first = last + 1
    return found[0] if len(found) == 1 else graph.add("Concat", *found, axis=1)


def _categories(graph: Graph, probe: _Probe, at: str) -> list[Block]:
    """The encoded cells that belong to the texts of a row: each column's texts fill its own cells alone, so their sum
    is the row. Where one table of all would be large, each column looks its own up."""
    places = {name: probe.of(name) for name in probe.texts}
    starts = dict(zip(probe.texts, np.cumsum([0, *map(len, probe.texts.values())]), strict=False))
    every, n_texts = np.concatenate(list(places.values())), sum(map(len, probe.texts.values()))
    if n_texts * len(every) > LARGE:
        return _one_by_one(graph, probe, places, starts, at)
    if not len(every):
        return []
    table = np.zeros((n_texts, len(every)))
    for name, texts in probe.texts.items():
        mine, rows = places[name], slice(starts[name], starts[name] + len(texts))
        table[rows, np.isin(every, mine)] = probe.cells[:len(texts), mine]
    cells = graph.add("Gather", graph.constant(table), at, axis=0)   # (n, columns, places)
    return [(every, graph.add("ReduceSum", cells, graph.constant([1], np.int64), keepdims=0))]


def _one_by_one(graph: Graph, probe: _Probe, places: dict[str, np.ndarray], starts: dict[str, int],
                at: str) -> list[Block]:
    blocks = []
    for column, (name, mine) in enumerate(places.items()):
        if len(mine):
            row = graph.add("Sub", graph.add("Gather", at, graph.constant(column, np.int64), axis=1),
                            graph.constant(starts[name], np.int64))   # (n,)
            cells = graph.constant(probe.cells[:len(probe.texts[name]), mine])
            blocks.append((mine, graph.add("Gather", cells, row, axis=0)))
    return blocks


def _together(graph: Graph, blocks: list[Block], width: int) -> str:
    """Blocks of columns beside each other, put in order."""
    tensors, order = [tensor for _, tensor in blocks], np.argsort(np.concatenate([places for places, _ in blocks]))
    whole = tensors[0] if len(tensors) == 1 else graph.add("Concat", *tensors, axis=1)
    if len(order) != width:
        raise ValueError(f"{len(order)} of {width} columns were built")
    return whole if (order == np.arange(width)).all() else graph.gather(whole, order)
