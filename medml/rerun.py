"""Make one fold a second time from what was saved, and compare it number for number (G1).

The configuration, the recipe and the split are read back from the run's folder; everything is learned anew. Within a
budget: a fold that takes long is not tried, and the check says so instead of passing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from medml import device, fitting, home, pace, publish, saved_split
from medml.errors import Stopped
from medml.evaluate import Rerun
from medml.folds import FittedFold
from medml.types import Recipe, TrainConfig
from medml.watch import Silent, Watch

PATIENCE = 3.0  # times what it took before: then it is given up


class Deadline(Silent):
    """Stops when the time is up, or when the training itself is asked to; says nothing."""

    def __init__(self, watch: Watch, seconds: float) -> None:
        self.watch, self.until = watch, time.monotonic() + seconds

    def stopping(self) -> bool:
        return time.monotonic() > self.until or self.watch.stopping()


def first_fold(task: fitting.Task, folder: Path, done: list[FittedFold], seconds: float) -> Rerun:
    """Train the first fold anew from the run's folder as it lies on disk.

    seconds  what all folds and the final model took together
    """
    config = home.read_model(folder / "config.json", TrainConfig)
    if config.selection.on:
        return Rerun(why="the choice of predictors has a time limit, so it may end elsewhere")
    first = done[0]
    fold = saved_split.read(folder / "private" / "split.npz").fold(first.fold.repeat, first.fold.number)
    task = replace(task, config=config, recipe=home.read_model(folder / "recipe.json", Recipe))
    return compared(task, first, seconds / (len(done) + 1), seconds,
                    lambda quiet: fitting.again(quiet, fold))


def compared(task: fitting.Task, first: FittedFold, expected: float, whole: float,
             make: Callable[[fitting.Task], np.ndarray]) -> Rerun:
    """Make a fold again if that is short enough, and measure by how much its predictions differ.

    expected, whole  seconds that this fold, and the whole training, took
    """
    why = pace.too_long(expected, whole) or ("somebody asked to stop" if task.stops else "")
    if device.is_given_up():
        why = "the graphics card failed on the way, and the processor rounds differently"
    if why:
        return Rerun(why=why)
    try:
        p = make(replace(task, work=None, watch=Deadline(task.watch, PATIENCE * max(pace.SHORT, expected))))
    except Stopped:
        return Rerun(why="it took longer than the first time")
    scale = 1.0 if p.ndim == 2 else float(np.std(task.cases.y)) or 1.0
    difference = np.abs(p - first.p).max(initial=0.0) / scale if p.shape == first.p.shape else np.inf
    return Rerun(difference=float(difference), n=len(p), device=publish.device_of(first.pipeline))
