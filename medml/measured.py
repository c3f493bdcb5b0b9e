"""What an evaluation finds, as a Report keeps it: figures with intervals, curves on fixed grids, checks, groups."""

from __future__ import annotations

from typing import Literal

from medml.value import Value

NO_INTERVAL = "no interval: it is the same in every draw"
NO_WIDTH = 1e-9  # of an interval, under which its ends differ by rounding alone
Verdict = Literal["pass", "warn", "block", "could_not_tell", "info"]


class Metric(Value):
    """A figure with its 95 % interval; low and high are None only where it could not be told."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    @property
    def spread(self) -> bool:
        """Whether the draws of patients differ at all. Of one patient, or of cases that are all alike, they do not, and
        an interval without width would claim that the figure is certain."""
        return self.low is not None and self.high is not None and self.high - self.low > NO_WIDTH

    def between(self, form: str = ".3f", *, per: float = 1) -> str:
        """The interval as it is printed everywhere: "0.880 to 0.940", or why there is none.

        form  of each end;   per  patients that a figure a patient is told for
        """
        if not self.spread:
            return NO_INTERVAL
        return f"{per * self.low:{form}} to {per * self.high:{form}}"


class Check(Value):
    id: str
    title: str
    verdict: Verdict
    what: str
    fix: str = ""
    figures: dict[str, float] = {}


class FlowStep(Value):
    """One box of the flow diagram; n_before - n_removed == n_after is checked (M3)."""

    what: str
    n_before: int
    n_removed: int
    n_after: int


class Curve(Value):
    """Points of a curve on a fixed grid; never one point a patient."""

    x: list[float]
    y: list[float]
    low: list[float] = []
    high: list[float] = []


class GridPoint(Value):
    """The confusion matrix at one threshold (two classes). Counts are means over repeats, rounded."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    sensitivity: Metric
    specificity: Metric


class SelectionScore(Value):
    """How often a column was kept: frequency over folds, 0-1."""

    column: str
    frequency: float
    forced: Literal["in", "out", ""] = ""


class Subgroup(Value):
    """One group of patients that a reader asks about (F1); of groups under 30 patients, or k of a class, n alone
    is told.

    figure  auroc, or r2 of a number;   n_events  None: a group of some column has under k cases of a class
    picked_after  the column was picked when the run's figures had been seen
    """

    column: str
    label: str
    n: int
    n_patients: int
    n_events: int | None = None
    figure: Metric | None = None
    slope: Metric | None = None
    enough: bool = True
    picked_after: bool = False


class Recalibration(Value):
    """Probabilities put right by a map that the judged rows had no part in.

    method         what would be used on later patients;   chosen  in how many parts each method was the best
    before, after  slope, intercept, ici, brier, log_loss on the same rows
    curve          calibration curve afterwards;   steps  the map for later patients on a grid of probabilities
    """

    method: Literal["none", "platt", "isotonic"]
    chosen: dict[str, int]
    before: dict[str, Metric]
    after: dict[str, Metric]
    curve: Curve | None = None
    steps: Curve | None = None


class NetBenefit(Value):
    """Decision curves (Vickers and Elkin, Med Decis Making 2006;26:565) on a grid of thresholds under 1.

    low, high  thresholds over which they are compared;   range_reason  where these come from
    gain       mean over that range of the model's net benefit minus the better of treating all and treating nobody
    """

    low: float
    high: float
    range_reason: str
    model: Curve
    everybody: Curve
    score: Curve | None = None
    gain: Metric


class ScoreInUse(Value):
    """The model beside the score that is used today, on the same patients.

    differences  model minus score, paired draws;   n_missing  cases in which the score could not be worked out, 0 where
                 they are fewer than k, which few_missing says
    """

    formula: str
    n: int
    n_missing: int
    few_missing: bool = False
    auroc: Metric
    auroc_difference: Metric
    benefit_difference: Metric
    said: str


class Plan(Value):
    """What the part kept closed is opened for, written down and hashed before it is (L10)."""

    version: Literal[1] = 1
    run: str
    checkpoint: int
    target: str
    positive: str | None = None
    predictors: list[str]
    family: str
    metric: str  # the figure that speaks
    threshold: float | None = None
    rule: str = ""  # how the threshold was chosen, in words
    config_sha256: str


class SizePoint(Value):
    """The headline figure of models that learned from about n patients each."""

    n: int
    figure: Metric


class Forecast(Value):
    """What more patients would bring: figures at growing numbers of patients, and a power law drawn through them.

    curve  by number of patients, to half as many again;   more  how many further patients `then` and `gain` speak of
    gain   forecast at that number minus the figure at all patients that there are
    """

    version: Literal[1] = 1
    checkpoint: int
    points: list[SizePoint]
    curve: Curve
    more: int
    then: Metric
    gain: Metric
    said: str


class External(Value):
    """A finished run judged on data that it does not come from; aggregates alone.

    source   name of the folder or file;   renamed  {their column: ours}
    found_by "folder" (evaluated here) or "capsule" (came back from another place as aggregates)
    n_left_out  rows without an outcome that the run knows, or that its cleaning took away
    n_copies    rows (or pictures) that equal one of the run's own table, None: not compared
    n_same_patients  patients with an identifier of the run's own table;   own_folder  it lay beside that table
    told_apart  AUROC of telling its rows from the run's own
    under_ten   names of counts of 1 to 9, which stand as 0;   over_a_twentieth  those of them above 1 in 20
    stated   somebody said that they are other patients;   stated_by  who, as one would say it in a sentence
    """

    version: Literal[1] = 1
    id: str
    made: str
    checkpoint: int
    source: str
    found_by: Literal["folder", "capsule"] = "folder"
    data_sha256: str
    renamed: dict[str, str] = {}
    absent: list[str] = []  # predictors that nothing there could be read in: they count as missing
    n_cases: int
    n_patients: int
    n_events: int | None = None
    n_left_out: int = 0
    n_copies: int | None = None
    threshold: float | None = None
    metrics: dict[str, Metric]
    auroc_delong: Metric | None = None
    calibration_line: dict[str, Metric] = {}
    calibration_of_classes: dict[str, dict[str, Metric]] = {}  # of several: slope, intercept of each against the rest
    calibration: Curve | None = None
    roc: Curve | None = None
    net_benefit: NetBenefit | None = None
    score_in_use: ScoreInUse | None = None
    subgroups: list[Subgroup] = []
    n_same_patients: int | None = None
    own_folder: bool = False
    told_apart: Metric | None = None
    stated: bool = False
    stated_by: str = ""
    under_ten: list[str] = []
    over_a_twentieth: list[str] = []


class ConformalLevel(Value):
    """What answers belong to a set that holds the truth in a share `level` of patients.

    least   per class the probability from which it belongs to the set, rounded down to 3 significant digits; None: too
            few patients to say, so it always does;   width  of a number: how far the interval reaches to either side,
            rounded up; None: too few patients
    held    share of patients whose set held the truth, by thresholds that they had no part in
    single  share of patients whose set was one class;   size  how many classes it had, mean over patients; None: a
            number, or a run made before it was kept
    """

    level: float
    least: list[float | None] = []
    width: float | None = None
    held: Metric
    single: Metric | None = None
    size: Metric | None = None


class Conformal(Value):
    """Split conformal sets from predictions on unseen rows.

    by_class  thresholds are worked out in each class by itself, because the classes differ much in size
    """

    n_patients: int
    by_class: bool = False
    levels: list[ConformalLevel]
