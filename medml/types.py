"""The values of the line: folder -> Profile -> Recipe -> TrainConfig -> Run -> Report. Frozen, JSON on disk.

None of them holds a patient's value; see the table in README.md, "What is stored".
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from medml.measured import (
    Check,
    Conformal,
    Curve,
    External,
    FlowStep,
    Forecast,
    GridPoint,
    Metric,
    NetBenefit,
    Plan,
    Recalibration,
    ScoreInUse,
    SelectionScore,
    Subgroup,
)
from medml.value import PICTURES, PictureFacts, PicturePlan, UsePlan, Value

Severity = Literal["stop", "caution", "note"]
Kind = Literal["number", "category", "yes_no", "date", "text", "identifier", "empty", "picture"]
Action = Literal["read", "read_with_warning", "skip", "refuse", "ignore"]
Task = Literal["binary", "multiclass", "regression"]
SMALL_GROUP = 10  # k: groups of patients below this size are hidden in whatever is stored or sent on


# ---- Profile ---------------------------------------------------------------------------------------------------

class Suspicion(Value):
    """Something about a column that a reviewer would ask about."""

    code: str  # identifier, leak, outcome_proxy, constant, sentinel, mixed_types, censored_values, units_in_cells ...
    severity: Severity
    what: str
    fix: str
    figures: dict[str, float] = {}


class Level(Value):
    """One category and its number of rows; kept only where n >= k."""

    label: str
    n: int


class Column(Value):
    """Aggregates of one column. Ranges are 5th-95th percentiles rounded to 3 significant digits, never extremes."""

    name: str
    kind: Kind
    unit: str | None = None
    missing: int  # cells empty or holding a word for "missing"
    distinct: int
    distinct_is_exact: bool = True
    low: float | None = None  # 5th percentile (numbers; days since 1970-01-01 for dates)
    median: float | None = None
    high: float | None = None  # 95th percentile
    high_is_open: bool = False  # an age whose `high` of 90 stands for "90 and over"
    levels: list[Level] = []  # most frequent first, n >= k only; numbers in their shortest form ("1", not "1.0")
    hidden_levels: int = 0  # categories too small to name
    hidden_rows: int = 0  # rows in them ("fewer than 10" where that would tell a small group)
    sentinels: list[str] = []  # texts or numbers that stand for "missing" here: "?", "-999"
    suspicions: list[Suspicion] = []


class Proposal(Value):
    """What MedML would choose, and why."""

    column: str
    reason: str


class Repeats(Value):
    """How often a patient comes back."""

    column: str
    n_patients: int
    n_rows: int
    most_rows: int  # 95th percentile of rows a patient


class TableRef(Value):
    """Which table: a path relative to the project's source, and the sheet where a file has several.

    Of pictures the path is that of the table that labels them, which a person may have named elsewhere ("../list.csv").
    """

    path: str
    sheet: str | None = None
    key: str | None = None  # of pictures: the column of the label table that names them, where a person said which
    patient_tag: str | None = None  # of pictures: the tag that tells patients apart, where a person said which

    @property
    def elsewhere(self) -> bool:
        """Whether it is outside of the source: a person named it."""
        return self.path.startswith(("../", "/")) or self.path[1:2] == ":"

    @property
    def label(self) -> str:
        if self.sheet == PICTURES:
            named = self.path.rpartition("/")[2] if self.elsewhere else self.path  # the way there is nobody's business
            return "the pictures" if self.path == "." else f"the pictures with {named}"
        return self.path if self.sheet is None else f"{self.path} · {self.sheet}"


class Table(Value):
    """What a scan knows of one table."""

    ref: TableRef
    sha256: str
    rows: int
    columns: list[Column]
    duplicates: int  # rows equal to an earlier row
    repeats: Repeats | None = None
    targets: list[Proposal] = []  # best first
    patient: Proposal | None = None
    grouped_by: list[str] = []  # columns by whose patients small groups are hidden
    leave_out: list[Proposal] = []
    pictures: PictureFacts | None = None  # a table of the pictures of a folder, a row each

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if the table has none."""
        for each in self.columns:
            if each.name == name:
                return each
        raise KeyError(name)


