"""What is kept of an explanation, beside the run that it explains: means over patients, never one of them.

    runs/<run>/explained/<checkpoint>-<what>.json     gone with the run; a later checkpoint has files of its own
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from medml import gallery, home
from medml.explain.units import Unit
from medml.types import Metric, Value


class Weight(Value):
    """How far a column moves the answers: mean |value| over the patients, with its interval."""

    column: str
    output: str
    mean: Metric


class Bin(Value):
    """Patients whose value is alike, at least k of them, and what the column adds to their answers on average."""

    label: str
    n_patients: int
    mean: Metric


class Dependence(Value):
    """What a column adds by its value. hidden: patients in groups too small to be shown."""

    column: str
    output: str
    bins: list[Bin]
    hidden: bool = False


class Overall(Value):
    """A model as a whole, from some of the patients it was trained on. Means and intervals, groups of k and more.

    base  answer when nothing is known, an output each, in `unit`;   against  what that means
    """

    version: Literal[1] = 1
    run: str
    checkpoint: int
    unit: Unit
    against: str
    outputs: list[str]
    base: list[float]
    n_cases: int
    n_patients: int
    weights: list[Weight]  # output after output, the heaviest column first
    dependence: list[Dependence]

    def of(self, output: str) -> list[Weight]:
        """The columns of one output, the heaviest first."""
        return [each for each in self.weights if each.output == output]


class Costly(Value):
    """A predictor that may not be there when it is needed, and why."""

    column: str
    why: Literal["late", "costly", "burdensome"]


class Without(Value):
    """What it costs to do without some predictors: the same family and folds, trained once more.

    figure  the headline: auroc of classes, r2 of a number;   difference  without minus with, same patients and draws
    """

    version: Literal[1] = 1
    run: str
    checkpoint: int
    left_out: list[Costly]
    figure: str
    with_all: Metric
    without: Metric
    difference: Metric


class Step(Value):
    """One row of a bedside score: patients with `label` get so many points."""

    label: str
    points: int


class Rule(Value):
    """A predictor of the score with the points of its steps; the fewest are 0."""

    column: str
    steps: list[Step]


class Risk(Value):
    """What so many points in all stand for, 0-1."""

    points: int
    predicted: float


class BedsideScore(Value):
    """An integer score in place of the model, and what that costs: both judged out of fold, on the same folds.

    event           what its probability is of: "“died” is yes";   of  of several classes the one it speaks for
    figures, model  auroc, brier and the calibration line of either;   difference  score minus model, same draws
    """

    version: Literal[1] = 1
    run: str
    checkpoint: int
    event: str
    of: str = ""
    rules: list[Rule]
    risks: list[Risk]
    n_cases: int
    n_patients: int
    figures: dict[str, Metric]
    model: dict[str, Metric]
    difference: dict[str, Metric]


Kept = TypeVar("Kept", Overall, Without, BedsideScore)
NAMES: dict[type, str] = {Overall: "overall", Without: "without", BedsideScore: "score"}


def keep(opened: gallery.Run, value: Overall | Without | BedsideScore) -> None:
    """Put it beside the run, in place of an earlier one of its kind. UserError if the run is gone."""
    with gallery.changing(opened.run) as folder:
        home.write_model(home.ensure(folder / "explained") / _name(value.checkpoint, type(value)), value)


def read(opened: gallery.Run, kind: type[Kept]) -> Kept | None:
    """What is kept for the current checkpoint; None where there is nothing, or nothing that can be read."""
    try:
        return home.read_model(opened.folder / "explained" / _name(opened.chain.current, kind), kind)
    except (FileNotFoundError, ValidationError):
        return None


def _name(checkpoint: int, kind: type) -> Path:
    return Path(f"{checkpoint}-{NAMES[kind]}.json")
