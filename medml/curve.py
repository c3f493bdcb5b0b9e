"""The Rounds of one fit: a family's rounds become points of a curve and progress of the whole job."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from medml.cases import Cases, Fold
from medml.evaluate import quick_figure
from medml.families import loss
from medml.types import Point
from medml.watch import Watch

MOST_POINTS = 60  # points of a curve a fit; more would be drawn on top of each other


class Curve:
    """Called by a family after each round.

    seen      encoded rows that the fit never sees, with their outcomes: the out-of-fold figures; None: the final model
    rests     whether a pause may come after any round: whoever fits then puts its state aside
    advance   told the share of this fit that is done, so that whoever schedules the fits can speak for the whole job
    from_round, total  where this fit sets out and what it aims at
    diary     a file beside the fit's checkpoint: points of an attempt that was killed are read back, so the history of
              a resumed run is that of an uninterrupted one
    """

    def __init__(self, watch: Watch, fold: Fold | None, *, advance: Callable[[float], None], total: int | None = None,
                 seen: tuple[np.ndarray, np.ndarray] | None = None, from_round: int = 0,
                 diary: Path | None = None, rests: bool = False) -> None:
        self.rests = rests
        self.watch, self.fold, self.advance, self.seen, self.diary = watch, fold, advance, seen, diary
        self.from_round, self.total, self.stopped = from_round, total, False
        self.started = time.monotonic()
        self._last = from_round  # the round of the last point kept
        self._points: dict[tuple[int, str], Point] = {}
        if diary is not None and diary.exists():
            for line in whole_lines(diary):
                with contextlib.suppress(ValidationError):  # of an attempt that wrote on behind half a line
                    self._keep(Point.model_validate_json(line))
            lines = Counter(number for number, _ in self._points)  # a round's, some of which may not have been kept
            self._last = max([from_round, *(each for each, n in lines.items() if n == max(lines.values()))])

    @property
    def points(self) -> list[Point]:
        """In the order of the rounds."""
        return [self._points[key] for key in sorted(self._points)]

    def __call__(self, round_done: int, total: int, train: float | None,
                 predict: Callable[[np.ndarray], np.ndarray] | None, unit: str = "loss") -> bool:
        total = self.total or total
        done, aim = round_done - self.from_round, max(1, total - self.from_round)
        self.advance(min(1.0, done / aim))
        if done == 1 or round_done - self._last >= max(1, aim // MOST_POINTS) or round_done >= total:
            self._last = round_done
            self._add(round_done, train, predict, unit)
        self.stopped = self.watch.stopping()
        if self.rests and not self.stopped:
            self.watch.safe_point()
        return not self.stopped

    def asked(self) -> bool:
        """Whether somebody asked to stop, within a round."""
        self.stopped = self.watch.stopping()
        return self.stopped

    def _add(self, round_done: int, train: float | None, predict: Callable | None, unit: str) -> None:
        names = ("loss", "metric") if predict is not None and self.seen is not None else \
            ("loss" if unit == "loss" else "metric",)
        if all((round_done, name) in self._points for name in names):
            return  # a round done again after a kill: same seed, same numbers
        fold, repeat = (-1, 0) if self.fold is None else (self.fold.number, self.fold.repeat)
        figures: list[tuple[str, float | None, float | None]] = [("loss" if unit == "loss" else "metric", train, None)]
        if predict is not None and self.seen is not None:
            X, y = self.seen
            p = predict(X)
            figures = [("loss", train if unit == "loss" else None, loss(y, p)),
                       ("metric", train if unit != "loss" else None, quick_figure(_task(p), y, p))]
        points = [Point(round=round_done, fold=fold, repeat=repeat, train=mine, out_of_fold=theirs, unit=name,
                        seconds=round(time.monotonic() - self.started, 3)) for name, mine, theirs in figures
                  if (round_done, name) not in self._points]
        for each in points:
            self._keep(each)
            self.watch.point(each)
        if self.diary is not None:
            with self.diary.open("a") as file:
                file.write("".join(each.model_dump_json() + "\n" for each in points))

    def _keep(self, point: Point) -> None:
        self._points.setdefault((point.round, point.unit), point)


def whole_lines(diary: Path) -> list[bytes]:
    """Its lines. What a kill or a full disk left of a last one is cut off, so that the next line begins as one; that
    needs no room."""
    content = diary.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(diary, whole)
    return content[:whole].splitlines()


def _task(p: np.ndarray) -> str:
    """Numbers come as (n,), probabilities as (n, n_classes)."""
    return "regression" if p.ndim == 1 else "classes"


def training_figure(cases: Cases, y: np.ndarray, p: np.ndarray) -> float:
    """The headline figure on rows that were fitted on (E8); NaN where it cannot be told."""
    found = quick_figure(cases.task, y, p)
    return float("nan") if found is None else found
