"""Rules on whether figures can be believed: calibration, benefit, optimism, the closed part, other patients, checks."""

from __future__ import annotations

from medml.copilot.adviser import Advice, rule
from medml.copilot.adviser.words import answers, bold, figure, holds, less, outcome
from medml.copilot.facts import CheckFacts, Figure, Snapshot

UNSURE = 0.8  # width of a slope's interval above which it says little


def _line(s: Snapshot, name: str):
    return s.report.calibration.get(name) if s.report else None


def _check(s: Snapshot, name: str) -> CheckFacts | None:
    return s.report.check(name) if s.report else None


@rule("too_extreme", about="calibration trust overfit", at="evaluate predict", weight=57)
def too_extreme(s: Snapshot) -> Advice | None:
    """Slope below 0.8 (E4)."""
    slope = _line(s, "slope")
    if slope is None or slope.value >= 0.8:
        return None
    return Advice(f"The **calibration slope** is {figure(slope)} for {outcome(s)}; 1 is best. "
                  f"{answers(s).capitalize()} are too extreme: high ones too high, low ones too low{_chance(slope)}.",
                  _put_right(s) or f"read the ranking and not the {answers(s)} themselves")


def _put_right(s: Snapshot) -> str:
    """What to do where a map was found that puts probabilities right."""
    there = s.report is not None and s.report.recalibrated is not None
    return "have every answer put right by the map that is shown on Evaluate" if there else ""


def _chance(slope: Figure) -> str:
    return ", though its interval holds 1 and that may be chance" if holds(slope, 1) else ""


@rule("too_timid", about="calibration trust", at="evaluate predict", weight=49)
def too_timid(s: Snapshot) -> Advice | None:
    """Slope above 1.2."""
    slope = _line(s, "slope")
    if slope is None or slope.value <= 1.2:
        return None
    return Advice(f"The **calibration slope** is {figure(slope)} for {outcome(s)}; 1 is best. "
                  f"{answers(s).capitalize()} are too timid: all too near to the average{_chance(slope)}.",
                  _put_right(s) or "choose less cautious settings")


@rule("well_calibrated", about="calibration", at="predict", weight=16)
def well_calibrated(s: Snapshot) -> Advice | None:
    """A slope that is fine; that probabilities hold takes that they do on average too."""
    slope, off = _line(s, "slope"), _line(s, "intercept")
    if slope is None or not 0.8 <= slope.value <= 1.2:
        return None
    if slope.low is not None and slope.high is not None and slope.high - slope.low > UNSURE:
        means = "near 1, but there are too few cases to be sure of it"
    elif s.task == "regression":
        means = "near 1: predictions lie as far apart as what was observed"
    elif off is None or holds(off, 0):
        means = "near 1: of patients told 30 %, about 30 in 100 have it"
    else:
        means = "near 1, so the spread is right and only the average is off"
    return Advice(f"The **calibration slope** is {figure(slope)} for {outcome(s)}, {means}.",
                  "look at the curve where your patients mostly lie")


@rule("distance", about="calibration", at="predict", weight=14)
def distance(s: Snapshot) -> Advice | None:
    """The integrated calibration index, which several classes have too."""
    ici = _line(s, "ici")
    if ici is None or s.task == "regression":
        return None
    of = "How sure the model is" if s.task == "multiclass" else "A probability"
    return Advice(f"{of} lies {figure(ici)} from what is observed for {outcome(s)}, on average (**ICI**); 0 is best.",
                  "look at the calibration curve on the Evaluate screen")


@rule("off_on_average", about="calibration", at="evaluate", weight=45)
def off_on_average(s: Snapshot) -> Advice | None:
    """Calibration in the large."""
    off = _line(s, "intercept")
    if off is None or off.low is None or off.high is None or holds(off, 0):
        return None
    way = "more" if off.value > 0 else "less"
    if s.task == "regression":
        return Advice(f"{outcome(s)} is {way} than predicted, by {figure(off)} on average (**calibration in the "
                      "large**; 0 is best).", "ask how the patients of the two sides differ")
    return Advice(f"{outcome(s)} is {way} frequent than predicted: **calibration in the large** is {figure(off)}, 0 is "
                  "best.", _put_right(s) or "do not act on a probability alone")


