"""Where to cut a probability: never judged on the rows that chose it, and never a patient's own value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from medml.types import GridPoint, UsePlan

Chooser = Callable[[np.ndarray, np.ndarray], float]  # y (n,) 0/1, p (n,) -> a round threshold
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
    sensitivity, specificity = _shares(positive, negative)
    gain = sensitivity + specificity - 1
    return 0.5 if gain.max() <= 1e-9 else _middle(gain)


def least_harm(y: np.ndarray, p: np.ndarray, cost: float) -> float:
    """The threshold with the least harm, where a missed case weighs as much as `cost` false alarms; y, p as above.

    returns  0.5 where one class is absent
    """
    positive, negative = np.sort(p[y == 1]), np.sort(p[y == 0])
    if not positive.size or not negative.size:
        return 0.5
    sensitivity, specificity = _shares(positive, negative)
    return _middle(-(cost * (1 - sensitivity) * positive.size + (1 - specificity) * negative.size) / len(y))


def for_sensitivity(y: np.ndarray, p: np.ndarray, wanted: float) -> float:
    """The highest threshold that still finds a share of at least `wanted` (0-1) of those with the outcome.

    returns  the lowest of the lattice where none does; 0.5 where nobody has the outcome
    """
    positive = np.sort(p[y == 1])
    if not positive.size:
        return 0.5
    sensitivity = 1 - np.searchsorted(positive, LATTICE, side="left") / positive.size
    enough = np.flatnonzero(sensitivity >= wanted - 1e-9)
    return float(LATTICE[enough[-1] if enough.size else 0])


def chooser(plan: UsePlan) -> Chooser:
    """How that plan turns outcomes and probabilities into a threshold."""
    if plan.rule == "sensitivity":
        return lambda y, p: for_sensitivity(y, p, plan.sensitivity)
    if plan.rule == "cost":
        return lambda y, p: least_harm(y, p, plan.cost)
    return youden


def rule_in_words(plan: UsePlan) -> str:
    """The rule as the end of "Chosen on ... as the one with ..."."""
    if plan.rule == "sensitivity":
        return f"the highest one that finds at least {plan.sensitivity:.0%} of those with the outcome"
    if plan.rule == "cost":
        return f"the one with the least harm, where one missed case weighs as much as {plan.cost:g} false alarms"
    return "the one with the largest sum of sensitivity and specificity (Youden)"


def on_grid(points: Sequence[GridPoint], plan: UsePlan) -> GridPoint:
    """The point of a report's 101 that the rule would choose, for a screen: figures there are of these same rows.

    raises  ValueError where there is no point
    """
    n_events = points[0].tp + points[0].fn
    if plan.rule == "sensitivity":
        return max((each for each in points if each.tp >= plan.sensitivity * n_events - 1e-9),
                   key=lambda each: each.threshold)
    if plan.rule == "cost":
        return min(points, key=lambda each: plan.cost * each.fn + each.fp)
    n_others = max(points[0].fp + points[0].tn, 1)
    return max(points, key=lambda each: each.tp / max(n_events, 1) - each.fp / n_others)


def _shares(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sensitivity and specificity at every threshold of the lattice, from sorted probabilities."""
    return (1 - np.searchsorted(positive, LATTICE, side="left") / positive.size,
            np.searchsorted(negative, LATTICE, side="left") / negative.size)


def _middle(gain: np.ndarray) -> float:
    """The middle of the first unbroken stretch of best thresholds."""
    best = np.flatnonzero(gain >= gain.max() - 1e-9)
    stretch = best[best - best[0] == np.arange(len(best))]
    return float(LATTICE[stretch[len(stretch) // 2]])


def parts_of(fold: np.ndarray, patient: np.ndarray, *, seed: int) -> np.ndarray:
    """(n,) the folds, or under a single one (a validation part) five parts of its patients: each is judged by what the
    others chose."""
    if len(np.unique(fold)) > 1:
        return fold
    names, place = np.unique(patient, return_inverse=True)
    return np.random.default_rng(seed).permutation(len(names))[place] % PARTS


def cross_fitted(y: np.ndarray, p: np.ndarray, fold: np.ndarray, patient: np.ndarray, *, seed: int,
                 choose: Chooser = youden) -> np.ndarray:
    """(n,) for every row the threshold that the rows in other folds choose.

    Under a single fold (a validation part) the patients are dealt into five parts first.
    """
    part = parts_of(fold, patient, seed=seed)
    threshold = np.empty(len(y))
    for number in np.unique(part):
        inside = part == number
        threshold[inside] = choose(y[~inside], p[~inside])
    return threshold
