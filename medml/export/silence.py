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

    from medml.recipe import Cleaner

CODES = {word: place for place, word in enumerate(WORDS, start=1)}  # 0: nothing speaks against an answer


def of_texts(cleaner: Cleaner, frame: pd.DataFrame, name: str, n_texts: int, is_key: bool) -> np.ndarray:
    """(n_texts,) int32: the code of each text of a category; row 0 of the frame is the missing one."""
    found = np.zeros(n_texts, dtype=np.int32)
    for word, odd in (("few", cleaner.few(frame)), ("unseen", cleaner.unseen(frame))):
        found[[row for row in range(n_texts) if name in odd[row]]] = CODES[word]
    if is_key:
        found[0] = CODES["missing"]
    return found


def of_numbers(graph: Graph, cleaner: Cleaner, x: str, there: str, names: list[str], key: list[str]) -> str:
    """x (n, p) float64, there (n, p) bool -> (n, p) int32 codes."""
    low, high = (np.array([cleaner.far.get(name, (-np.inf, np.inf))[end] for name in names]) for end in (0, 1))
    outside = graph.add("Or", graph.add("Less", x, graph.constant(low)),
                        graph.add("Greater", x, graph.constant(high)))
    absent = graph.constant([CODES["missing"] if name in key else 0 for name in names], np.int32)
    whole = graph.add("Where", outside, graph.constant(CODES["outside"], np.int32), _few(graph, cleaner, x, names))
    return graph.add("Where", there, whole, absent)


def _few(graph: Graph, cleaner: Cleaner, x: str, names: list[str]) -> str:
    """(n, p) int32: the code of an age band that few training patients were of; ages stand between AGE_BANDS."""
    import pandas as pd

    nothing = graph.constant(np.zeros((1, len(names))), np.int32)
    for name in [each for each in names if each in cleaner.groups]:
        inside = [AGE_BANDS[0] - 1.0, *map(float, AGE_BANDS)]  # one age in each band
        frame = pd.DataFrame({each: inside if each == name else np.full(len(inside), np.nan)
                              for each in cleaner.kinds})
        odd = [CODES["few"] if name in columns else 0 for columns in cleaner.few(frame)]
        reached = graph.add("Not", graph.add("Less", graph.gather(x, [names.index(name)]),
                                             graph.constant(np.array(inside[1:]))))   # (n, bands)
        band = graph.add("ReduceSum", graph.cast(reached, np.int64), graph.constant([1], np.int64), keepdims=0)
        code = graph.add("Gather", graph.constant(np.array(odd)[:, None], np.int32), band, axis=0)   # (n, 1)
        mine = graph.constant([[each == name for each in names]], np.bool_)
        nothing = graph.add("Where", mine, code, nothing)
    return nothing


def with_odd_together(graph: Graph, cleaner: Cleaner, x: str, there: str, names: list[str],
                      reasons: str) -> tuple[str, str]:
    """Codes (n, columns) with those of the columns that are unlike the training rows together where no other reason is,
    and (n, 1) bool, whether there is any: the arithmetic of medml.recipe.together.Together.odd."""
    usual = cleaner.together
    silent = graph.add("Greater", graph.add("ReduceMax", reasons, axes=[1], keepdims=1), graph.constant(0, np.int32))
    if usual is None:
        return reasons, silent
    at = [names.index(name) for name in usual.columns]
    known = graph.add("Where", graph.gather(there, at), graph.gather(x, at), graph.constant(usual.middle))
    away = graph.add("Sub", _asinh(graph, graph.add("Div", graph.add("Sub", known, graph.constant(usual.middle)),
                                                    graph.constant(usual.scale))), graph.constant(usual.centre))
    whitened = graph.add("MatMul", away, graph.constant(usual.whiten.T))
    far = graph.add("Greater", graph.add("ReduceL2", whitened, axes=[1], keepdims=1), graph.constant(usual.limit))
    share = graph.add("Mul", away, graph.add("MatMul", whitened, graph.constant(usual.whiten)))
    least = graph.add("ReduceMin", graph.largest(share, min(NAMED, len(at))), axes=[1], keepdims=1)
    alone = graph.add("And", far, graph.add("Not", silent))
    named = graph.add("And", alone, graph.add("Not", graph.add("Less", share, least)))   # (n, p)
    places = np.zeros((len(at), len(cleaner.kinds)), dtype=np.float32)
    places[np.arange(len(at)), [list(cleaner.kinds).index(name) for name in usual.columns]] = CODES["together"]
    more = graph.cast(graph.add("MatMul", graph.cast(named, np.float32), graph.constant(places, np.float32)), np.int32)
    return graph.add("Add", reasons, more), graph.add("Or", silent, far)


def _asinh(graph: Graph, z: str) -> str:
    """sign(z) log(|z| + sqrt(z z + 1)); the operation Asinh itself knows no float64 in onnxruntime."""
    size = graph.add("Abs", z)
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", z, z), graph.constant(1.0)))
    return graph.add("Mul", graph.add("Sign", z), graph.add("Log", graph.add("Add", size, root)))
