"""One fold's cleaned training rows as a numeric matrix whose columns know where they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medml.steps.step import NUMERIC
from medml.types import Kind, Task

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 100  # what PyImpetus is given at most; its time grows with columns x columns kept
MOST_ROWS = 5_000  # and rows: a predictor that 5,000 patients do not show is not one to rely on
TREES = 60


@dataclass(frozen=True, slots=True)
class Candidates:
    """X (n, p) float64 without NaN; origins: p columns of the table (a mark of missing values has its column's)."""

    X: np.ndarray
    y: np.ndarray
    origins: list[str]
    patients: np.ndarray
    task: Task

    def columns(self, keep: np.ndarray) -> Candidates:
        """The columns at positions `keep`."""
        return Candidates(self.X[:, keep], self.y, [self.origins[at] for at in keep], self.patients, self.task)


def candidates(X: pd.DataFrame, y: np.ndarray, kinds: dict[str, Kind], origin_of: Callable[[str], str],
               patients: np.ndarray | None, task: Task, seed: int) -> Candidates:
    """Numbers as they are; a category as the rank of its frequency, which knows nothing of the outcome.

    Rows come in a random order, MOST_ROWS of them at most, classes in their shares.
    """
    columns = [_number(X[name]) if kinds.get(name, "number") in NUMERIC else _rank(X[name]) for name in X.columns]
    patients = np.arange(len(y)) if patients is None else patients
    rows = _sample(y, task, seed)
    return Candidates(np.column_stack(columns)[rows], y[rows], [origin_of(name) for name in X.columns],
                      patients[rows], task)


def strongest(found: Candidates, seed: int) -> Candidates:
    """The MOST_COLUMNS columns that a forest on these rows uses most; all where there are no more than that."""
    if found.X.shape[1] <= MOST_COLUMNS:
        return found
    weight = forest(found.task, seed).fit(found.X, found.y).feature_importances_
    return found.columns(np.sort(np.argsort(-weight, kind="stable")[:MOST_COLUMNS]))


def forest(task: Task, seed: int):  # noqa: ANN201 - scikit-learn is imported only here
    """A forest whose leaves are too large to learn single patients by heart."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier
    return kind(TREES, min_samples_leaf=5, max_features=0.5 if task == "regression" else "sqrt", random_state=seed,
                n_jobs=1)


def _number(column: pd.Series) -> np.ndarray:
    values = column.to_numpy(float)
    known = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, np.median(known) if len(known) else 0.0)


def _rank(column: pd.Series) -> np.ndarray:
    """0 for the most frequent category, 1 for the next ...; -1 where nothing is recorded."""
    order = {name: rank for rank, name in enumerate(column.value_counts().index)}
    return column.map(order).fillna(-1).to_numpy(float)


def _sample(y: np.ndarray, task: Task, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, 4])
    order = rng.permutation(len(y))
    if len(y) <= MOST_ROWS:
        return order
    if task == "regression":
        return order[:MOST_ROWS]
    share = MOST_ROWS / len(y)
    parts = [order[y[order] == each] for each in np.unique(y)]
    return rng.permutation(np.concatenate([part[:max(10, round(share * len(part)))] for part in parts]))
