"""DeLong's interval of an AUROC, and of the difference of two on the same cases (DeLong, Biometrics 1988;44:837).

It takes cases as independent and the models as given: right for a part or data that no model was fitted on, with one
row a patient; out-of-fold figures go by the bootstrap of patients. Ranks make it n log n (Sun and Xu, IEEE Signal
Process Lett 2014;21:1389).
"""

from __future__ import annotations

import math

import numpy as np

from medml.evaluate.intervals import Z
from medml.types import Metric

NOTHING = 1e-15  # a variance that is one of rounding


def covariance(y: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUROC of each of m scores and their (m, m) covariance; ties count a half.

    y (n,) 0/1;  scores (m, n), higher for 1;   raises ValueError with fewer than 2 cases of a class
    """
    from scipy.stats import rankdata

    positive = y == 1
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    if n_pos < 2 or n_neg < 2:
        raise ValueError(f"DeLong needs 2 cases of each class; found {n_pos} and {n_neg}")
    whole = rankdata(scores, axis=1)
    of_pos = (whole[:, positive] - rankdata(scores[:, positive], axis=1)) / n_neg  # placements, (m, n_pos)
    of_neg = 1 - (whole[:, ~positive] - rankdata(scores[:, ~positive], axis=1)) / n_pos
    spread = np.atleast_2d(np.cov(of_pos)) / n_pos + np.atleast_2d(np.cov(of_neg)) / n_neg
    return of_pos.mean(axis=1), spread


def interval(y: np.ndarray, score: np.ndarray) -> Metric:
    """One AUROC with its 95 % interval, within 0-1; no figure with fewer than 2 cases of a class, nor where the classes
    lie wholly apart or all have one score: its variance is then 0, and says nothing."""
    if min(int((y == 1).sum()), int((y != 1).sum())) < 2:
        return Metric(value=None, low=None, high=None, n=len(y))
    auroc, spread = covariance(y, score[None, :])
    return _metric(float(auroc[0]), float(spread[0, 0]), len(y), 0.0)


def difference(y: np.ndarray, score: np.ndarray, other: np.ndarray) -> tuple[Metric, float]:
    """AUROC of one score minus another's on the same cases, with its interval, and the two-sided p of no difference;
    no figure, and 1, where they differ and neither has a variance."""
    auroc, spread = covariance(y, np.stack([score, other]))
    value, variance = float(auroc[0] - auroc[1]), float(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
    if variance <= NOTHING:
        same = Metric(value=0.0, low=0.0, high=0.0, n=len(y))
        return same if abs(value) < 1e-12 else Metric(value=None, low=None, high=None, n=len(y)), 1.0
    return _metric(value, variance, len(y), -1.0), math.erfc(abs(value) / math.sqrt(2 * variance))


def _metric(value: float, variance: float, n: int, least: float) -> Metric:
    if variance <= NOTHING:
        return Metric(value=None, low=None, high=None, n=n)
    half = Z * math.sqrt(variance)
    return Metric(value=value, low=max(least, value - half), high=min(1.0, value + half), n=n)