class FileEntry(Value):
    """What became of one file of the folder."""

    path: str  # relative to the source, "/" between folders
    kind: str  # csv, xlsx, json, jsonl, parquet, picture, ...
    action: Action
    reason_code: str | None = None
    message: str | None = None  # plain words
    rows: int | None = None
    cols: int | None = None
    sheet: str | None = None
    bytes: int = 0


class Profile(Value):
    """The whole folder, as aggregates."""

    version: Literal[1] = 1
    source: str  # absolute path
    made: str  # ISO time, UTC
    k: int = SMALL_GROUP
    files: list[FileEntry]
    tables: list[Table]

    def table(self, ref: TableRef) -> Table:
        """The table of that reference; KeyError if the profile has none."""
        for each in self.tables:
            if each.ref == ref:
                return each
        raise KeyError(ref.label)


class Choice(Value):
    """What the clinician picked after the scan.

    positive  binary only: the label of the class that counts as "yes", as in Column.levels; every other value is "no".
              ">0" means any number above 0 (several grades of disease, 0 for none), and 0 or below is "no"; it is no
              label, and whoever prepares the outcome must honour it: classes are then "0" and ">0".
    """

    table: TableRef
    target: str
    task: Task
    positive: str | None = None  # the class that counts as "yes" (binary)
    patient: str | None = None
    leave_out: list[str] = []
    pictures: PicturePlan | None = None  # learn from the pictures that the table names, and from no other column


# ---- Recipe ----------------------------------------------------------------------------------------------------

class Step(Value):
    """One cleanup step. `name` is that of a plug-in in medml/steps; `params` are settings, never data."""

    name: str
    params: dict[str, Any] = {}
    reason: str
    on: bool = True


class Effect(Value):
    """What a step does to this table, in counts."""

    step: str
    rows_before: int
    rows_after: int
    cells_changed: int = 0
    columns_left_out: list[str] = []
    sentence: str


class Recipe(Value):
    version: Literal[1] = 1
    profile_sha256: str
    steps: list[Step]


# ---- TrainConfig -----------------------------------------------------------------------------------------------

class SplitPlan(Value):
    by: Literal["patient", "row"]
    scheme: Literal["cross_validation", "held_out"]
    folds: int = Field(5, ge=1, le=20)  # 1: the validation part that came with the data
    repeats: int = Field(1, ge=1, le=20)
    test_fraction: float = Field(0.25, gt=0, lt=1)  # held_out only
    given: bool = False  # held_out as the data came split, which is never changed


class SelectionPlan(Value):
    on: bool = False
    method: Literal["pyimpetus", "forest"] = "pyimpetus"
    simulations: int = Field(10, ge=2, le=200)
    seconds_a_fold: float = 60.0
    forced_in: list[str] = []
    forced_out: list[str] = []
    override_after_scores: bool = False  # the lists were changed after outcome-based scores had been seen


class TrainConfig(Value):
    version: Literal[1] = 1
    name: str
    choice: Choice
    family: str
    params: dict[str, Any] = {}
    seed: int = 0
    split: SplitPlan
    selection: SelectionPlan = SelectionPlan()
    profile_sha256: str
    recipe_sha256: str
    data_sha256: str
    use: UsePlan = UsePlan()
    compared: int = 1  # configurations tried on this table and target so far, this one included (E3)

    def judged_by(self, positive: str | None) -> TrainConfig:
        """With the event of the run's report where the scan could name none: how one is picked may change."""
        if self.choice.task != "binary" or self.choice.positive is not None:
            return self
        return self.model_copy(update={"choice": self.choice.model_copy(update={"positive": positive})})


class Estimate(Value):
    """What a training will need, before it starts."""

    seconds: float
    seconds_selection: float = 0.0
    bytes: int
    sentence: str


# ---- Report ----------------------------------------------------------------------------------------------------

