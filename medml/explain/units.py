"""In what unit columns add up to an answer, and how an answer is said in it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from medml.types import Task

Unit = Literal["log-odds", "log-ratio", "probability", "outcome"]
NEVER = 1e-12  # a probability below it counts as this much, so that its logarithm can be written
SATURATED = 1e-6  # a probability below it may be one of rounding: families answer in float32
WORDS: dict[Unit, str] = {
    "log-odds": "log-odds (natural logarithm)",
    "log-ratio": "logarithm of the probability against the mean of all classes",
    "probability": "probability (0 to 1)",
    "outcome": "the outcome's own unit",
}


def smooth(task: Task) -> Unit:
    """The unit in which models that are no forest are nearest to adding columns up."""
    return {"binary": "log-odds", "multiclass": "log-ratio", "regression": "outcome"}[task]


def said_in(unit: Unit, p: np.ndarray) -> np.ndarray:
    """Answers of a model, (n, n_classes) or (n,), as (n, n_outputs) in a unit; two classes have one output, the second
    class. A class that the model never saw is left out of a log-ratio's mean and stays at 0."""
    if p.ndim == 1:
        return p[:, None]
    if unit == "probability":
        return p[:, 1:] if p.shape[1] == 2 else p
    logs = np.log(np.clip(p, NEVER, 1.0))
    if unit == "log-odds":
        return logs[:, 1:] - logs[:, :1]
    return centred(logs, (p > 0).any(axis=0))


def read_back(unit: Unit, p: np.ndarray, total: np.ndarray) -> np.ndarray:
    """`said_in`, but for probabilities too near 0 or 1 for their logarithm to be read back: there `total`, (n,
    n_outputs), what base and columns add up to, where it stands for the same probabilities."""
    said = said_in(unit, p)
    if unit not in ("log-odds", "log-ratio"):
        return said
    seen = (p > 0).any(axis=0)
    scores = np.column_stack([np.zeros(len(total)), total]) if unit == "log-odds" else np.where(seen, total, -np.inf)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    same = (np.abs(odds / odds.sum(axis=1, keepdims=True) - p) < SATURATED).all(axis=1)
    far = (p[:, seen] < SATURATED).any(axis=1)
    return np.where((same & far)[:, None], total, said)


def centred(scores: np.ndarray, present: np.ndarray) -> np.ndarray:
    """(n, n_classes) scores less their mean over the classes that are present; 0 for the others."""
    return np.where(present, scores - scores[:, present].mean(axis=1, keepdims=True), 0.0)
