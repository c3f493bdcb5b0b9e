"""The fallback: how much worse a forest predicts patients it has not seen when one column is shuffled."""

from __future__ import annotations

import numpy as np

from medml.select.budget import Budget
from medml.select.candidates import Candidates, forest
from medml.split import deal

PARTS = 3  # each patient is judged once, by a forest trained on the other two thirds
SHUFFLES = 2
CLEAR = 2.0  # standard errors above 0


def shuffled_loss(found: Candidates, seed: int, budget: Budget) -> dict[int, float]:
    """Position -> loss added by shuffling the column, in standard errors over patients; those clearly needed only.

    A column that the time did not reach has no judgement and is kept, with score 0.
    """
    part = deal(found.y, found.patients, PARTS, seed, found.task)
    models = [forest(found.task, seed).fit(found.X[part != number], found.y[part != number])
              for number in range(PARTS) if not budget.over()]
    usual = _losses(models, found.X, part, found)
    rng, scores = np.random.default_rng([seed, 5]), {}
    for column in range(found.X.shape[1]):
        if budget.over():
            scores[column] = 0.0
            continue
        added = [_losses(models, _shuffled(found.X, column, part, rng), part, found) - usual for _ in range(SHUFFLES)]
        score = _in_standard_errors(np.mean(added, axis=0), found.patients)
        if score > CLEAR:
            scores[column] = score
    return scores


def _in_standard_errors(added: np.ndarray, patients: np.ndarray) -> float:
    """Mean of the patients' means over its standard error; 0 where nothing differs."""
    _, patient = np.unique(patients, return_inverse=True)
    mean = np.bincount(patient, added) / np.bincount(patient)
    error = mean.std(ddof=1) / np.sqrt(len(mean)) if len(mean) > 1 else 0.0
    return float(mean.mean() / error) if error > 0 else 0.0


def _shuffled(X: np.ndarray, column: int, part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """X with one column shuffled among the rows that one forest judges."""
    shuffled = X.copy()
    for number in range(PARTS):
        mine = np.flatnonzero(part == number)
        shuffled[mine, column] = X[rng.permutation(mine), column]
    return shuffled


def _losses(models: list, X: np.ndarray, part: np.ndarray, found: Candidates) -> np.ndarray:
    """(n,) log-loss (squared error for a number) of each row, by the forest that did not see it."""
    losses = np.zeros(len(X))
    for number, model in enumerate(models):
        mine = part == number
        if found.task == "regression":
            losses[mine] = (model.predict(X[mine]) - found.y[mine]) ** 2
            continue
        p = model.predict_proba(X[mine])
        place = np.minimum(np.searchsorted(model.classes_, found.y[mine]), len(model.classes_) - 1)
        right = model.classes_[place] == found.y[mine]
        losses[mine] = -np.log(np.clip(np.where(right, p[np.arange(len(p)), place], 0.0), 1e-6, 1))
    return losses
