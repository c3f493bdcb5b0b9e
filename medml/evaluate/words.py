"""What each figure is called and means, in plain words, for screens, terminal and exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medml.types import Metric, Report, Task


@dataclass(frozen=True, slots=True)
class Word:
    """title and one sentence; higher_is_better is None where neither is (a slope of 1 is best)."""

    title: str
    meaning: str
    higher_is_better: bool | None = True
    best: float = 1.0


METRICS: dict[str, Word] = {
    "auroc": Word("AUROC", "How often a patient with the outcome is ranked above one without it; 0.5 is chance."),
    "auprc": Word("AUPRC", "Average precision: how pure the list of patients flagged stays as it grows; chance is the "
                           "share of patients with the outcome."),
    "accuracy": Word("Accuracy", "Share of cases put into the right class."),
    "brier": Word("Brier score", "Mean squared distance between probability and outcome; 0 is perfect.", False, 0.0),
    "log_loss": Word("Log loss", "Punishes confident mistakes most; 0 is perfect.", False, 0.0),
    "sensitivity": Word("Sensitivity", "Share of patients with the outcome that are found."),
    "specificity": Word("Specificity", "Share of patients without the outcome that are left in peace."),
    "ppv": Word("Positive predictive value", "Share of flagged patients that have the outcome."),
    "npv": Word("Negative predictive value", "Share of patients not flagged that are free of the outcome."),
    "f1": Word("F1", "Harmonic mean of sensitivity and positive predictive value."),
    "balanced_accuracy": Word("Balanced accuracy", "Mean of the classes' sensitivities; chance is 1 / classes."),
    "mcc": Word("Matthews correlation", "Correlation of decision and outcome, fair to rare outcomes; 0 is chance."),
    "mae": Word("Mean absolute error", "Mean distance of predicted from observed, in the target's unit.", False, 0.0),
    "rmse": Word("Root mean squared error", "As the mean error, large misses weigh more; in the target's unit.", False,
                 0.0),
    "r2": Word("R²", "Share of the target's variation that is explained; 0 is no better than the mean."),
    "slope": Word("Calibration slope", "1 is best; below 1 the predictions are too extreme, above 1 too timid.", None),
    "intercept": Word("Calibration in the large", "0 is best; above 0 the outcome is more frequent than predicted.",
                      None, 0.0),
    "ici": Word("Calibration index (ICI)", "Mean distance between a probability and the share observed at it; 0 is "
                                           "best.", False, 0.0),
}

BINARY = ("auroc", "auprc", "accuracy", "brier", "log_loss", "sensitivity", "specificity", "ppv", "npv", "f1",
          "balanced_accuracy", "mcc")
NUMBER = ("mae", "rmse", "r2")
OF_TASK: dict[Task, tuple[str, ...]] = {"binary": BINARY, "multiclass": BINARY, "regression": NUMBER}
HEADLINE: dict[Task, str] = {"binary": "auroc", "multiclass": "auroc", "regression": "r2"}


def title(name: str) -> str:
    """The figure's name on screen; the name itself for one that is not known."""
    return METRICS[name].title if name in METRICS else name.replace("_", " ")


def meaning(name: str) -> str:
    """One sentence on what the figure says; empty for one that is not known."""
    return METRICS[name].meaning if name in METRICS else ""


def of_one_class(report: Report) -> str:
    """Which class the figures of one class are of, where two of several classes were left; else nothing."""
    if report.task != "multiclass" or len(report.classes) != 2:
        return ""
    return ("Two classes were left: AUPRC, sensitivity, specificity, predictive values and F1 are those of "
            f"“{report.classes[1]}”.")


def better(name: str, mine: float, yours: float) -> bool:
    """Whether `mine` is the better value of that metric; ValueError where neither direction is better."""
    direction = METRICS[name].higher_is_better
    if direction is None:
        raise ValueError(f"{name} has no better direction; it is best at {METRICS[name].best}")
    return mine > yours if direction else mine < yours


def apart(change: Metric) -> str:
    """A difference as it is said: "is 0.056 lower (0.020 to 0.092)"; with its sign where it may go either way."""
    if change.high < 0:
        turned = change.model_copy(update={"low": -change.high, "high": -change.low})
        return f"is {-change.value:.3f} lower ({turned.between()})"
    if change.low > 0:
        return f"is {change.value:.3f} higher ({change.between()})"
    return f"differs by {change.value:+.3f} ({change.between('+.3f')})"


def times(n: int) -> str:
    """once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(n, f"{n:,} times")


def of_held_out(report: Report, name: str, figure: Callable[[Metric | None], str]) -> str:
    """The figure of the part that was kept closed, in a sentence; "" where none was opened.

    name  of the figure;   figure  how it is written there
    """
    found = report.held_out.get(name) if report.held_out else None
    if found is None:
        return ""
    return (f"On the part that was kept closed ({found.n:,} cases, opened {times(report.looks)}) {title(name)} was "
            f"{figure(found)}.")


def checks_counted(report: Report) -> str:
    """How many checks passed; what is only noted has not: "29 of 36 checks passed; 2 noted"."""
    verdicts = [each.verdict for each in report.checks]
    noted = verdicts.count("info")
    return f"{verdicts.count('pass')} of {len(verdicts)} checks passed{f'; {noted} noted' if noted else ''}"
