"""Values that stand for "missing" without saying so: -999, "?", a glucose of 0."""

from __future__ import annotations

import numpy as np
import polars as pl

from medml.data.missing import SENTINEL_NUMBERS, numeric_sentinels
from medml.profile.names import COUNT_WORDS, NEVER_ZERO, is_age, says

ENOUGH = 5  # copies of a value that are told apart here: numeric_sentinels asks for "at least 2" and "at least 5"
FAR = 0.1  # a gap between 0 and everything else, as a share of the median
SMALLEST_MEDIAN = 15.0  # below it a 0 lies beside the other values, as in counts


def stand_for_missing(name: str, numbers: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Which numbers stand for "missing".

    numbers  (n,) float64 distinct values, NaN for what is none;   counts  (n,) int64 rows of each
    returns  (n,) bool
    """
    known = np.isfinite(numbers)
    marked = np.isin(numbers, SENTINEL_NUMBERS)
    if marked.any():
        copies = np.repeat(numbers[known], np.minimum(counts[known], ENOUGH))
        negative = marked & (numbers < 0)
        marked = np.isin(numbers, list(numeric_sentinels(pl.Series("value", copies, dtype=pl.Float64))))
        if np.count_nonzero(known) == 2 and (numbers[known & ~negative] > 0).any():
            marked |= negative & (counts > 1)  # one true value beside -9: too few values to compare ranges
    if zero_is_missing(name, numbers[known & ~marked], counts[known & ~marked]):
        marked |= numbers == 0
    return marked


def zero_is_missing(name: str, numbers: np.ndarray, counts: np.ndarray) -> bool:
    """True where 0 cannot have been measured: by the name (glucose, BMI), or because it lies far from all the rest.

    By the values: fewer than half of the rows are 0, the smallest other value is above a tenth of the median and the
    median is at least 15, so that counts and scores keep their zeros.
    """
    others = numbers != 0
    if others.all() or not others.any() or (numbers < 0).any() or is_age(name) or says(name, COUNT_WORDS):
        return False
    order = np.argsort(numbers[others])
    rest, rows = numbers[others][order], counts[others][order]
    if len(rest) < 5:
        return False  # a code, not a measurement
    median = float(rest[np.searchsorted(np.cumsum(rows), rows.sum() / 2)])
    gap = float(rest[0]) > FAR * median
    if says(name, NEVER_ZERO):
        return gap
    few = counts[~others].sum() < rows.sum()
    return bool(gap and few and median >= SMALLEST_MEDIAN and len(rest) > 10)


def text_of(value: float) -> str:
    """A number as a person writes it: -999.0 -> "-999"."""
    return f"{value:.15g}"
