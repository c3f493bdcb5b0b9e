"""Why a model says nothing about a row, inside the graph: the codes of medml.abstain, column by column (P1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.abstain import WORDS
from medml.export.graph import Graph
from medml.profile.names import AGE_BANDS
from medml.recipe.together import NAMED

if TYPE_CHECKING:
    import pandas as pd

    from medml.export.columns import Numbers
    from medml.recipe import Cleaner
    from medml.recipe.together import Together

CODES = {word: place for place, word in enumerate(WORDS, start=1)}  # 0: nothing speaks against an answer


def of_texts(cleaner: Cleaner, frame: pd.DataFrame, name: str, n_texts: int, is_key: bool) -> np.ndarray:
    """(n_texts,) int32: the code of each text of a category; row 0 of the frame is the missing one."""
    found = np.zeros(n_texts, dtype=np.int32)
    for word, odd in (("few", cleaner.few(frame)), ("unseen", cleaner.unseen(frame))):
        found[[row for row in range(n_texts) if name in odd[row]]] = CODES[word]
    if is_key:
        found[0] = CODES["missing"]
    return found


def of_numbers(graph: Graph, cleaner: Cleaner, row: Numbers, key: list[str]) -> str:
    """(n, p) int32: the code of each number. Each reason by itself, then their sum: no two are of one cell, and a
    choice between two codes takes onnxruntime longer than both together."""
    low, high = (np.array([cleaner.far.get(name, (-np.inf, np.inf))[end] for name in row.of]) for end in (0, 1))
    outside = graph.add("Or", graph.add("Less", row.x, graph.constant(low)),
                        graph.add("Greater", row.x, graph.constant(high)))
    codes = _coded(graph, graph.add("And", row.there, outside), CODES["outside"])
    band = _thin_band(graph, cleaner, row)
    if band:
        usual = graph.add("And", row.there, graph.add("Not", outside))
        codes = graph.add("Add", codes, _coded(graph, graph.add("And", usual, band), CODES["few"]))
    if set(row.of) & set(key):
        absent = np.where(np.isin(row.of, key), CODES["missing"], 0)
        codes = graph.add("Add", codes, _coded(graph, graph.add("Not", row.there), absent))
    return codes


def _coded(graph: Graph, said: str, code: int | np.ndarray) -> str:
    """int32: a code where that is said, else 0."""
    return graph.add("Mul", graph.cast(said, np.int32), graph.constant(code, np.int32))


def _thin_band(graph: Graph, cleaner: Cleaner, row: Numbers) -> str:
    """(n, p) bool: ages in a band that few training patients were of; "" where there is no such band."""
    inside = ""
    for name in [each for each in row.of if each in cleaner.groups]:
        for low, high in _thin(cleaner, name):
            ends = [np.where(np.array(row.of) == name, end, np.nan) for end in (low, high)]   # NaN: never inside
            band = graph.add("GreaterOrEqual", row.x, graph.constant(ends[0]))
            if np.isfinite(high):
                band = graph.add("And", band, graph.add("Less", row.x, graph.constant(ends[1])))
            inside = graph.add("Or", inside, band) if inside else band
    return inside


def _thin(cleaner: Cleaner, name: str) -> list[tuple[float, float]]:
    """From which age to which one few training patients were."""
    import pandas as pd

    starts = [-np.inf, *map(float, AGE_BANDS)]
    inside = [AGE_BANDS[0] - 1.0, *map(float, AGE_BANDS)]  # one age in each band
    frame = pd.DataFrame({each: inside if each == name else np.full(len(inside), np.nan) for each in cleaner.kinds})
    odd = [name in columns for columns in cleaner.few(frame)]
    found: list[tuple[float, float]] = []
    for low, high, thin in zip(starts, [*starts[1:], np.inf], odd, strict=True):
        if thin and found and found[-1][1] == low:
            found[-1] = (found[-1][0], high)
        elif thin:
            found.append((low, high))
    return found


def with_odd_together(graph: Graph, cleaner: Cleaner, row: Numbers | None, reasons: str) -> tuple[str, str]:
    """Codes (n, columns) with those of the columns that are unlike the training rows together where no other reason is,
    and (n, 1) bool, whether there is any: the arithmetic of medml.recipe.together.Together.odd."""
    usual = cleaner.together
    silent = graph.add("Greater", graph.add("ReduceMax", reasons, axes=[1], keepdims=1), graph.constant(0, np.int32))
    if usual is None or row is None:
        return reasons, silent
    away = graph.add("Sub", _asinh(graph, _in_spreads(graph, usual, row)), graph.constant(usual.centre))
    whitened = graph.add("MatMul", away, graph.constant(usual.whiten.T))
    far = graph.add("Greater", graph.add("ReduceL2", whitened, axes=[1], keepdims=1), graph.constant(usual.limit))
    share = graph.add("Mul", away, graph.add("MatMul", whitened, graph.constant(usual.whiten)))
    least = graph.add("ReduceMin", graph.largest(share, min(NAMED, len(usual.columns))), axes=[1], keepdims=1)
    alone = graph.add("And", far, graph.add("Not", silent))
    named = graph.add("And", alone, graph.add("GreaterOrEqual", share, least))   # (n, p)
    places = np.array([[CODES["together"] * (name == each) for each in cleaner.kinds] for name in usual.columns])
    codes = graph.add("MatMul", graph.cast(named, np.int32), graph.constant(places, np.int32))
    return graph.add("Add", reasons, codes), graph.add("Or", silent, far)


def _in_spreads(graph: Graph, usual: Together, row: Numbers) -> str:
    """(n, columns of `usual`): how far from the middle, in spreads; 0 where nothing is recorded."""
    at = [row.of.index(name) for name in usual.columns]
    middle, scale = np.zeros(len(row.of)), np.ones(len(row.of))
    middle[at], scale[at] = usual.middle, usual.scale
    away = graph.add("Div", graph.add("Sub", row.x, graph.constant(middle)), graph.constant(scale))
    known = graph.add("Where", row.there, away, graph.constant(0.0))
    return known if at == list(range(len(row.of))) else graph.gather(known, at)


def _asinh(graph: Graph, z: str) -> str:
    """sign(z) log(|z| + sqrt(z z + 1)); the operation Asinh itself knows no float64 in onnxruntime."""
    size = graph.add("Abs", z)
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", z, z), graph.constant(1.0)))
    return graph.add("Mul", graph.add("Sign", z), graph.add("Log", graph.add("Add", size, root)))
