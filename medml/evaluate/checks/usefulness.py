"""E4 E5 E6: whether probabilities mean what they say, whether acting on them helps, and where the threshold is from."""

from __future__ import annotations

import numpy as np

from medml.evaluate.catalogue import FEW, found, many
from medml.evaluate.checks import Evidence, rule
from medml.types import Check, Metric

SLOPE = (0.8, 1.2)
UNSURE = 2.0  # width of its interval above which a slope says nothing: classes that lie wholly apart have none
LARGE = 0.2  # of log odds, about 5 points at a risk of one half; of a number: standard deviations
APART = 0.05  # mean distance of a probability from the share observed at it
NO_SLOPE = "The calibration slope of no class can be told: too few cases, or too few taken for another."
RANK = "Do not act on the figures themselves: go by which are higher and which are lower."
RECALIBRATE = "Read the ranking and not the probabilities, or put them right: see Calibration, before and after."
NO_MAP = "Read the ranking and not the probabilities: no map that puts them right was found."


@rule("E4")
def calibrated(evidence: Evidence) -> Check:
    """Slope within 0.8-1.2, calibration in the large near 0 and its interval across it, and the smooth curve (ICI).

    Of several classes each against the rest; as one of many lies outside by chance, its interval must too.
    """
    line, brier = evidence.report.calibration_line, evidence.report.metrics.get("brier")
    told = {name: each.value for name, each in line.items() if each.value is not None}
    if evidence.report.n_cases < FEW or not told:
        return found("E4", "could_not_tell", f"{many(evidence.report.n_cases, 'case')} are too few, or too alike, to "
                                             "tell whether probabilities are right.", n=evidence.report.n_cases)
    classes = _with_slope(evidence.report.calibration_of_classes)
    wrong = _faults(line, _spread(evidence)) + _faults_of_classes(classes)
    whole = len(evidence.report.calibration_of_classes)
    figures = told | _range_of_classes(classes) | (
        {} if brier is None or brier.value is None else {"brier": brier.value})
    what = "; ".join(f"{WORDS[name]} {_with_interval(each)}" for name, each in line.items() if each.value is not None)
    what = what[0].upper() + what[1:] + _said_of_classes(figures, len(classes), whole)
    if wrong:
        map_there = evidence.report.recalibration is not None and evidence.report.recalibration.method != "none"
        fix = (RECALIBRATE if map_there else NO_MAP) if evidence.scored.task == "binary" else RANK
        return found("E4", "warn", f"{what}. {' '.join(wrong)}", fix, **figures)
    if "slope" in line and not _told(line["slope"]):
        return found("E4", "could_not_tell", f"{what}: there are too few cases to tell the slope.", **figures)
    if evidence.scored.task == "multiclass" and not classes:
        return found("E4", "could_not_tell", f"{what}. {NO_SLOPE}", **figures)
    there = "" if len(classes) == whole else " there"
    return found("E4", "pass", f"{what}: predicted and observed agree{there}.", **figures)


WORDS = {"slope": "slope", "intercept": "calibration in the large", "ici": "mean distance from the curve (ICI)"}


def _with_interval(each: Metric) -> str:
    return f"{each.value:z.2f} ({each.between('z.2f')})"  # z: no "-0.00"


def _spread(evidence: Evidence) -> float:
    """What one unit of the intercept is measured in: log odds, or a number's standard deviation."""
    y = evidence.predictions.y[evidence.scored.measured]
    return float(np.std(y)) or 1.0 if evidence.scored.task == "regression" else 1.0


def _told(slope: Metric) -> bool:
    """Whether its interval is narrow enough to say anything."""
    return slope.value is not None and slope.high - slope.low <= UNSURE


def _faults(line: dict[str, Metric], spread: float) -> list[str]:
    slope, large, ici = (line.get(name) for name in ("slope", "intercept", "ici"))
    said = []
    if slope is not None and _told(slope) and not SLOPE[0] <= slope.value <= SLOPE[1]:
        what = "too extreme: high ones too high, low ones too low" if slope.value < SLOPE[0] else \
            "too timid: they lie too close together"
        # of right probabilities of 120 patients every third slope lies outside by chance alone
        chance = "; as 1 lies in the interval of the slope, that may be chance" if slope.low <= 1 <= slope.high else ""
        said.append(f"Predictions are {what}{chance}.")
    if large is not None and large.value is not None and abs(large.value) > LARGE * spread \
            and not large.low <= 0 <= large.high:
        said.append(f"On the whole they are too {'low' if large.value > 0 else 'high'}.")
    if ici is not None and ici.value is not None and ici.low > APART:
        said.append("Along the curve they are off by more than 5 points on average.")
    return said


