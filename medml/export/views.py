"""The number columns of a row, each as often as something is asked of it, answered side by side in a few operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from medml.export.graph import Graph

ENDLESS = (-np.inf, np.inf)
LARGEST = float(np.finfo(np.float64).max)


class View(NamedTuple):
    """One question about one column: its value moved to low ... high (both within), or `fill` where it is missing or
    endless; and a code: `outside` where it lay outside, `missing` where it is missing or endless, else 0."""

    column: str
    low: float
    high: float
    fill: float = 0.0
    outside: int = 0
    missing: int = 0
    place: int = -1   # where the value stands in the encoded row, -1: nowhere


@dataclass(frozen=True, slots=True)
class Seen:
    """The answers, (n, len(views)): filled, float64, is never NaN or endless; inside and there, float32, are 1 or 0,
    and inside is 1 only where there is. The code of a view is outside (there - inside) + missing (1 - there), which
    whoever adds codes up can do in the same step."""

    views: list[View]
    filled: str
    inside: str
    there: str


def look(graph: Graph, tensors: list[str], columns: list[str], views: list[View]) -> Seen:
    """tensors  (n, 1) float64 of each of the columns, NaN where missing"""
    given = tensors[0] if len(tensors) == 1 else graph.add("Concat", *tensors, axis=1)
    x = graph.gather(given, [columns.index(each.column) for each in views])
    low, high, fill = (np.clip([getattr(each, end) for each in views], -LARGEST, LARGEST)
                       for end in ("low", "high", "fill"))
    there = graph.add("Less", graph.add("Abs", x), graph.constant(np.inf))   # NaN is not less
    moved = graph.add("Min", graph.add("Max", x, graph.constant(low)), graph.constant(high))
    inside = graph.add("Equal", moved, x)   # NaN and endless are not equal
    return Seen(views, graph.add("Where", there, moved, graph.constant(fill)), graph.cast(inside, np.float32),
                graph.cast(there, np.float32))
