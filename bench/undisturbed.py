"""Times of microseconds beside a yardstick: what a call takes where nothing else is at work on the machine.

Two processors that share a core's caches, as those of most hospital laptops and rented machines do, slow each other
down by half or more: the same model in the same process answers in 92 or in 200 us, by what a stranger does meanwhile.
So calls are timed in short blocks between two readings of a fixed piece of work that needs nothing but processor and
caches, and a block counts where both readings were near the fastest that this process has seen.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

CALLS, READINGS = 100, 60   # of one block: of the work, and of the yardstick before it and after it
NEAR = 1.1   # times the fastest reading
ENOUGH, PATIENCE = 10, 300   # blocks that count; blocks after which it is given up

Work = Callable[[], object]


class Taken(NamedTuple):
    """Seconds of one call, the median: of the blocks that count (NaN without any), and of all; and how many blocks."""

    undisturbed: float
    all: float
    counted: int
    blocks: int


class Yardstick:
    """Sums up 40,000 numbers (320 kB, more than a first-level cache holds) out of their order."""

    def __init__(self) -> None:
        chance = np.random.default_rng(0)
        self._order, self._numbers = chance.permutation(40_000), chance.random(40_000)
        self.fastest = min(self.read() for _ in range(100))

    def read(self) -> float:
        """Seconds it took just now."""
        return _median(lambda: self._numbers.take(self._order).sum(), READINGS)

    def time(self, work: Work) -> Taken:
        """Time the work until enough blocks count."""
        _median(work, CALLS)   # the first calls are not counted
        blocks: list[tuple[float, float]] = []   # (slower of the two readings, seconds of a call)
        while len(blocks) < PATIENCE and sum(self._is_near(reading) for reading, _ in blocks) < ENOUGH:
            before, taken, after = self.read(), _median(work, CALLS), self.read()
            self.fastest = min(self.fastest, before, after)
            blocks.append((max(before, after), taken))
        calm = [taken for reading, taken in blocks if self._is_near(reading)]
        return Taken(statistics.median(calm) if calm else float("nan"),
                     statistics.median(taken for _, taken in blocks), len(calm), len(blocks))

    def _is_near(self, reading: float) -> bool:
        return reading <= NEAR * self.fastest


def _median(work: Work, turns: int) -> float:
    taken = []
    for _ in range(turns):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