def _with_slope(lines: dict[str, dict[str, Metric]]) -> dict[str, dict[str, Metric]]:
    """Where a class lies wholly apart it has no slope, and two or three cases make its intercept."""
    return {label: each for label, each in lines.items() if _told(each["slope"])}


def classes_in_words(lines: dict[str, dict[str, Metric]]) -> str:
    """What E4 says of each class against the rest, for a validation elsewhere; "" where there are no several classes.

    lines  class -> its slope and intercept
    """
    if not lines:
        return ""
    told = _with_slope(lines)
    if not told:
        return NO_SLOPE
    said = _said_of_classes(_range_of_classes(told), len(told), len(lines)).removeprefix("; ")
    return " ".join([f"{said[0].upper()}{said[1:]}.", *_faults_of_classes(told)])


def _faults_of_classes(lines: dict[str, dict[str, Metric]]) -> list[str]:
    """What is wrong with each class against the rest, beyond chance."""
    said = []
    for label, line in lines.items():
        beyond_chance = not line["slope"].low <= 1 <= line["slope"].high
        faults = _faults({name: each for name, each in line.items() if name != "slope" or beyond_chance}, 1.0)
        said += [f"“{label}” against the rest: {each[0].lower()}{each[1:]}" for each in faults]
    return said


def _range_of_classes(lines: dict[str, dict[str, Metric]]) -> dict[str, float]:
    """The least and the greatest slope, and the intercept that is farthest from 0."""
    slopes = [each["slope"].value for each in lines.values()]
    larges = [each["intercept"].value for each in lines.values() if each["intercept"].value is not None]
    return ({"slope_least": min(slopes), "slope_most": max(slopes)} if slopes else {}) | \
        ({"intercept_farthest": max(larges, key=abs)} if larges else {})


def _said_of_classes(figures: dict[str, float], n: int, whole: int) -> str:
    """n  classes that have a slope, of `whole`"""
    if "slope_least" not in figures:
        return ""
    large = "" if "intercept_farthest" not in figures else \
        f", calibration in the large at most {abs(figures['intercept_farthest']):.2f} from 0"
    others = "the others" if whole - n > 1 else "the other"
    who = "each class against the rest" if n == whole else \
        f"{n} of {whole} classes against the rest (of {others} no slope can be told)"
    return (f"; {who}: slopes from {figures['slope_least']:.2f} to "
            f"{figures['slope_most']:.2f}{large}")


@rule("E5")
def worth_acting_on(evidence: Evidence) -> Check:
    """Mean net benefit over the stated range, minus the better of treating all and treating nobody."""
    if evidence.scored.task != "binary":
        return found("E5", "pass", "Net benefit is of one threshold: there is no one threshold to act on here.")
    known = evidence.report.net_benefit
    if known is None or known.gain.value is None or evidence.report.n_cases < FEW:
        return found("E5", "could_not_tell", f"{many(evidence.report.n_cases, 'case')} are too few to tell net "
                                             "benefit.", n=evidence.report.n_cases)
    gain, per = known.gain, 100
    where = f"between thresholds of {known.low:.0%} and {known.high:.0%} ({known.range_reason})"
    figures = {"gain": gain.value, "gain_low": gain.low, "gain_high": gain.high, "from": known.low, "to": known.high}
    what = (f"In {per} patients, acting on the model is worth {per * gain.value:+.1f} "
            f"({gain.between('+.1f', per=per)}) patients found and no false alarm more than the better of treating all "
            f"and treating nobody, {where}.")
    if gain.low <= 0:
        return found("E5", "warn", what, "Do not act on it at these thresholds, or state the range in which a decision "
                                         "would be taken, on the Configure page.", **figures)
    return found("E5", "pass", what, **figures)


@rule("E6")
def threshold_has_an_origin(evidence: Evidence) -> Check:
    """The threshold comes from rows that are not the closed part, and a reason in words stands beside it."""
    report = evidence.report
    if evidence.scored.task != "binary":
        return found("E6", "pass", "There is no threshold: the most likely class is named, or a number.")
    closed = evidence.context.closed
    touched = int(evidence.scored.measured[closed].sum()) if closed.size else 0
    if touched:
        return found("E6", "block", f"The threshold was chosen with {many(touched, 'case')} of the part that was to "
                                    "stay closed.", "Do not use it: train again, and open that part once at the end.",
                     touched=touched)
    if report.threshold is None or not report.threshold_reason.strip():
        return found("E6", "block", "Nobody wrote down how the threshold was chosen.",
                     "Choose it by a rule on the Configure page, then train again.", touched=0)
    return found("E6", "pass", f"{report.threshold:g}: {report.threshold_reason}", threshold=report.threshold,
                 touched=0)
