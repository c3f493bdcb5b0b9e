"""Predictions made ready for measuring: one sample a repeat, with folds, decisions and patients as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medml.cases import Fold, Predictions
from medml.evaluate.thresholds import Chooser, cross_fitted, youden
from medml.types import Task


@dataclass(frozen=True, slots=True)
class Sample:
    """One repeat's predictions.

    rows     (m,) positions into the predictions;  y (m,);  p (m, n_classes) or (m,) for a number
    fold     (m,) the fold whose model predicted the row; ranks are compared within a fold only
    decided  (m,) class decided for; (m,) zeros for a number
    """

    rows: np.ndarray
    y: np.ndarray
    p: np.ndarray
    fold: np.ndarray
    decided: np.ndarray

    def score(self, which: int) -> np.ndarray:
        """(m,) the score by which cases are ranked for one class.

        Where every fold says the same of everybody (a prevalence baseline, a model shrunk to nothing), nobody is
        ranked: the differences between the folds' constants run against the outcome and would give an AUROC below 0.5.
        """
        values = self.p[:, which]
        for number in np.unique(self.fold):
            inside = values[self.fold == number]
            if inside.size and np.ptp(inside) > 1e-12:
                return values
        return np.zeros_like(values)


@dataclass(frozen=True, slots=True)
class Scored:
    """All repeats of one model.

    patient   (n,) 0 .. n_patients - 1
    """

    samples: list[Sample]
    patient: np.ndarray
    n_patients: int
    task: Task
    n_classes: int
    measured: np.ndarray  # (n,) bool: predicted in at least one repeat

    @property
    def n_folds(self) -> int:
        """Folds of a repeat; 1 where the predictions come from one model that these cases had no part in."""
        return max(len(np.unique(each.fold)) for each in self.samples)

    @property
    def n_cases(self) -> int:
        return int(self.measured.sum())


def score(predictions: Predictions, folds: Sequence[Fold] = (), *, threshold: float | None = None,
          seed: int = 0, choose: Chooser = youden) -> Scored:
    """Make predictions ready for measuring.

    folds      of all repeats, positions into the predictions; without them every repeat counts as one fold
    threshold  decides (two classes); None: in every fold the threshold is the one that `choose` takes on the other
               folds (the best by Youden), so no decision is judged on rows that chose it
    raises     ValueError if nothing was predicted at all
    """
    p = np.asarray(predictions.p, dtype=float)
    seen = np.isfinite(p).all(axis=2) if p.ndim == 3 else np.isfinite(p)
    measured = seen.any(axis=0)
    if not measured.any():
        raise ValueError("predictions hold no figure at all; expected at least one row in one repeat")
    patient = np.zeros(len(predictions.y), dtype=np.int64)
    names, patient[measured] = np.unique(predictions.patients[measured], return_inverse=True)
    samples = [_sample(predictions, p[repeat], np.flatnonzero(seen[repeat]), _fold_of(folds, repeat, len(patient)),
                       patient, threshold, seed + repeat, choose) for repeat in range(len(p)) if seen[repeat].any()]
    return Scored(samples, patient, len(names), predictions.task, len(predictions.classes), measured)


def _fold_of(folds: Sequence[Fold], repeat: int, n: int) -> np.ndarray:
    fold = np.zeros(n, dtype=np.int64)
    for each in folds:
        if each.repeat == repeat:
            fold[each.test] = each.number
    return fold


def _sample(predictions: Predictions, p: np.ndarray, rows: np.ndarray, fold: np.ndarray, patient: np.ndarray,
            threshold: float | None, seed: int, choose: Chooser) -> Sample:
    y, p, fold = predictions.y[rows], p[rows], fold[rows]
    if predictions.task == "regression":
        decided = np.zeros(len(rows), dtype=np.int64)
    elif predictions.task == "multiclass":
        decided = p.argmax(axis=1)
    elif threshold is not None:
        decided = (p[:, 1] >= threshold).astype(np.int64)
    else:
        decided = (p[:, 1] >= cross_fitted(y, p[:, 1], fold, patient[rows], seed=seed,
                                            choose=choose)).astype(np.int64)
    return Sample(rows, y, p, fold, decided)
