"""How long trainings really took on this machine, beside what was foreseen: the correction of the next estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from medml import home
from medml.types import Manifest, Profile, Recipe, Table, TrainConfig

NEWEST = 5  # trainings of the same family that are looked at
SHORT = 2.0  # seconds: a fold that took no longer is always made a second time (G1)
LONGEST, SHARE = 30.0, 0.10  # else that may take this long at most, in seconds and of the whole training
BOUNDS = (0.3, 10.0)  # a training that was paused for hours says nothing about the next one


@dataclass(frozen=True, slots=True)
class Pace:
    """factor: seconds taken per second foreseen, the median of n_runs earlier trainings (1 where there is none)."""

    factor: float = 1.0
    n_runs: int = 0


def pace(config: TrainConfig, foreseen: Callable[[Table, TrainConfig, Recipe], float]) -> Pace:
    """Compare the newest finished trainings of this family, with or without selection as here, with `foreseen`.

    A run that is damaged, or whose scan is not beside it, is passed over.
    """
    ratios: list[float] = []
    for folder in sorted(_folders(), key=lambda each: each.stat().st_mtime, reverse=True):
        if len(ratios) == NEWEST:
            break
        ratio = _ratio(folder, config, foreseen)
        if ratio is not None:
            ratios.append(ratio)
    if not ratios:
        return Pace()
    return Pace(float(np.clip(np.median(ratios), *BOUNDS)), len(ratios))


def too_long(expected: float, whole: float) -> str:
    """Why a fold is not made a second time (G1); "" if it is.

    expected, whole  seconds that the fold, and the whole training, take
    """
    allowed = max(SHORT, min(LONGEST, SHARE * whole))
    return f"that would take about {expected:.0f} seconds more" if expected > allowed else ""


def _folders() -> list[Path]:
    return [each for each in home.runs_folder().iterdir() if each.is_dir() and not each.name.startswith(".")]


def _ratio(folder: Path, config: TrainConfig, foreseen: Callable[[Table, TrainConfig, Recipe], float]) -> float | None:
    try:
        theirs = home.read_model(folder / "config.json", TrainConfig)
        if theirs.family != config.family or theirs.selection.on != config.selection.on:
            return None
        seconds = home.read_model(folder / "manifest.json", Manifest).seconds
        table = home.read_model(folder / "profile.json", Profile).table(theirs.choice.table)
        return seconds / max(0.1, foreseen(table, theirs, home.read_model(folder / "recipe.json", Recipe)))
    except (OSError, ValidationError, KeyError, ValueError):
        return None
