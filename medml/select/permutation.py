"""The fallback: how much worse a forest predicts other patients when one column is shuffled."""

from __future__ import annotations

import numpy as np

from medml.select.budget import Budget
from medml.select.candidates import Candidates, forest
from medml.split import inner_holdout

SHUFFLES = 8
CLEAR = 2.0  # standard errors above 0


def shuffled_loss(found: Candidates, seed: int, budget: Budget) -> dict[int, float]:
    """Position -> loss added by shuffling, in standard errors over shuffles; columns that it clearly needs only.

    Trained on 70 % of these rows and judged on other patients among them. A column that the time did not reach has no
    judgement and is kept, with score 0.
    """
    train, judge = inner_holdout(found.y, found.patients, 0.3, seed, found.task)
    model = forest(found.task, seed).fit(found.X[train], found.y[train])
    X, y, rng = found.X[judge], found.y[judge], np.random.default_rng([seed, 5])
    usual = _loss(model, X, y, found)
    scores: dict[int, float] = {}
    for column in range(X.shape[1]):
        if budget.over():
            scores[column] = 0.0
            continue
        added = np.array([_loss(model, _shuffled(X, column, rng), y, found) - usual for _ in range(SHUFFLES)])
        score = added.mean() / max(added.std(ddof=1) / np.sqrt(SHUFFLES), 1e-12)
        if added.mean() > 0 and score > CLEAR:
            scores[column] = float(score)
    return scores


def _shuffled(X: np.ndarray, column: int, rng: np.random.Generator) -> np.ndarray:
    shuffled = X.copy()
    shuffled[:, column] = rng.permutation(X[:, column])
    return shuffled


def _loss(model, X: np.ndarray, y: np.ndarray, found: Candidates) -> float:  # noqa: ANN001 - a scikit-learn forest
    """Log-loss (mean squared error for a number) of the rows."""
    if found.task == "regression":
        return float(np.mean((model.predict(X) - y) ** 2))
    of_class = model.predict_proba(X)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    return float(-np.log(np.clip(of_class, 1e-6, 1)).mean())