class Report(Value):
    version: Literal[1] = 1
    task: Task
    classes: list[str] = []
    positive: str | None = None
    n_cases: int
    n_patients: int
    n_events: int | None = None
    measured_on: str  # "cases that the model had not learned from (cross-validation in 5 parts, twice)"
    threshold: float | None = None
    threshold_reason: str = ""  # how it was chosen, in words (E6)
    metrics: dict[str, Metric]
    hidden: list[str] = []  # metrics that E1 keeps off the screen
    baselines: dict[str, dict[str, Metric]]
    roc: Curve | None = None
    precision_recall: Curve | None = None
    calibration: Curve | None = None
    calibration_line: dict[str, Metric] = {}  # slope, intercept, ici; of several classes ici alone
    calibration_of_classes: dict[str, dict[str, Metric]] = {}  # of several: slope, intercept of each against the rest
    grid: list[GridPoint] = []  # 101 thresholds
    confusion: list[list[int]] = []  # rows: true class, columns: predicted
    residuals: Curve | None = None  # regression: mean observed by decile of predicted
    selection: list[SelectionScore] = []
    selection_note: str = ""
    flow: list[FlowStep] = []
    missing: dict[str, float] = {}  # share of missing cells a predictor
    checks: list[Check] = []
    stamps: list[str] = []  # "internally validated only", "exploratory: too few patients"
    held_out: dict[str, Metric] = {}  # filled when the held-out part is opened
    looks: int = 0
    plan: Plan | None = None  # what the held-out part was opened for
    plan_sha256: str = ""
    plan_written: str = ""  # ISO time, UTC, before the first look by this plan
    recalibration: Recalibration | None = None  # two classes
    net_benefit: NetBenefit | None = None  # two classes
    score_in_use: ScoreInUse | None = None
    subgroups: list[Subgroup] = []  # groups of fewer than k patients are not named
    conformal: Conformal | None = None
    external: list[External] = []  # validations on other data, filled when a run is opened
    happened: list[str] = []  # what came in the way of the training, which went on all the same
    forecast: Forecast | None = None  # what more patients would bring, filled when a run is opened


# ---- Run -------------------------------------------------------------------------------------------------------

class Point(Value):
    """One point of a live curve. `fold` is -1 for the final model."""

    round: int
    fold: int
    repeat: int = 0
    train: float | None = None
    out_of_fold: float | None = None
    unit: str = "loss"
    seconds: float = 0.0


class Checkpoint(Value):
    """One link of a run's chain: final weights, fold states and their out-of-fold figures, together."""

    number: int
    rounds: int  # rounds done in the final model so far
    made: str
    parent: int | None = None
    headline: Metric | None = None
    job: str | None = None  # the job that made it, so that a restarted job does not add it twice
    files_sha256: str = ""  # of files.json in its folder, which has the sha256 of every file there


class Chain(Value):
    """Which checkpoint of a run is the current one. Rewritten whole by continue and revert."""

    current: int
    checkpoints: list[Checkpoint]

    def is_as_before(self) -> bool:
        """Whether the rounds that led to the current checkpoint changed no figure: every model kept its best round."""
        link = {each.number: each for each in self.checkpoints}
        now, before = link[self.current], link.get(link[self.current].parent)
        return before is not None and now.headline is not None and now.headline == before.headline


class Manifest(Value):
    """What a run was made from, with what (G1). Names and hashes, no values."""

    version: Literal[1] = 1
    run: str
    made: str
    seconds: float
    family: str
    task: Task
    target: str
    source_file: str  # relative name
    data_sha256: str
    n_rows: int
    n_cases: int
    n_patients: int
    n_train: int
    n_test: int
    split_sha256: str
    code_version: str
    packages: dict[str, str]
    device: str
    seeds: dict[str, int]
    threads: int = 1  # of a fit
    job: str | None = None
    files: dict[str, str] = {}  # sha256 of what the run was made from: profile, recipe, config, split
    settings: dict[str, Any] = {}  # every one of the family as it was used, the usual ones too; older runs have none


class Label(Value):
    """What a person calls a run; the only file of a run that changes besides its chain."""

    name: str
    notes: str = ""
