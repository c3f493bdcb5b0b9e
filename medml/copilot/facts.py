"""The parts of a Snapshot. Names are shown names (see naming), counts of people are shares, nothing is a cell."""

from __future__ import annotations

from typing import Any, Literal

from medml.types import Kind, Severity, Task
from medml.value import Value

Stage = Literal["home", "scan", "preview", "cleanup", "configure", "train", "evaluate", "explain", "predict"]
STAGES: tuple[Stage, ...] = ("home", "scan", "preview", "cleanup", "configure", "train", "evaluate", "explain",
                             "predict")
Role = Literal["outcome", "patient", "left out", "predictor"]
Shape = Literal["over-learning", "still improving", "level", "never learned", "unknown"]


class Worry(Value):
    """Something about a column that a reviewer would ask, as a code of the scan (leak, row_order ...)."""

    code: str
    severity: Severity
    auroc: float | None = None  # how well the column alone tells the outcome, where the scan measured it


class ColumnFacts(Value):
    """One column. missing is in whole percent; low and high (5th and 95th percentile) only where at least k rows lie
    beyond each of them."""

    name: str
    kind: Kind
    role: Role
    unit: str = ""
    missing: float = 0.0  # percent of the rows, whole; 0.5 where there are gaps in fewer than k rows
    low: float | None = None
    median: float | None = None
    high: float | None = None
    worries: list[Worry] = []
    kept: float | None = None  # share of folds in which the selection kept it, 0-1


class ClassShare(Value):
    """A class of the outcome and its share: "46 %", "fewer than 10", "nearly all"."""

    label: str
    share: str
    pct: float | None = None  # whole; None where the share may not be told


class StepFacts(Value):
    name: str
    title: str
    on: bool


class Setting(Value):
    """One parameter of the chosen family: its value, the usual one here, and between what it may lie."""

    name: str
    title: str
    sentence: str
    value: Any
    usual: Any
    low: float | None = None
    high: float | None = None
    choices: list[str] = []
    zero: str = ""  # what a 0 stands for here, where it is not simply nothing
    zone: str = "usual"
    borders: tuple[float, float] | None = None  # of the usual values, with this table; beyond them cautious, aggressive


class CurveFacts(Value):
    """The live curve, mean over folds. Rounds are counted as the family does (epochs, trees)."""

    rounds: int
    best_round: int
    train_first: float | None = None
    train_last: float | None = None
    unseen_first: float | None = None
    unseen_best: float | None = None
    unseen_last: float | None = None
    shape: Shape = "unknown"


class Figure(Value):
    """A metric with its 95 % interval, and the best plain baseline beside it."""

    name: str
    title: str
    value: float
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    baseline_name: str = ""


class GroupFacts(Value):
    """One group of patients of at least k: how well the model does in it."""

    column: str
    label: str
    share: str
    value: float | None = None
    low: float | None = None
    high: float | None = None


class CheckFacts(Value):
    """A check that asks for something; passed ones are counted only."""

    id: str
    title: str
    verdict: Literal["block", "warn", "could_not_tell", "info"]
    said: str
    fix: str = ""
    figures: dict[str, float] = {}


class ReportFacts(Value):
    """What was found about a finished run."""

    measured_on: str
    headline: str  # name of the figure that speaks
    figures: list[Figure]
    threshold: float | None = None
    calibration: dict[str, Figure] = {}  # slope, intercept, ici
    groups: list[GroupFacts] = []
    checks: list[CheckFacts] = []
    passed: int = 0
    stamps: list[str] = []
    held_out: float | None = None  # the headline figure on the part kept closed, once it was opened
    looks: int = 0
    gain: float | None = None  # net benefit over the better of treating all and nobody
    recalibrated: float | None = None  # ICI after the map that was found
    external: float | None = None  # the headline figure on other patients
    external_name: str = ""
    silent: float | None = None  # share of the judged patients for whom it would give no number
    more: int | None = None  # how many further patients the forecast speaks of
    more_gain: float | None = None

    def figure(self, name: str) -> Figure | None:
        """A metric by its name, or None."""
        return next((each for each in self.figures if each.name == name), None)

    def check(self, name: str) -> CheckFacts | None:
        """A check that asks for something, by its id, or None."""
        return next((each for each in self.checks if each.id == name), None)


class RunFacts(Value):
    """How a model is, or would be, trained."""

    family: str
    title: str
    settings: list[Setting]
    rounds_setting: str | None = None
    by: Literal["patient", "row"] = "row"
    scheme: Literal["cross_validation", "held_out"] = "cross_validation"
    folds: int = 5
    repeats: int = 1
    selection: bool = False
    compared: int = 1
    rule: str = "youden"

    def setting(self, name: str | None) -> Setting | None:
        """A parameter by its name, or None."""
        return next((each for each in self.settings if each.name == name), None)


class Snapshot(Value):
    """All that the co-pilot may read: no cell, no extreme, no group of fewer than k, no name that could be a person.

    rows  of the table (None: fewer than k);   cases  that a model learns from, as the scan or the run counts them
    """

    version: Literal[1] = 1
    stage: Stage
    k: int
    of: Literal["table", "pictures"] = "table"
    rows: int | None
    cases: int | None = None
    patients: int | None = None
    columns: list[ColumnFacts] = []
    target: str | None = None
    task: Task | None = None
    positive: str | None = None
    classes: list[ClassShare] = []
    duplicates: str = "none"
    patient: str | None = None  # the column that tells patients apart
    repeats: bool = False  # whether patients come back
    unread: str = "none"  # share of the folder's files that were refused
    parameters: int | None = None  # about how many numbers a plain model would learn
    steps: list[StepFacts] = []
    run: RunFacts | None = None
    curve: CurveFacts | None = None
    report: ReportFacts | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it tells of no work at all: no project is open, or nothing in its folder could be read."""
        return self.rows is None and not self.columns and self.run is None

    @property
    def predictors(self) -> list[ColumnFacts]:
        return [each for each in self.columns if each.role == "predictor"]

    @property
    def main(self) -> Figure | None:
        """The figure that speaks for the run, or None before there is one."""
        return self.report.figure(self.report.headline) if self.report else None

    @property
    def names(self) -> list[str]:
        """Every name that this snapshot shows, longest first."""
        found = [each.name for each in self.columns] + ([self.run.title] if self.run else [])
        return sorted({*found, *filter(None, [self.target, self.patient])}, key=lambda each: (-len(each), each))
