"""Splits inside one fold's training rows, by patient: for penalties and for the weights of a vote."""

from __future__ import annotations

import numpy as np

from medml.types import Task


def n_folds(n_cases: int) -> int:
    """How many inner folds pay: 5 where rows are few, fewer where one split already says enough."""
    return 5 if n_cases < 2_000 else 3 if n_cases < 20_000 else 1


def folds(y: np.ndarray, patients: np.ndarray, task: Task, seed: int, *,
          number: int | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs (train, rest) of positions that share no patient, each class spread evenly over the rests.

    number  None: by the number of rows; 1 gives one pair with a fifth of the patients as the rest
    A rest never holds the last patient of a class: such a patient stays in every training part.
    """
    number = n_folds(len(y)) if number is None else number
    parts = max(2, 5 if number == 1 else number)
    place = _deal(y, patients, task, parts, seed)
    pairs = [(np.flatnonzero(place != part), np.flatnonzero(place == part)) for part in range(parts)]
    pairs = [(train, rest) for train, rest in pairs if len(rest) and len(train)]
    return pairs[:1] if number == 1 else pairs


def _deal(y: np.ndarray, patients: np.ndarray, task: Task, parts: int, seed: int) -> np.ndarray:
    """(n,) the part of each row: patients are shuffled within their stratum and dealt out like cards; -1 stays."""
    random = np.random.default_rng(seed)
    who, first, back = np.unique(patients, return_index=True, return_inverse=True)
    stratum = _strata(y, first, back, task)
    order = random.permutation(len(who))
    order = order[np.argsort(stratum[order], kind="stable")]
    dealt = np.empty(len(who), dtype=np.int64)
    dealt[order] = np.arange(len(who)) % parts
    if task != "regression":
        for code, n in zip(*np.unique(stratum, return_counts=True), strict=True):
            if n == 1:
                dealt[stratum == code] = -1
    return dealt[back]


def _strata(y: np.ndarray, first: np.ndarray, back: np.ndarray, task: Task) -> np.ndarray:
    """(n_patients,) a patient's rarest class, or the fifth in which the mean of a patient's numbers lies."""
    if task == "regression":
        mean = np.bincount(back, weights=y) / np.bincount(back)
        return np.searchsorted(np.quantile(mean, [0.2, 0.4, 0.6, 0.8]), mean)
    codes, counts = np.unique(y, return_counts=True)
    by_rarity = np.argsort(np.argsort(-counts, kind="stable"))  # the rarest class gets the highest rank
    ranks = by_rarity[np.searchsorted(codes, y)]
    rarest = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(rarest, back, ranks)
    return rarest
