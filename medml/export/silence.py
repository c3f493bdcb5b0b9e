"""Why a model says nothing about a row, inside the graph: the codes of medml.abstain, column by column (P1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.abstain import WORDS
from medml.export.graph import Graph
from medml.export.views import ENDLESS, Seen, View
from medml.profile.names import AGE_BANDS
from medml.recipe.together import NAMED

if TYPE_CHECKING:
    import pandas as pd

    from medml.recipe import Cleaner
    from medml.recipe.together import Together

EPSILON, HIGHEST = float(np.finfo(np.float32).eps), float(np.arcsinh(np.finfo(np.float32).max))
CODES = {word: place for place, word in enumerate(WORDS, start=1)}  # 0: nothing speaks against an answer


def of_texts(cleaner: Cleaner, frame: pd.DataFrame, name: str, n_texts: int, is_key: bool) -> np.ndarray:
    """(n_texts,) int32: the code of each text of a category; row 0 of the frame is the missing one."""
    found = np.zeros(n_texts, dtype=np.int32)
    for word, odd in (("few", cleaner.few(frame)), ("unseen", cleaner.unseen(frame))):
        found[[row for row in range(n_texts) if name in odd[row]]] = CODES[word]
    if is_key:
        found[0] = CODES["missing"]
    return found


def of_numbers(cleaner: Cleaner, names: list[str], key: list[str]) -> list[View]:
    """What is asked of numbers: whether each is missing or outside what is possible, and for ages of which few training
    patients were, from where on that is so and from where on no more. The codes of a column add up to its own."""
    usual, views = cleaner.together, []
    middle = {} if usual is None else dict(zip(usual.columns, usual.middle, strict=True))
    for name in names:
        low, high = cleaner.far.get(name, ENDLESS)
        views.append(View(name, low, high, middle.get(name, 0.0), CODES["outside"],
                          CODES["missing"] if name in key else 0))
        for start, end in _thin(cleaner, name) if name in cleaner.groups else []:
            start, end = max(start, low), min(end, np.nextafter(high, np.inf))
            if start < end:
                views += [View(name, -np.inf, np.nextafter(start, -np.inf), outside=CODES["few"]),
                          View(name, -np.inf, np.nextafter(end, -np.inf), outside=-CODES["few"])]
    return views


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


def with_odd_together(graph: Graph, cleaner: Cleaner, seen: Seen | None, codes: str) -> tuple[str, str]:
    """Codes (n, columns) float32 -> int32, with those of the columns that are unlike the training rows together where
    no other reason is: the arithmetic of medml.recipe.together.Together.odd, and a veil, (n, 1) float64, NaN where
    there is any code, else 0. Which columns are unlike is asked only where a row may be far away."""
    usual = cleaner.together
    if usual is not None and seen is not None:
        codes = graph.choose(_surely_near(graph, usual, seen),
                             lambda branch: branch.add("Identity", codes),
                             lambda branch: _with_far(branch, cleaner, usual, seen, codes))
    reasons = graph.cast(codes, np.int32)
    veils = graph.constant([0.0] + [np.nan] * len(CODES))   # looked up and added: half of what Where takes
    return reasons, graph.add("Gather", veils, graph.add("ReduceMax", reasons, axes=[1], keepdims=1))


def _first(seen: Seen, usual: Together) -> list[int]:
    """Which view has each of its columns as it is, within limits."""
    first = {view.column: at for at, view in reversed(list(enumerate(seen.views))) if view.outside == CODES["outside"]}
    return [first[name] for name in usual.columns]


def _surely_near(graph: Graph, usual: Together, seen: Seen) -> str:
    """Scalar bool: no row is far away, even if float32 rounds at its worst. All rows' distances together are one
    operation; beyond the limit, as those of many rows are, each row is asked about by itself."""
    middle, p = usual.middle / usual.scale, len(usual.middle)
    scaled = np.zeros((len(seen.views), p))
    scaled[_first(seen, usual), range(p)] = 1 / usual.scale
    spreads = graph.add("Gemm", graph.cast(seen.filled, np.float32), graph.constant(scaled, np.float32),
                        graph.constant(-middle, np.float32))
    whitened = graph.add("Gemm", graph.add("Asinh", spreads), graph.constant(usual.whiten.T, np.float32),
                         graph.constant(-usual.whiten @ usual.centre, np.float32))
    most = (p + 4) * (HIGHEST + np.abs(usual.centre)) + 4 * np.abs(middle)
    slack = EPSILON * (np.linalg.norm(np.abs(usual.whiten) @ most) + usual.limit)
    return graph.add("LessOrEqual", graph.add("ReduceL2", whitened, keepdims=0),   # what is no number is not less
                     graph.constant(usual.limit - slack, np.float32))


def _with_far(graph: Graph, cleaner: Cleaner, usual: Together, seen: Seen, codes: str) -> str:
    """The codes, and in rows that are far away and have none so far those of the columns that speak most for it: at
    least one, so that whoever has the codes knows which rows are silent."""
    tamed = _asinh(graph, _in_spreads(graph, usual, seen))
    whitened = graph.add("Gemm", tamed, graph.constant(usual.whiten.T), graph.constant(-usual.whiten @ usual.centre))
    share = graph.add("Mul", graph.add("Sub", tamed, graph.constant(usual.centre)),
                      graph.add("MatMul", whitened, graph.constant(usual.whiten)))
    least = graph.add("ReduceMin", graph.largest(share, min(NAMED, len(usual.columns))), axes=[1], keepdims=1)
    far = graph.add("Greater", graph.add("ReduceL2", whitened, axes=[1], keepdims=1), graph.constant(usual.limit))
    clear = graph.add("LessOrEqual", graph.add("ReduceMax", codes, axes=[1], keepdims=1),
                      graph.constant(0.0, np.float32))
    chosen = graph.add("And", graph.add("And", clear, far), graph.add("GreaterOrEqual", share, least))   # (n, p)
    places = np.array([[CODES["together"] * (name == each) for each in cleaner.kinds] for name in usual.columns])
    return graph.add("Add", codes, graph.add("MatMul", graph.cast(chosen, np.float32),
                                             graph.constant(places, np.float32)))


def _in_spreads(graph: Graph, usual: Together, seen: Seen) -> str:
    """(n, columns of `usual`): how far from the middle, in spreads; 0 where nothing is recorded. Beyond its limits,
    where there is another reason anyway, a number counts as on them."""
    values = graph.gather(seen.filled, _first(seen, usual))
    return graph.add("Div", graph.add("Sub", values, graph.constant(usual.middle)), graph.constant(usual.scale))


def _asinh(graph: Graph, z: str) -> str:
    """sign(z) log(|z| + sqrt(z z + 1)); the operation Asinh itself knows no float64 in onnxruntime."""
    size = graph.add("Abs", z)
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", z, z), graph.constant(1.0)))
    return graph.add("Mul", graph.add("Sign", z), graph.add("Log", graph.add("Add", size, root)))
