"""What has learned and waits to be judged. Where somebody asks to stop, or to pause, while a training is judged and
saved, that ends within seconds: what was learned is put aside whole, and judged when the job goes on. A stop that came
while it learned asked for the best so far: that is judged to its end.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medml import home
from medml.cases import Fold
from medml.errors import Paused
from medml.fitting import Task
from medml.folds import FittedFold, keep_fold, name_of, read_fold
from medml.pipeline import Pipeline
from medml.types import Point
from medml.watch import Watch, asking

TO_END = 1.5  # seconds that are left to judging and saving after a stop: most are done by then, and a run is kept


@dataclass(frozen=True, slots=True)
class Fits:
    """What the learning of a training ended with.

    seconds     that it took
    taken_up    True where an attempt before had learned it, and was asked to stop while it was judged
    """

    folds: list[FittedFold]
    final: Pipeline
    points: list[Point]
    seconds: float
    taken_up: bool = False


def read(task: Task, folds: list[Fold]) -> Fits | None:
    """What an attempt before had put aside; None where there is nothing whole."""
    place = _place(task)
    if place is None or not (place / home.FITS).exists():
        return None
    rest = json.loads((place / home.FITS).read_text())
    done = [read_fold(place / name_of(each), each, task.config.family) for each in folds]
    return Fits(done, Pipeline.load(place / "final", task.config.family), [Point(**each) for each in rest["points"]],
                rest["seconds"], taken_up=True)


@contextlib.contextmanager
def kept(task: Task, fits: Fits) -> Iterator[None]:
    """Judge and save inside: `watch.breathe`, called there, ends it with Paused soon after a stop that comes now, and
    at once where somebody asks to pause; what was learned is put aside then. Without a job it cannot go on later, and
    is not ended.
    """
    if task.work is None:
        yield
        return
    try:
        with asking(_Asked(task.watch, fits)):
            yield
    except Paused:
        _keep(task, fits)
        raise


class _Asked:
    """Whether it is time to end, asked again and again."""

    def __init__(self, watch: Watch, fits: Fits) -> None:
        self.watch = watch
        # it was stopped as it learned; one that is taken up learned before, and a stop until now came as it was read
        self.keeps_the_best = watch.stopping() and not fits.taken_up
        self.since: float | None = None  # a stop was heard

    def __call__(self) -> None:
        self.watch.safe_point()
        if self.watch.stopping() and not self.keeps_the_best:
            self.since = time.monotonic() if self.since is None else self.since
            if time.monotonic() - self.since >= TO_END:
                raise Paused


def _keep(task: Task, fits: Fits) -> None:
    """Written once; fits.json last, so half of it is never read."""
    place = home.ensure(_place(task))
    if (place / home.FITS).exists():
        return
    for each in fits.folds:
        keep_fold(each, home.ensure(place / name_of(each.fold)))
    fits.final.save(place / "final")
    rest = {"seconds": fits.seconds, "points": [each.model_dump() for each in fits.points]}
    home.write_bytes(place / home.FITS, json.dumps(rest).encode())


def _place(task: Task) -> Path | None:
    return None if task.work is None else task.work / home.UNJUDGED
