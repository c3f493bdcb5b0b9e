"""How the members of a vote are weighed and calibrated, from predictions for rows that they had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FLOOR = 0.002  # a vote of 500 trees that all agree is not certainty
# How many rows of evidence stand for "all members alike" and for "as well calibrated as they come". Chosen on other
# sets than those of bench/auto.py (cardiotocography, hypothyroid, maternal health, SUPPORT2): 0.888 v. 0.884 for a
# plain average, log-loss 0.348 v. 0.373
HOLD_WEIGHTS, HOLD_LINE = 1.0, 10.0

Members = list[np.ndarray]  # one a member: (n, n_classes) probabilities, or (n,) numbers


@dataclass(frozen=True, slots=True)
class Stack:
    """Weights that sum to 1, then a straight line: on the log of probabilities, or on numbers.

    Classes: the weighted mean p becomes softmax(slope * log p_c + offset_c), which for two classes is Platt's scaling
    (Platt 1999), for several vector scaling with one slope (Guo et al. 2017). Numbers: slope * y + offset.
    """

    weights: np.ndarray  # (n_members,)
    slope: float
    offset: np.ndarray  # (n_classes,), or (1,)

    def __call__(self, members: Members) -> np.ndarray:
        """The vote's prediction, in the shape of a member's."""
        mixed = sum(weight * p for weight, p in zip(self.weights, members, strict=True))
        if mixed.ndim == 1:
            return self.slope * mixed + self.offset[0]
        scores = self.slope * np.log(np.clip(mixed, FLOOR, 1.0)) + self.offset
        p = np.where(mixed > 0, np.exp(scores - scores.max(axis=1, keepdims=True)), 0.0)
        return p / p.sum(axis=1, keepdims=True)


def equal(members: Members) -> Stack:
    """Every member counts the same, nothing is recalibrated."""
    n_outputs = 1 if members[0].ndim == 1 else members[0].shape[1]
    return Stack(np.full(len(members), 1.0 / len(members)), 1.0, np.zeros(n_outputs))


def fit(members: Members, y: np.ndarray, *, hold_weights: float = HOLD_WEIGHTS, hold_line: float = HOLD_LINE) -> Stack:
    """Weights and line with the smallest loss on out-of-fold predictions, held back towards `equal`.

    The penalty on the logarithms of weights and slope and on the offsets is worth `hold_...` rows of evidence: few
    rows leave the plain average nearly as it is, many let the better members speak.
    """
    from scipy.optimize import minimize

    cost = _numbers_cost(members, y) if members[0].ndim == 1 else _classes_cost(members, y)
    n_members, plain = len(members), equal(members)

    def objective(free: np.ndarray) -> float:
        held = hold_weights * np.sum(free[:n_members] ** 2) + hold_line * np.sum(free[n_members:] ** 2)
        return cost(_stack_of(free, n_members)) + held / (2 * len(y))
    found = minimize(objective, np.zeros(n_members + 1 + len(plain.offset)), method="L-BFGS-B",
                     bounds=[(-4, 4)] * n_members + [(-2, 2)] * (1 + len(plain.offset)))
    return _in_units(_stack_of(found.x, n_members), members, y)


def _stack_of(free: np.ndarray, n_members: int) -> Stack:
    weights = np.exp(free[:n_members] - free[:n_members].max())
    return Stack(weights / weights.sum(), float(np.exp(free[n_members])), free[n_members + 1:])


def _classes_cost(members: Members, y: np.ndarray):
    rows = np.arange(len(y))
    return lambda stack: float(-np.mean(np.log(np.clip(stack(members)[rows, y], 1e-15, 1.0))))


def _numbers_cost(members: Members, y: np.ndarray):
    """Squared error in units of the plain average's, halved: a normal error's log-likelihood, as `hold_` assumes."""
    plain = float(np.mean((y - np.mean(members, axis=0)) ** 2)) or 1.0
    middle, spread = y.mean(), y.std() or 1.0
    scaled = [(p - middle) / spread for p in members]
    return lambda stack: float(np.mean((y - middle - spread * stack(scaled)) ** 2)) / (2 * plain)


def _in_units(stack: Stack, members: Members, y: np.ndarray) -> Stack:
    """A line learned on standardised numbers, in the outcome's own unit."""
    if members[0].ndim > 1:
        return stack
    middle, spread = float(y.mean()), float(y.std()) or 1.0
    return Stack(stack.weights, stack.slope, middle + spread * stack.offset - stack.slope * middle)


def gain(members: Members, more: np.ndarray, y: np.ndarray, place: np.ndarray) -> float:
    """By how many standard errors one more member lowers the loss, each inner part judged by weights of the others.

    place  (n,) the inner part of each row: nested, so the weights never saw the rows that judge them
    """
    fewer, wider = np.zeros(len(y)), np.zeros(len(y))
    for part in np.unique(place):
        learn, judge = place != part, place == part
        for losses, found in ((fewer, members), (wider, [*members, more])):
            stack = fit([p[learn] for p in found], y[learn])
            losses[judge] = _row_losses(stack([p[judge] for p in found]), y[judge])
    better = fewer - wider
    return float(better.mean() / (better.std(ddof=1) / np.sqrt(len(y)) or 1.0))


def _row_losses(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    if p.ndim == 1:
        return (y - p) ** 2
    return -np.log(np.clip(p[np.arange(len(y)), y], 1e-15, 1.0))
