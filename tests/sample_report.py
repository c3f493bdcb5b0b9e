"""A report and a history of invented figures, shaped like real ones, for tests of charts and screens alone."""

from __future__ import annotations

import math

from medml.types import Check, Curve, FlowStep, GridPoint, Metric, Point, Report, SelectionScore

AXIS = [each / 100 for each in range(101)]


def metric(value: float, half: float = 0.04, n: int = 303) -> Metric:
    return Metric(value=value, low=value - half, high=value + half, n=n)


def grid(n_events: int = 139, n_other: int = 164) -> list[GridPoint]:
    """101 thresholds of a model that gives events 1 - (1 - u)^3 and the others u^3, u even in 0..1."""
    points = []
    for t in AXIS:
        sensitivity, specificity = (1 - t) ** (1 / 3), t ** (1 / 3)
        tp, tn = round(n_events * sensitivity), round(n_other * specificity)
        points.append(GridPoint(
            threshold=t, tp=tp, fp=n_other - tn, fn=n_events - tp, tn=tn,
            sensitivity=metric(sensitivity, n=n_events), specificity=metric(specificity, n=n_other)))
    return points


def report() -> Report:
    def band(y: list[float]) -> Curve:
        return Curve(x=AXIS, y=y, low=[max(0.0, each - 0.06) for each in y], high=[min(1.0, each + 0.06) for each in y])

    bent = [min(1.0, max(0.0, each + 0.06 * math.sin(2 * math.pi * each))) for each in AXIS]
    return Report(
        task="binary", classes=["healthy", "disease"], positive="disease", n_cases=303, n_patients=303, n_events=139,
        measured_on="cases that the model had not learned from (cross-validation in 5 parts, twice)", threshold=0.42,
        metrics={"auroc": metric(0.91), "auprc": metric(0.90), "brier": metric(0.12, 0.02), "accuracy": metric(0.84)},
        baselines={"prevalence": {"auroc": metric(0.5, 0.0), "brier": metric(0.248, 0.005)},
                   "logistic": {"auroc": metric(0.905), "brier": metric(0.125, 0.02)}},
        roc=band([each ** 0.25 for each in AXIS]),
        precision_recall=band([1 - 0.54 * each ** 4 for each in AXIS]), calibration=band(bent),
        calibration_line={"slope": metric(0.96, 0.15), "intercept": metric(0.02, 0.2)}, grid=grid(),
        confusion=[[140, 24], [26, 113]],
        selection=[SelectionScore(column="thal", frequency=1.0), SelectionScore(column="ca", frequency=0.9),
                   SelectionScore(column="age", frequency=1.0, forced="in"),
                   SelectionScore(column="chol", frequency=0.0, forced="out")],
        flow=[FlowStep(what="Rows in the table", n_before=303, n_removed=0, n_after=303),
              FlowStep(what="Exact duplicates left out", n_before=303, n_removed=1, n_after=302),
              FlowStep(what="Rows without an outcome left out", n_before=302, n_removed=6, n_after=296)],
        missing={"ca": 0.013, "thal": 0.007},
        checks=[Check(id="L1", title="Split by patient", verdict="pass", what="No patient comes twice."),
                Check(id="N2", title="Events per parameter", verdict="warn", what="7.3 events for each parameter.",
                      fix="Use fewer columns."),
                Check(id="L4", title="One column tells it all", verdict="could_not_tell", what="Too few cases.")],
        stamps=["internally validated only"])


def history(rounds: int = 60, folds: int = 5) -> list[Point]:
    """A loss that falls to 0.3 and a figure that rises to 0.9, folds apart by a hundredth each."""
    points = []
    for fold in [*range(folds), -1]:
        for number in range(1, rounds + 1):
            falls = math.exp(-number / 12)
            points.append(Point(round=number, fold=fold, train=0.3 + 0.4 * falls + 0.01 * fold, unit="log-loss",
                                out_of_fold=None if fold < 0 else 0.9 - 0.35 * falls - 0.01 * fold))
    return points
