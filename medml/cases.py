"""Patients' data on their way through a training: in memory, never written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from medml.types import FlowStep, Kind, Task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Cases:
    """The table after the steps that learn nothing (duplicates, sentinels, text numbers, rows without a target).

    X         DataFrame (n_cases, n_predictors): numbers float64 with NaN, all else object (str) with None
    y         (n_cases,) int64 codes into `classes`, or float64 for a number
    patients  (n_cases,) int64, equal for rows of one patient; row numbers where nobody repeats
    rows      (n_cases,) int64, the row's place in the source table, from 0
    twins     (n_cases,) int64, equal for rows of equal cells and outcome, and for pictures that are the same or nearly
              (L3); None: not looked for yet
    given     (n_cases,) int64, the split that came with the data: 0 train, 1 validation, 2 test; None: none came
    beside    DataFrame (n_cases, ...) of what stands beside a picture (tags, size of its file), which no model sees
              and which must not tell the outcome (L14); None for tables
    aside     DataFrame (n_cases, ...) of columns that figures are told by (subgroups) or that the score in use today is
              made of, as in X; no model sees them. None: none;   subgroups  those of them that make groups
    """

    X: pd.DataFrame
    y: np.ndarray
    patients: np.ndarray
    rows: np.ndarray
    kinds: dict[str, Kind]
    task: Task
    classes: list[str]  # binary: the positive class is last (code 1)
    flow: list[FlowStep] = field(default_factory=list)
    twins: np.ndarray | None = None
    given: np.ndarray | None = None
    beside: pd.DataFrame | None = None
    aside: pd.DataFrame | None = None
    subgroups: tuple[str, ...] = ()

    def take(self, positions: np.ndarray) -> Cases:
        """The cases at these positions, in this order, with the same classes and flow."""
        return replace(self, X=self.X.iloc[positions].reset_index(drop=True), y=self.y[positions],
                       patients=self.patients[positions], rows=self.rows[positions],
                       twins=None if self.twins is None else self.twins[positions],
                       given=None if self.given is None else self.given[positions],
                       beside=None if self.beside is None else self.beside.iloc[positions].reset_index(drop=True),
                       aside=None if self.aside is None else self.aside.iloc[positions].reset_index(drop=True))


@dataclass(frozen=True, slots=True)
class Fold:
    """Positions (not row numbers) into Cases; train and test share no patient."""

    train: np.ndarray
    test: np.ndarray
    repeat: int
    number: int


@dataclass(frozen=True, slots=True)
class FitData:
    """What a family is given: one fold's training rows, cleaned, selected and encoded.

    X         (n, p) float64, no NaN, unscaled, or vision.pixels.Pictures for a family that sees pictures
    y         (n,) as in Cases;   patients  (n,) int64, equal for rows of one patient and for copies
    names     p names of encoded columns; origins  p names of the columns they come from
    """

    X: np.ndarray
    y: np.ndarray
    patients: np.ndarray
    task: Task
    n_classes: int
    names: list[str]
    origins: list[str]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Out-of-fold (or held-out) predictions that an evaluation is made from; in memory, never in a Report.

    y         (n,) as in Cases;   patients (n,) int64
    p         (repeats, n, n_classes) probabilities, or (repeats, n) for a number; NaN where a repeat left a row out
    train     (repeats * folds,) the headline figure on each fold's own training rows (E8)
    """

    y: np.ndarray
    p: np.ndarray
    patients: np.ndarray
    task: Task
    classes: list[str]
    train: np.ndarray
