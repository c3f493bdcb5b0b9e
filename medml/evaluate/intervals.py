"""95 % intervals: patients are drawn with replacement, never rows; what cannot be told has no figure at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from medml.types import Metric

DRAWS = 1000  # the least that RIGOUR.md (E2) asks for
CELLS_AT_ONCE = 2_000_000  # weights held in memory at a time: 16 MB, and about ten such arrays while measuring
ENOUGH = 0.9  # share of draws in which a figure must exist, or it is not told
Z = 1.959963984540054

Measured = dict[str, np.ndarray]
Measure = Callable[[np.ndarray], Measured]  # weights (n, draws) -> name -> (draws,) or (points, draws)


class Interval(NamedTuple):
    low: float
    high: float


def patient_weights(patient: np.ndarray, n_patients: int, *, seed: int, draws: int = DRAWS) -> Iterator[np.ndarray]:
    """How often each case is in each bootstrap draw, in pieces of bounded size.

    patient  (n,) 0 .. n_patients - 1
    yields   (n, some draws) float64; rows of one patient are equal; all pieces together hold `draws` columns
    """
    rng = np.random.default_rng(seed)
    at_once = max(1, min(draws, CELLS_AT_ONCE // max(1, len(patient))))
    for start in range(0, draws, at_once):
        drawn = [np.bincount(rng.integers(n_patients, size=n_patients, dtype=np.int32), minlength=n_patients)
                 for _ in range(min(at_once, draws - start))]  # ten times quicker than rng.multinomial
        yield np.stack(drawn, axis=1).astype(float)[patient]


def bootstrap(measure: Measure, patient: np.ndarray, n_patients: int, *, seed: int, draws: int = DRAWS) -> Measured:
    """The figures in every draw: name -> (draws,) or (points, draws). Same seed, same draws: pairs can be compared."""
    pieces = [measure(weights) for weights in patient_weights(patient, n_patients, seed=seed, draws=draws)]
    return {name: np.concatenate([piece[name] for piece in pieces], axis=-1) for name in pieces[0]}


def once(measure: Measure, n: int) -> Measured:
    """The figures themselves, every case counted once: name -> (1,) or (points, 1)."""
    return measure(np.ones((n, 1)))


def percentiles(drawn: np.ndarray) -> Interval | None:
    """2.5th and 97.5th percentile of the draws in which the figure exists; None where too few have it."""
    there = drawn[np.isfinite(drawn)]
    if there.size < ENOUGH * drawn.size or not there.size:
        return None
    low, high = np.percentile(there, [2.5, 97.5])
    return Interval(float(low), float(high))


def metric(value: float, drawn: np.ndarray, n: int) -> Metric:
    """A figure with its interval; without an interval there is no figure either (E2)."""
    interval = percentiles(drawn)
    if interval is None or not np.isfinite(value):
        return Metric(value=None, low=None, high=None, n=n)
    return Metric(value=float(value), low=min(interval.low, float(value)), high=max(interval.high, float(value)), n=n)


def wilson(share: float, n: int) -> Interval:
    """Wilson's score interval for a share of n (JASA 1927;22:209), for the ends where resampling shows no spread."""
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return Interval(float(max(0.0, centre - half)), float(min(1.0, centre + half)))


def delong(y: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """AUROC and its standard error (DeLong, Biometrics 1988;44:837), in the quick form of Sun and Xu (2014).

    y (n,) 0/1, both classes present; score (n,), larger for the outcome; rows are taken as one patient each
    """
    from scipy.stats import rankdata

    positive, negative = score[y == 1], score[y == 0]
    m, n = len(positive), len(negative)
    if not m or not n:
        raise ValueError("DeLong's variance needs both classes")
    together = rankdata(np.concatenate([positive, negative]))
    above = (together[:m] - rankdata(positive)) / n  # share of negatives below each positive
    below = 1 - (together[m:] - rankdata(negative)) / m
    auroc = float(above.mean())
    variance = (above.var(ddof=1) / m if m > 1 else 0.0) + (below.var(ddof=1) / n if n > 1 else 0.0)
    return auroc, float(np.sqrt(variance))
