"""Splits inside one fold's training rows, by patient: for penalties and for the weights of a vote."""

from __future__ import annotations

import numpy as np

from medml import split
from medml.types import Task


def n_folds(n_cases: int) -> int:
    """How many inner folds pay: 5 where rows are few, fewer where one split already says enough."""
    return 5 if n_cases < 2_000 else 3 if n_cases < 20_000 else 1


def folds(y: np.ndarray, patients: np.ndarray, task: Task, seed: int, *,
          number: int | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs (train, rest) of positions that share no patient, each class spread evenly over the rests, as medml.split
    deals them.

    number  None: by the number of rows; 1 gives one pair with a fifth of the patients as the rest
    A rest never holds the last patient of a class: such a patient stays in every training part.
    """
    number = n_folds(len(y)) if number is None else number
    parts = max(2, 5 if number == 1 else number)
    place = np.where(_alone(y, patients, task), -1, split.deal(y, patients, parts, seed, task))
    pairs = [(np.flatnonzero(place != part), np.flatnonzero(place == part)) for part in range(parts)]
    pairs = [(train, rest) for train, rest in pairs if len(rest) and len(train)]
    return pairs[:1] if number == 1 else pairs


def _alone(y: np.ndarray, patients: np.ndarray, task: Task) -> np.ndarray:
    """(n,) bool: rows of a patient who is the only one with some class."""
    if task == "regression":
        return np.zeros(len(y), dtype=bool)
    holders = np.unique(np.column_stack([y, patients]), axis=0)  # (class, patient), each pair once
    _, first, n = np.unique(holders[:, 0], return_index=True, return_counts=True)
    return np.isin(patients, holders[first[n == 1], 1])
