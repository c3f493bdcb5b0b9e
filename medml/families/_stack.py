"""How the members of a vote are weighed and calibrated, from predictions for rows that they had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FLOOR = 0.002  # a vote of 500 trees that all agree is not certainty


@dataclass(frozen=True, slots=True)
class Stack:
    """Weights that sum to 1, then a straight line: on the log-odds of probabilities, or on numbers.

    Two and more classes: log p_c -> slope * log p_c + offset_c, normalised (Platt 1999, as vector scaling with one
    slope). Numbers: slope * y + offset.
    """

    weights: np.ndarray  # (n_members,)
    slope: float
    offset: np.ndarray  # (n_classes,), or (1,)

    def __call__(self, members: list[np.ndarray]) -> np.ndarray:
        """Members' predictions, each (n, n_classes) or (n,) -> the vote's, same shape."""
        mixed = sum(weight * p for weight, p in zip(self.weights, members, strict=True))
        if mixed.ndim == 1:
            return self.slope * mixed + self.offset[0]
        return _normalised(self.slope * _log(mixed) + self.offset)


def _log(p: np.ndarray) -> np.ndarray:
    return np.log(np.clip(p, FLOOR, 1.0))


def _normalised(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def equal(n_members: int, n_outputs: int) -> Stack:
    """Every member counts the same, nothing is recalibrated."""
    return Stack(np.full(n_members, 1.0 / n_members), 1.0, np.zeros(n_outputs))
