"""A hundred patients like these at a threshold, in whole patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medml.evaluate.curves import round_to_sum
from medml.types import GridPoint


@dataclass(frozen=True, slots=True)
class Hundred:
    """found and missed have the outcome; alarmed ("worked up for nothing") and spared do not. They add up to 100."""

    found: int
    missed: int
    alarmed: int
    spared: int


def of_hundred(point: GridPoint) -> Hundred:
    """The confusion matrix at one threshold as shares of 100 patients; ValueError where nobody was counted."""
    counts = np.array([point.tp, point.fn, point.fp, point.tn], dtype=float)
    if counts.sum() <= 0:
        raise ValueError("a point of the grid counts nobody")
    return Hundred(*round_to_sum(100 * counts / counts.sum()))
