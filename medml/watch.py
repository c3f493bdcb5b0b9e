"""How long work speaks and listens: progress, points of a curve, stop. One protocol for screens, terminal and tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from medml.types import Point


class Watch(Protocol):
    """Handed to everything that takes longer than a second."""

    def say(self, stage: str, fraction: float, message: str = "") -> None:
        """Progress of the whole job: stage is one plain word, fraction 0-1 and never smaller than the last one."""

    def point(self, point: Point) -> None:
        """One point of a live curve."""

    def stopping(self) -> bool:
        """True once somebody asked to stop; asked at least once a round. Keep the best so far and return."""

    def safe_point(self) -> None:
        """Called where all that was learned is put aside, or is by whoever catches it; raises Paused where somebody
        asked to pause."""

    def fence(self) -> None:
        """Called just before a result appears; returns only while this attempt is still the one that may publish."""


class Silent:
    """A Watch that says nothing and never stops; the default for notebooks and tests."""

    def say(self, stage: str, fraction: float, message: str = "") -> None:
        """Ignore it."""

    def point(self, point: Point) -> None:
        """Ignore it."""

    def stopping(self) -> bool:
        return False

    def safe_point(self) -> None:
        """Nobody pauses it."""

    def fence(self) -> None:
        """Nobody else works on it."""


class Quiet(Silent):
    """Says nothing of its own, and stops when the whole job does: for a fit whose caller counts the progress."""

    def __init__(self, whole: Watch) -> None:
        self.whole = whole

    def stopping(self) -> bool:
        return self.whole.stopping()


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a longer job without a curve: its fractions are moved into [low, high] of the whole."""

    whole: Watch
    low: float
    high: float

    def say(self, stage: str, fraction: float, message: str = "") -> None:
        self.whole.say(stage, self.low + (self.high - self.low) * fraction, message)

    def point(self, point: Point) -> None:
        """There is no curve."""

    def stopping(self) -> bool:
        return self.whole.stopping()

    def safe_point(self) -> None:
        self.whole.safe_point()

    def fence(self) -> None:
        self.whole.fence()


def _nobody() -> None:
    """Nobody asks."""


_asks: ContextVar[Callable[[], None]] = ContextVar("asks", default=_nobody)


def breathe() -> None:
    """Called every second or so by work that is given no watch: drawing intervals, checks, files of a run. Raises
    Paused where whoever began it wants it ended now."""
    _asks.get()()


@contextlib.contextmanager
def asking(ask: Callable[[], None]) -> Iterator[None]:
    """Let `breathe` call this, in this thread, as long as it lasts."""
    before = _asks.set(ask)
    try:
        yield
    finally:
        _asks.reset(before)


class Rounds(Protocol):
    """What a family calls after each round of one fit (an epoch, a batch of trees, a member of a vote).

    round_done  total rounds done in this model so far; total  rounds that this fit aims at
    predict     a closure that gives probabilities (n, n_classes) or numbers (n,) for an encoded matrix; the trainer
                calls it on rows that the family never sees, so that out-of-fold figures cannot leak into a fit
    returns     True to go on, False to stop after this round
    asked       may be there beside the call: whether somebody asked to stop, to be looked at within a long round
    """

    def __call__(self, round_done: int, total: int, train: float | None,
                 predict: Callable[[np.ndarray], np.ndarray] | None, unit: str = "loss") -> bool: ...


def no_rounds(round_done: int, total: int, train: float | None,
              predict: Callable[[np.ndarray], np.ndarray] | None, unit: str = "loss") -> bool:
    """A Rounds that never stops."""
    return True
