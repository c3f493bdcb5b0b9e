"""The winner's curse (E3): what the best of several configurations is worth, corrected for having been chosen.

Bootstrap bias corrected cross-validation (Tsamardinos, Machine Learning 2018;107:1895): patients are drawn with
replacement; in every draw the configuration that is best on the patients drawn is judged on those not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medml.cases import Fold, Predictions
from medml.evaluate.intervals import DRAWS, patient_weights, percentiles
from medml.evaluate.metrics import measure_all
from medml.evaluate.scored import score
from medml.evaluate.words import HEADLINE
from medml.types import Metric


def bbc_cv(configurations: Sequence[Predictions], folds: Sequence[Fold], *, seed: int,
           draws: int = DRAWS) -> Metric | None:
    """The headline figure of "try all, take the best", with its interval.

    configurations  out-of-fold predictions of the same cases;  None where too few draws can tell
    raises          ValueError where they are not of the same cases
    """
    scored = [score(each, folds, seed=seed) for each in configurations]
    first = scored[0]
    if any(not np.array_equal(each.measured, first.measured) for each in scored):
        raise ValueError("configurations were judged on different rows; BBC-CV needs the same")
    measures = [measure_all(each) for each in scored]
    name = HEADLINE[first.task]
    judged = []
    for weights in patient_weights(first.patient, first.n_patients, seed=seed, draws=draws):
        inside = np.stack([each(weights)[name] for each in measures])
        outside = np.stack([each((weights == 0).astype(float))[name] for each in measures])
        best = np.where(np.isfinite(inside), inside, -np.inf).argmax(axis=0)
        judged.append(outside[best, np.arange(outside.shape[1])])
    drawn = np.concatenate(judged)
    interval = percentiles(drawn)
    if interval is None:
        return None
    return Metric(value=float(np.nanmean(drawn)), low=interval.low, high=interval.high, n=first.n_cases)
