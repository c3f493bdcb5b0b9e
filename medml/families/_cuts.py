"""Thresholds that are nobody's value: the shortest decimal strictly between two neighbouring values."""

from __future__ import annotations

import numpy as np

MOST_BINS = 64  # bins a column; more changed no figure on 155-9,000 rows, and each cut tells something
_STEPS = [base * 10.0 ** power for power in range(12, -13, -1) for base in (1.0, 0.5)]


def shortest_between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The roundest number strictly between low and high, also once both are float32; NaN where there is none.

    low, high  (m,) float64, low < high. Steps 10^12, 5 10^11 ... 5 10^-13 are tried from coarse to fine.
    """
    found = np.full(len(low), np.nan)
    low, high = np.float32(low), np.float32(high)
    middle = (low.astype(np.float64) + high.astype(np.float64)) / 2
    for step in _STEPS:
        open_ = np.isnan(found)
        if not open_.any():
            break
        candidate = np.round(middle / step) * step
        candidate = np.round(candidate, 13)  # 3 * 0.1 is 0.30000000000000004
        with np.errstate(over="ignore"):
            single = candidate.astype(np.float32)
        good = open_ & (low < single) & (single < high)
        found[good] = candidate[good]
    return found


def cuts(column: np.ndarray, most: int = MOST_BINS) -> np.ndarray:
    """At most `most` - 1 borders of bins of about equal size for a column (n,); empty where it is constant."""
    values, counts = np.unique(column.astype(np.float32), return_counts=True)
    gaps = np.arange(len(values) - 1)
    if len(values) > most:
        ranks = np.cumsum(counts)[:-1]
        gaps = np.unique(np.searchsorted(ranks, np.arange(1, most) * len(column) / most))
        gaps = gaps[gaps < len(values) - 1]
    borders = shortest_between(values[gaps].astype(np.float64), values[gaps + 1].astype(np.float64))
    return borders[~np.isnan(borders)]


def binned(X: np.ndarray) -> np.ndarray:
    """(n, p) float32 in which every value is replaced by the lower border of its bin.

    XGBoost's histogram method takes its thresholds from the distinct values it is shown: shown borders only, it can
    learn nothing but borders, and the model still reads plain, unbinned rows (x < border splits both alike).
    """
    shown = np.empty(X.shape, dtype=np.float32)
    for j in range(X.shape[1]):
        borders = cuts(X[:, j]).astype(np.float32)
        if not len(borders):
            shown[:, j] = 0.0
            continue
        below = borders[0] - np.float32(1) - abs(borders[0])
        shown[:, j] = np.concatenate([[below], borders])[np.searchsorted(borders, X[:, j].astype(np.float32), "right")]
    return shown


class Nudge:
    """Moves a tree's thresholds off the training values, to where every training row still goes the same way."""

    def __init__(self, X: np.ndarray) -> None:
        self._values = [np.unique(X[:, j].astype(np.float32)) for j in range(X.shape[1])]

    def __call__(self, features: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
        """features (m,) int, negative at leaves; thresholds (m,) float64, rows with x <= threshold go left."""
        moved = thresholds.copy()
        for j in np.unique(features[features >= 0]):
            values, nodes = self._values[j], np.flatnonzero(features == j)
            place = np.searchsorted(values, thresholds[nodes].astype(np.float32))
            hit = (place < len(values) - 1)
            hit[hit] = values[place[hit]] == thresholds[nodes][hit].astype(np.float32)
            if hit.any():
                moved[nodes[hit]] = self._beside(values, thresholds[nodes[hit]])
        return moved

    @staticmethod
    def _beside(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
        above = np.searchsorted(values.astype(np.float64), thresholds, "right")  # the first value that goes right
        inside = (above > 0) & (above < len(values))
        fresh = thresholds.copy()
        fresh[inside] = shortest_between(values[above[inside] - 1].astype(np.float64),
                                         values[above[inside]].astype(np.float64))
        return np.where(np.isnan(fresh), thresholds, fresh)
