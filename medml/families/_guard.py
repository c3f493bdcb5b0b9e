"""What every family of tables refuses, in words that a person can act on, and classes that a fold did not see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medml.cases import FitData
from medml.errors import UserError
from medml.families.family import Family


def accept(family: Family, data: FitData) -> np.ndarray:
    """The matrix as float64 (n, p), if `family` can learn from `data`.

    raises  UserError: wrong task, no columns, too few rows, a cell that is no number, one class only
    """
    refuse_task(family, data)
    X = matrix(data.X)
    if X.shape[1] == 0:
        raise UserError(what="No column is left to learn from.", code="no_columns",
                        fix="Put columns back on the Scan or Configure page.")
    refuse_outcome(data)
    return X


def refuse_task(family: Family, data: FitData) -> None:
    """UserError where this family is not for this kind of outcome."""
    if data.task not in family.tasks:
        raise UserError(what=f"“{family.titled(data.task)}” cannot learn this kind of outcome.",
                        fix="Choose another model on the Configure page.", code="wrong_task", detail=data.task)


def refuse_outcome(data: FitData) -> None:
    """UserError where there is nothing to learn: too few rows, an outcome that is no number, one class only."""
    y = np.asarray(data.y)
    if not len(data.X) == len(y) == len(data.patients):
        raise ValueError(f"{len(data.X)} rows, {len(y)} outcomes and {len(data.patients)} patients do not match")
    if len(y) < 4:
        raise UserError(what=f"Only {len(y)} rows are left to learn from.", code="too_few",
                        fix="Add patients, or leave out the cleanup step that removes rows.")
    if not np.isfinite(y).all():
        raise UserError(what="The outcome has cells that are no number.", code="not_finite",
                        fix="Switch the step “rows without an outcome” on, on the Cleanup page.")
    if len(np.unique(y)) < 2:
        raise UserError(what="Every training row has the same outcome, so there is nothing to learn.",
                        fix="Choose another outcome, or fewer folds.", code="one_class")


def matrix(X: np.ndarray, width: int | None = None) -> np.ndarray:
    """X as float64 (n, p); UserError where it holds something else than finite numbers, or not `width` columns."""
    try:
        found = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(what="A column holds text where the model needs numbers.", code="not_numbers",
                        fix="Scan the table again so that its columns are encoded.") from None
    if found.ndim != 2:
        raise ValueError(f"a matrix (n, p) is needed, found {found.ndim} dimensions")
    if width is not None and found.shape[1] != width:
        raise UserError(what=f"This model was trained on {width} columns and was given {found.shape[1]}.",
                        fix="Use a table with the columns of the training table.", code="wrong_columns")
    if not np.isfinite(found).all():
        raise UserError(what="Some cells are empty or endless where the model needs numbers.", code="not_finite",
                        fix="Switch imputation on, on the Cleanup page.")
    return found


@dataclass(frozen=True, slots=True)
class Labels:
    """Classes that these training rows hold; one that is absent gets probability 0, never an error."""

    present: np.ndarray  # sorted codes
    n_classes: int

    @classmethod
    def of(cls, data: FitData) -> Labels:
        return cls(np.unique(data.y).astype(np.int64), data.n_classes)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Codes 0 .. n_present - 1."""
        return np.searchsorted(self.present, y)

    def spread(self, p: np.ndarray) -> np.ndarray:
        """(n, n_present) -> (n, n_classes), rows summing to 1."""
        wide = np.zeros((len(p), self.n_classes))
        wide[:, self.present] = p
        return wide / wide.sum(axis=1, keepdims=True)


def loss(y: np.ndarray, p: np.ndarray) -> float:
    """Mean log-loss (natural logarithm) of probabilities (n, n_classes), or mean squared error of numbers (n,)."""
    if p.ndim == 1:
        return float(np.mean((y - p) ** 2))
    return float(-np.mean(np.log(np.clip(p[np.arange(len(y)), y], 1e-15, 1.0))))
