"""Where to cut a probability: never judged on the rows that chose it, and never a patient's own value."""

from __future__ import annotations

import numpy as np

PARTS = 5  # of a single validation part: each is judged by the threshold of the other four
GRID = np.round(np.arange(101) / 100, 2)
# round numbers, finer towards 0 and 1 for rare outcomes: what is stored says nothing about one patient
LATTICE = np.unique(np.concatenate([GRID[1:-1], np.arange(1, 10) / 1e3, np.arange(1, 10) / 1e4,
                                    1 - np.arange(1, 10) / 1e3, 1 - np.arange(1, 10) / 1e4]).round(4))


def youden(y: np.ndarray, p: np.ndarray) -> float:
    """The threshold with the largest sensitivity + specificity - 1 (Youden, Cancer 1950;3:32), p >= threshold is "yes".

    y  (n,) 0/1;  p (n,) probability of 1
    returns  a round number between 0 and 1, the middle of the best stretch; 0.5 where no threshold beats chance or
             one class is absent
    """
    positive, negative = np.sort(p[y == 1]), np.sort(p[y == 0])
    if not positive.size or not negative.size:
        return 0.5
    sensitivity = 1 - np.searchsorted(positive, LATTICE, side="left") / positive.size
    specificity = np.searchsorted(negative, LATTICE, side="left") / negative.size
    gain = sensitivity + specificity - 1
    if gain.max() <= 1e-9:
        return 0.5
    best = np.flatnonzero(gain >= gain.max() - 1e-9)
    stretch = best[best - best[0] == np.arange(len(best))]  # the first unbroken stretch of equals
    return float(LATTICE[stretch[len(stretch) // 2]])


def cross_fitted(y: np.ndarray, p: np.ndarray, fold: np.ndarray, patient: np.ndarray, *, seed: int) -> np.ndarray:
    """(n,) for every row the Youden threshold of the rows in other folds.

    Under a single fold (a validation part) the patients are dealt into five parts first.
    """
    part = fold
    if len(np.unique(fold)) < 2:
        names, place = np.unique(patient, return_inverse=True)
        part = np.random.default_rng(seed).permutation(len(names))[place] % PARTS
    threshold = np.empty(len(y))
    for number in np.unique(part):
        inside = part == number
        threshold[inside] = youden(y[~inside], p[~inside])
    return threshold
