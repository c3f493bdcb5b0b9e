"""Answers put right: whether every answer of a run goes through the map that its evaluation chose (Platt, isotonic).

    runs/<run>/righted/<checkpoint>.json     what somebody decided; none there: answers are as the model gives them

The map rises, so who is called what stays the same: the threshold and the sets of answers go through it as well. The
figures of the report, and those of validations elsewhere, stay those of the model as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from medml import gallery, home
from medml.errors import UserError
from medml.evaluate.recalibrate import applied, rising
from medml.exported import FOLDER as EXPORTS
from medml.types import Report
from medml.value import Value

FOLDER = "righted"
WORDS = {"platt": "a straight line on the log odds (Platt)", "isotonic": "a rising staircase (isotonic)"}
Steps = tuple[np.ndarray, np.ndarray]


class Decision(Value):
    """Whether the answers of one checkpoint are put right, and since when (ISO time, UTC)."""

    version: Literal[1] = 1
    on: bool
    made: str


def possible(report: Report) -> bool:
    """Whether the evaluation chose a map at all: it does where that gained something inside the training part."""
    found = report.recalibration
    return found is not None and found.method != "none" and found.steps is not None


def is_on(run: gallery.Run) -> bool:
    """Whether somebody decided that the answers of the current checkpoint are put right."""
    path = _place(run.folder, run.chain.current)
    return possible(run.report) and path.exists() and home.read_model(path, Decision).on


def decide(run: str, *, on: bool) -> gallery.Run:
    """Keep the decision with the current checkpoint. Files exported before it say other numbers: they are dropped.

    raises  UserError where there is no map that could be switched on
    """
    opened = gallery.open_run(run)
    if on and not possible(opened.report):
        raise UserError(what="There is nothing to put right: no map gained anything inside the training parts.",
                        fix="Use the probabilities as they are; Evaluate shows how well they hold.", code="no_map")
    if on == is_on(opened):
        return opened
    with gallery.changing(run) as folder:
        path = _place(folder, opened.chain.current)
        home.ensure(path.parent)
        home.write_model(path, Decision(on=on, made=datetime.now(UTC).isoformat(timespec="seconds")))
        for stale in (folder / EXPORTS).glob(f"{opened.chain.current}[.-]*"):
            stale.unlink(missing_ok=True)
    return gallery.open_run(run)


def steps_of(run: gallery.Run) -> Steps | None:
    """The map that answers go through; None where they are as the model gives them."""
    return rising(run.report.recalibration.steps) if is_on(run) else None


def put_right(p: np.ndarray, steps: Steps | None) -> np.ndarray:
    """(n, 2) probabilities -> the same put right; anything as it is where there is no map."""
    if steps is None:
        return p
    yes = applied(steps, p[:, 1])
    return np.column_stack([1 - yes, yes])


def as_told(report: Report, steps: Steps | None) -> Report:
    """The report as answers are read by it: threshold, sets and calibration of probabilities that were put right."""
    if steps is None:
        return report
    found, sets = report.recalibration, report.conformal
    levels = [] if sets is None else [each.model_copy(update={"least": _least(each.least, steps)})
                                      for each in sets.levels]
    return report.model_copy(update={
        "threshold": _moved(0.5 if report.threshold is None else report.threshold, steps),
        "calibration": found.curve or report.calibration, "calibration_line": report.calibration_line | found.after,
        "conformal": None if sets is None else sets.model_copy(update={"levels": levels})})


def report_of(run: gallery.Run) -> Report:
    """`as_told` of a run as it stands."""
    return as_told(run.report, steps_of(run))


def said(report: Report, steps: Steps | None) -> str:
    """What must stand beside every answer that was put right; "" for one as the model gives it."""
    return "" if steps is None else f"probability put right by {WORDS[report.recalibration.method]}"


def _least(least: list[float | None], steps: Steps) -> list[float | None]:
    """Least probabilities of either class; the first class has what is left by the second."""
    no, yes = least
    return [None if no is None else 1 - _moved(1 - no, steps), None if yes is None else _moved(yes, steps)]


def _moved(p: float, steps: Steps) -> float:
    return float(applied(steps, np.array([p]))[0])


def _place(folder: Path, checkpoint: int) -> Path:
    return folder / FOLDER / f"{checkpoint}.json"