@rule("recalibrate", about="calibration", at="evaluate", weight=37)
def recalibrate(s: Snapshot) -> Advice | None:
    """A map that brings probabilities nearer to what was observed."""
    ici, after = _line(s, "ici"), s.report.recalibrated if s.report else None
    if ici is None or after is None or after >= ici.value - 0.005:
        return None
    return Advice(f"Put right, probabilities of {outcome(s)} would lie {after:g} from what is observed, on average, "
                  f"and not {ici.value:g} (**ICI**).", "see “Calibration, before and after” on the Evaluate screen")


@rule("no_benefit", about="benefit trust threshold", at="evaluate", weight=54)
def no_benefit(s: Snapshot) -> Advice | None:
    """Net benefit not above treating all or nobody (E5)."""
    gain = s.report.gain if s.report else None
    if gain is None or gain > 0 and not _doubted(s):
        return None
    means = "nothing is gained" if gain <= 0 else "a gain is not shown, its interval reaches below 0"
    return Advice(f"Acting on the model for {outcome(s)} is worth {100 * gain:+.1f} patients in 100 beside the "
                  f"better of treating all and treating nobody (**net benefit**): {means}.",
                  "state the range of risks in which a decision would change, on the Configure screen")


def _doubted(s: Snapshot) -> bool:
    """Whether the check found that the interval of the net benefit does not lie above 0."""
    found = _check(s, "E5")
    return found is not None and found.verdict == "warn"


@rule("benefit", about="benefit", at="evaluate", weight=26)
def benefit(s: Snapshot) -> Advice | None:
    """Net benefit above both."""
    gain = s.report.gain if s.report else None
    if gain is None or gain <= 0 or _doubted(s):
        return None
    return Advice(f"Acting on the model for {outcome(s)} is worth {100 * gain:+.1f} patients in 100 beside the "
                  "better of "
                  "treating all and treating nobody (**net benefit**).", "check that your own threshold lies in the "
                                                                         "range")


@rule("optimism", about="overfit trust", at="evaluate", weight=56)
def optimism(s: Snapshot) -> Advice | None:
    """Training figure far above the unseen one (E8)."""
    found = _check(s, "E8")
    gap = found.figures.get("gap") if found and found.verdict == "warn" else None
    if gap is None or s.run is None:
        return None
    return Advice(f"The {bold(s.run.title)} does {gap:.2f} better on its own patients than on unseen ones "
                  "(**optimism**): it has learned some of them by heart.", f"choose cautious settings or {less(s)}")


@rule("events_after", about="size imbalance trust", at="evaluate", weight=53)
def events_after(s: Snapshot) -> Advice | None:
    """Events per parameter as counted (N2)."""
    found = _check(s, "N2")
    ratio = found.figures.get("ratio") if found else None
    if ratio is None or ratio >= 20:
        return None
    return Advice(f"There are {ratio:.1f} **events per parameter** for {outcome(s)}; 20 are comfortable, below 10 is "
                  "too few.", "leave out columns that nobody expects to matter, or add patients")


@rule("too_few_patients", about="size trust", at="evaluate", weight=51)
def too_few_patients(s: Snapshot) -> Advice | None:
    """Riley's criteria (N1)."""
    found = _check(s, "N1")
    needed = found.figures.get("needed") if found and found.verdict == "warn" else None
    if needed is None:
        return None
    return Advice(f"{needed:,.0f} patients would be needed for so many columns and {outcome(s)} (**Riley's "
                  "criteria**); "
                  f"there are {s.patients or 0:,}.", "add patients, or leave columns out before training")


