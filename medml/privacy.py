"""What may be stored or sent on: no group of patients below k, no exact extreme, no age of 90 and over.

Sources: CMS cell size suppression policy (no cell of 1-10, nor what lets one be derived); HIPAA Safe Harbor
45 CFR 164.514(b)(2)(i)(C) (ages over 89 in one group).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from medml.types import SMALL_GROUP, Level

LOW, HIGH = 0.05, 0.95
OLDEST = 90.0  # years; this age and over is one group, written 90+


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Levels that may be named, most frequent first, and how much is behind those that may not."""

    levels: list[Level]
    hidden_levels: int
    hidden_rows: int


@dataclass(frozen=True, slots=True)
class Range:
    """5th percentile, median and 95th percentile, 3 significant digits; None where too few values would show."""

    low: float | None = None
    median: float | None = None
    high: float | None = None
    open_high: bool = False  # an age: `high` stands for "90 and over"


def suppress(counts: Iterable[tuple[str, int]], k: int = SMALL_GROUP) -> Suppressed:
    """Name the levels held by at least k rows, and hide what would reveal the others by difference.

    counts  (label, rows) pairs; rows > 0
    returns levels of >= k rows; where the hidden ones together hold fewer than k rows, or only one is hidden (the
            total of the column is known, so its size would be too), the smallest shown ones are hidden with them
    """
    ordered = sorted(counts, key=lambda each: (-each[1], each[0]))
    shown = [each for each in ordered if each[1] >= k]
    hidden = [each for each in ordered if each[1] < k]
    while hidden and shown and (len(hidden) < 2 or sum(n for _, n in hidden) < k):
        hidden.append(shown.pop())
    return Suppressed([Level(label=label, n=n) for label, n in shown], len(hidden), sum(n for _, n in hidden))


def round_3(value: float) -> float:
    """The value to 3 significant digits: 0.0123456 -> 0.0123, 318.4 -> 318, 12345 -> 12300."""
    if value == 0 or not math.isfinite(value):
        return float(value)
    return float(f"{value:.2e}")


def quantile(values: np.ndarray, counts: np.ndarray, q: float) -> float:
    """The q-quantile of values that occur counts times each, interpolated as numpy.quantile's "linear" does.

    values  (n,) float64, sorted, no NaN;   counts  (n,) int, > 0;   q  0-1
    """
    last = np.cumsum(counts) - 1  # position of the last copy of each value among all sorted copies
    place = q * last[-1]
    below, above = (values[np.searchsorted(last, step(place))] for step in (math.floor, math.ceil))
    return float(below + (above - below) * (place - math.floor(place)))


def robust_range(values: np.ndarray, counts: np.ndarray | None = None, *, k: int = SMALL_GROUP,
                 age: bool = False) -> Range:
    """5th percentile, median and 95th percentile of a column, rounded so that no cell of it can be read off.

    values  (n,) float64, NaN is left out;   counts  (n,) int, how often each occurs (once if None)
    k       fewer than 2k values: nothing is shown, because the percentiles would lie on the extremes
    age     years: 90 and over is shown as 90 with `open_high`
    """
    counts = np.ones(len(values), dtype=np.int64) if counts is None else counts
    known = np.isfinite(values) & (counts > 0)
    if int(counts[known].sum()) < 2 * k:
        return Range()
    order = np.argsort(values[known], kind="stable")
    values, counts = values[known][order], counts[known][order]
    low, median, high = (round_3(quantile(values, counts, q)) for q in (LOW, 0.5, HIGH))
    if age and high >= OLDEST:
        return Range(min(low, OLDEST), min(median, OLDEST), OLDEST, open_high=True)
    return Range(low, median, high)
