"""One column that tells the outcome on its own (RIGOUR.md, L4), seen before any split, on the sample of the scan.

Each column is cut into at most BINS groups (numbers by quantiles, everything else by level, missing cells one of
them); the outcome's rate in each group is learned on one half of the rows and judged on the other, both ways round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 20
LEVELS = 60
FEWEST = 10  # rows of a class, or of a group, below which nothing is said
CHANCE = 1e-3  # a group of one class only is said when chance alone makes one in fewer than 1 of 1000 columns


@dataclass(frozen=True, slots=True)
class Oracle:
    """What one column alone knows of an outcome.

    auroc    0.5-1, out of fold, the mean over classes against the rest;  pure  share of rows, 0-1, in groups of
    >= FEWEST rows that hold one class only and hardly by chance;  explained  share of the errors of always naming the
    most frequent class that naming each group's most frequent class avoids (Goodman and Kruskal's lambda, 1954)
    """

    auroc: float
    pure: float
    explained: float


def group_numbers(values: np.ndarray) -> np.ndarray:
    """Quantile groups 1..BINS of numbers, 0 for NaN; (n,) int64."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), dtype=np.int64)
    cuts = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.where(known, np.searchsorted(cuts, values, side="right") + 1, 0).astype(np.int64)


def group_levels(codes: np.ndarray) -> np.ndarray:
    """Level codes (n,) int64, -1 for missing, as groups: the LEVELS most frequent keep theirs, the rest share one."""
    counts = np.bincount(codes + 1)
    order = np.argsort(-counts, kind="stable")
    group = np.full(len(counts), LEVELS, dtype=np.int64)
    group[order[:LEVELS]] = np.arange(min(LEVELS, len(counts)))
    return group[codes + 1]


def ask(groups: np.ndarray, y: np.ndarray, n_classes: int) -> Oracle | None:
    """What the groups of one column tell of an outcome.

    groups (n,) int64 >= 0;   y (n,) int64 class codes;   None where a class has fewer than FEWEST rows in each half
    """
    half = np.random.default_rng(0).integers(0, 2, len(y))  # not every other row: case, control, case, control ...
    width = int(groups.max()) + 1
    table = np.bincount((half * width + groups) * n_classes + y, minlength=2 * width * n_classes)
    table = table.reshape(2, width, n_classes)
    asked = np.flatnonzero(table.sum(axis=1).min(axis=0) >= FEWEST / 2)
    if len(asked) < 2:
        return None
    auroc = float(np.mean([_auroc(table[1 - side], table[side], c) for side in (0, 1) for c in asked]))
    both = table.sum(axis=0)  # (groups, classes)
    return Oracle(max(auroc, 1 - auroc), _pure(both), _explained(both))


def _auroc(learned: np.ndarray, judged: np.ndarray, c: int) -> float:
    """AUROC of class c against the rest: groups ranked by their rate in one half, counted in the other."""
    prior = learned[:, c].sum() / learned.sum()
    rate = (learned[:, c] + prior) / (learned.sum(axis=1) + 1)
    _, place = np.unique(rate, return_inverse=True)
    yes = np.bincount(place, judged[:, c])
    no = np.bincount(place, judged.sum(axis=1) - judged[:, c])
    below = np.concatenate([[0], np.cumsum(no)[:-1]])
    return float((yes * (below + no / 2)).sum() / (yes.sum() * no.sum()))


def _pure(both: np.ndarray) -> float:
    """Share of rows in groups of one class only, where chance alone would hardly give one."""
    totals, share = both.sum(axis=1), both.sum(axis=0) / both.sum()
    top = both.argmax(axis=1)
    alone = (both.max(axis=1) == totals) & (totals >= FEWEST)
    by_chance = share[top] ** totals * np.count_nonzero(totals)
    return float(totals[alone & (by_chance < CHANCE)].sum() / both.sum())


def _explained(both: np.ndarray) -> float:
    """Goodman and Kruskal's lambda of the outcome given the group, 0-1."""
    n, most = both.sum(), both.sum(axis=0).max()
    return float((both.max(axis=1).sum() - most) / (n - most)) if n > most else 0.0