@rule("worst_check", about="trust next leak", at="evaluate explain predict", weight=68)
def worst_check(s: Snapshot) -> Advice | None:
    """What a reviewer would ask first."""
    asking = [each for each in (s.report.checks if s.report else []) if each.verdict in ("block", "warn")]
    if not asking:
        return None
    first, stop = asking[0], sum(each.verdict == "block" for each in asking)
    said = f", {stop} of them a stop" if stop else ""
    return Advice(f"Checks of the model for {outcome(s)} that ask for a look: {len(asking)}{said}. First **{first.id} "
                  f"{first.title}**: {_start(first.said)}",
                  f"open check {first.id} on the Checks screen. {first.fix}".rstrip(". "))


def _start(said: str, most: int = 180) -> str:
    """The first sentence or two."""
    return said if len(said) <= most else said[:most].rsplit(" ", 1)[0] + " …"


@rule("all_passed", about="next trust", at="evaluate", weight=23)
def all_passed(s: Snapshot) -> Advice | None:
    """No check asks for anything."""
    if s.report is None or not s.report.passed or any(e.verdict in ("block", "warn") for e in s.report.checks):
        return None
    return Advice(f"{s.report.passed} checks of the model for {outcome(s)} are in order and none asks for a change.",
                  "judge it on patients from elsewhere")


@rule("not_elsewhere", about="external trust", at="evaluate predict", weight=29)
def not_elsewhere(s: Snapshot) -> Advice | None:
    """Judged on its own data alone (X1)."""
    if s.report is None or s.report.external is not None:
        return None
    return Advice(f"The model for {outcome(s)} was judged on its own {s.cases or 0:,} cases alone: **internally "
                  "validated only**.", "ask another ward or hospital for patients to judge it on")


@rule("elsewhere", about="external trust", at="evaluate", weight=59)
def elsewhere(s: Snapshot) -> Advice | None:
    """How it did on other patients."""
    report, main = s.report, s.main
    if main is None or report.external is None:
        return None
    worse = main.value - report.external
    judged = "as well as here" if worse < 0.03 else f"{worse:.2f} worse than here"
    return Advice(f"On other patients the model for {outcome(s)} reached {main.title} {report.external:g}: {judged} "
                  f"({main.value:g}).", "compare calibration there too" if worse < 0.03 else
                  "ask how those patients differ before using it there")


@rule("opened_often", about="split trust", at="evaluate", weight=61)
def opened_often(s: Snapshot) -> Advice | None:
    """The closed part was opened more than once (L10)."""
    if s.report is None or s.report.looks < 2:
        return None
    return Advice(f"The part kept closed for {outcome(s)} was opened {s.report.looks} times: it is no longer a "
                  "**test**, only a validation.", "judge the final model on new patients")


@rule("closed_part", about="split trust", at="evaluate", weight=39)
def closed_part(s: Snapshot) -> Advice | None:
    """What the closed part said beside cross-validation."""
    report, main = s.report, s.main
    if main is None or report.held_out is None:
        return None
    return Advice(f"On the part kept closed the model for {outcome(s)} reached {main.title} {report.held_out:g}; on "
                  f"the others {main.value:g}.", "report the figure of the closed part")


@rule("abstains", about="predict", at="predict", weight=35)
def abstains(s: Snapshot) -> Advice | None:
    """How often it would say nothing (P1)."""
    part = s.report.silent if s.report else None
    if part is None:
        return None
    if not part:
        return Advice(f"For none of {s.cases or 0:,} judged patients would the model for {outcome(s)} give **no "
                      "number**; it keeps silent where something lies outside what it has seen.",
                      "read the reason beside a patient for whom it does")
    return Advice(f"For {100 * part:.0f} % of these patients the model for {outcome(s)} would give **no number**: "
                  "something lies outside what it has seen.", "read the reason beside such a patient")
