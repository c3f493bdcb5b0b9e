"""Rules on the figures of a finished run: how good, how sure, at which threshold, for whom."""

from __future__ import annotations

from medml.copilot.adviser import Advice, rule
from medml.copilot.adviser.words import bold, figure, outcome, prevalence
from medml.copilot.facts import Figure, GroupFacts, Snapshot
from medml.evaluate import baselines

CHANCE, GOOD, TOO_GOOD = 0.6, 0.9, 0.98  # AUROC (TOO_GOOD: RIGOUR.md, L11)
LOW_SENSITIVITY, LOW_SPECIFICITY = 0.8, 0.7
WIDE = 0.15  # width of an interval
APART = 0.02  # by how much a group must differ to be spoken of


def _of(s: Snapshot, name: str) -> Figure | None:
    return s.report.figure(name) if s.report else None


@rule("near_chance", about="trust next quality", at="evaluate", weight=75)
def near_chance(s: Snapshot) -> Advice | None:
    """AUROC near 0.5, or with an interval that holds it."""
    auroc = _of(s, "auroc")
    if auroc is None or not _by_chance(auroc):
        return None
    means = "so these columns tell little of it" if auroc.value < CHANCE else \
        "and the interval holds it, so this may be luck"
    return Advice(f"**AUROC** is {figure(auroc)} for {outcome(s)}; 0.5 is chance, {means}.",
                  f"ask which measurement a colleague would use to tell {outcome(s)}, and add it")


def _by_chance(auroc: Figure) -> bool:
    return auroc.value < CHANCE or auroc.low is not None and auroc.low <= 0.5


@rule("how_good", about="trust quality", at="evaluate", weight=43)
def how_good(s: Snapshot) -> Advice | None:
    """The headline figure in words."""
    main = s.main
    if main is None or main.name != "auroc" or _by_chance(main) or main.value > TOO_GOOD:
        return None
    judged = "good" if main.value >= GOOD else "fair" if main.value >= 0.75 else "modest"
    means = "so often a patient of a class is ranked above one of another, averaged over the classes" \
        if s.task == "multiclass" else "so often a patient with the outcome is ranked above one without it"
    return Advice(f"**AUROC** is {figure(main)} for {outcome(s)}, which is {judged}: {means}.",
                  "read calibration and the checks before anybody relies on it")


@rule("too_good", about="leak trust quality", at="evaluate", weight=88)
def too_good(s: Snapshot) -> Advice | None:
    """Too good to be true (L11)."""
    auroc = _of(s, "auroc")
    if auroc is None or auroc.value <= TOO_GOOD:
        return None
    return Advice(f"**AUROC** is {figure(auroc)} for {outcome(s)}: almost no clinical question is that easy. Some "
                  "column "
                  "may know the answer (**leakage**).", "look at the strongest column on the Explain screen, and ask "
                  "when it is recorded")


@rule("wide_interval", about="trust size quality", at="evaluate", weight=42)
def wide_interval(s: Snapshot) -> Advice | None:
    """An interval that leaves much open."""
    main = s.main
    if main is None or main.low is None or main.high is None or main.high - main.low < WIDE:
        return None
    return Advice(f"The 95 % interval of {bold(main.title)} reaches from {main.low:g} to {main.high:g} with "
                  f"{s.cases or 0:,} cases of {outcome(s)}: the true value may lie anywhere in it.",
                  "report the interval, not the figure alone")


@rule("no_better", about="baseline trust", at="evaluate", weight=62)
def no_better(s: Snapshot) -> Advice | None:
    """No better than plain regression (E7)."""
    main = s.main
    if main is None or main.baseline is None or s.run is None or _gains(s, main):
        return None
    if main.value - main.baseline > 0.01:
        return Advice(f"The {bold(s.run.title)} reaches {main.title} {main.value:g}, {_beside(main)} "
                      f"{main.baseline:g}: that it is better is **not shown**, the interval of the gain holds 0.",
                      "read check E7 on the Checks screen")
    if main.baseline_name in baselines.SAME_FOR_ALL:
        return Advice(f"The {bold(s.run.title)} reaches {main.title} {main.value:g}; the same answer for everybody "
                      f"reaches {main.baseline:g}.", f"look for columns that tell {outcome(s)} better")
    return Advice(f"The {bold(s.run.title)} reaches {main.title} {main.value:g}; {main.baseline_name.lower()} reaches "
                  f"{main.baseline:g} on the same patients. The simpler model is easier to check and to explain.",
                  f"use {main.baseline_name.lower()} unless something else speaks for the {bold(s.run.title)}")


def _gains(s: Snapshot, main: Figure) -> bool:
    """Whether it is better by more than can be chance, as far as the check of it says."""
    doubted = s.report.check("E7")
    return main.value - main.baseline > 0.01 and (doubted is None or doubted.verdict not in ("warn", "block"))


def _beside(main: Figure) -> str:
    """The baseline as it is called in a sentence."""
    alone = main.baseline_name in baselines.SAME_FOR_ALL
    return "the same answer for everybody" if alone else main.baseline_name.lower()


@rule("better", about="baseline", at="evaluate", weight=24)
def better(s: Snapshot) -> Advice | None:
    """Better than plain regression."""
    main = s.main
    if main is None or main.baseline is None or s.run is None or not _gains(s, main):
        return None
    return Advice(f"The {bold(s.run.title)} reaches {main.title} {main.value:g}, {_beside(main)} {main.baseline:g}: a "
                  f"gain of {main.value - main.baseline:.3f}.",
                  "see in check E7 whether the interval of that gain leaves out zero")


@rule("low_sensitivity", about="sensitivity threshold", at="evaluate predict", weight=64)
def low_sensitivity(s: Snapshot) -> Advice | None:
    """Many patients with the outcome are missed."""
    found, other = _of(s, "sensitivity"), _of(s, "specificity")
    if found is None or found.value >= LOW_SENSITIVITY:
        return None
    if s.task == "multiclass":
        return Advice(f"**Sensitivity** is {figure(found)} for {outcome(s)}, averaged over the classes: of 100 "
                      f"patients of a class {100 * (1 - found.value):.0f} are called another.",
                      "see in the table of true and called classes on Evaluate which of them are mixed up")
    with_it, beside = prevalence(s), "" if other is None else f" (specificity {other.value:g})"
    why = f" {with_it:g} % of cases have it: few to learn from." if with_it is not None and with_it < 20 else ""
    at = "" if s.report.threshold is None else f" at a threshold of {s.report.threshold:g}"
    return Advice(f"**Sensitivity** is {figure(found)} for {outcome(s)}{at}{beside}: {100 * (1 - found.value):.0f} "
                  f"of 100 patients with it are missed.{why}",
                  "move the threshold down on the Evaluate screen, or train with the rule “find at least 90 of 100”")


@rule("fine_sensitivity", about="sensitivity", at="predict", weight=15)
def fine_sensitivity(s: Snapshot) -> Advice | None:
    """Sensitivity that is not low."""
    found = _of(s, "sensitivity")
    if found is None or found.value < LOW_SENSITIVITY:
        return None
    if s.task == "multiclass":
        return Advice(f"**Sensitivity** is {figure(found)} for {outcome(s)}, averaged over the classes.",
                      "see in the table of true and called classes on Evaluate which of them are mixed up")
    return Advice(f"**Sensitivity** is {figure(found)} for {outcome(s)}: of 100 patients with it, "
                  f"{100 * found.value:.0f} are found.", "see what that costs in false alarms: specificity beside it")


@rule("low_specificity", about="specificity threshold", at="evaluate", weight=52)
def low_specificity(s: Snapshot) -> Advice | None:
    """Many false alarms."""
    found = _of(s, "specificity")
    if found is None or found.value >= LOW_SPECIFICITY:
        return None
    if s.task == "multiclass":
        return Advice(f"**Specificity** is {figure(found)} for {outcome(s)}, averaged over the classes: of 100 "
                      f"patients of other classes {100 * (1 - found.value):.0f} are called by that class.",
                      "see in the table of true and called classes on Evaluate which of them are mixed up")
    return Advice(f"**Specificity** is {figure(found)} for {outcome(s)}: {100 * (1 - found.value):.0f} of 100 patients "
                  "without it raise a false alarm.", "move the threshold up, if missing more patients can be borne")


@rule("low_ppv", about="specificity imbalance benefit", at="evaluate predict", weight=43)
def low_ppv(s: Snapshot) -> Advice | None:
    """Most alarms are false because the outcome is rare."""
    found, with_it = _of(s, "ppv"), prevalence(s)
    if found is None or found.value >= 0.5 or s.task == "multiclass":
        return None
    why = f", as it is rare ({with_it:g} %)" if with_it is not None and with_it < 20 else ""
    return Advice(f"Of 100 flagged patients {100 * found.value:.0f} have {outcome(s)} (**positive predictive value** "
                  f"{figure(found)}){why}.", "decide what a false alarm costs before choosing the threshold")


@rule("threshold", about="threshold predict", at="predict", weight=34)
def threshold(s: Snapshot) -> Advice | None:
    """Where the cut lies."""
    if s.report is None or s.report.threshold is None:
        return None
    rule_said = {"youden": "the largest sum of sensitivity and specificity", "sensitivity": "a wanted sensitivity",
                 "cost": "what a miss costs beside a false alarm"}.get(s.run.rule if s.run else "", "a rule")
    return Advice(f"“Yes” is said for {outcome(s)} from a probability of {s.report.threshold:g} on; it was chosen on "
                  f"training cases by {rule_said}.", "move it on the Evaluate screen and see what that costs")


@rule("number_error", about="trust quality", at="evaluate", weight=58)
def number_error(s: Snapshot) -> Advice | None:
    """A number: how much is explained."""
    r2, mae = _of(s, "r2"), _of(s, "mae")
    if r2 is None:
        return None
    off = "" if mae is None else f"; on average it is {mae.value:g} off"
    judged = "hardly better than always saying the mean" if r2.value <= 0.05 else \
        f"about {100 * r2.value:.0f} % of the differences between patients are explained"
    return Advice(f"**R²** is {figure(r2)} for {outcome(s)}: {judged}{off}.",
                  f"ask whether an error of that size matters for {outcome(s)}")


@rule("worst_group", about="groups trust", at="evaluate explain", weight=46)
def worst_group(s: Snapshot) -> Advice | None:
    """The group in which the model does worst (F1)."""
    main = s.main
    told = [each for each in (s.report.groups if s.report else []) if each.value is not None]
    if main is None or not told:
        return None
    worst = min(told, key=lambda each: each.value)
    if main.value - worst.value < APART:
        return None
    between = "" if worst.low is None or worst.high is None else f" ({worst.low:g} to {worst.high:g})"
    chance = "; that interval holds the figure for all, so it may be chance" if _may_be_chance(worst, main) else ""
    does = "does worst" if len(told) > 1 else "does worse"
    return Advice(f"It {does} where {bold(worst.column)} is “{worst.label}” ({worst.share} of cases): {main.title} "
                  f"{worst.value:g}{between}, for all {main.value:g}{chance}.",
                  f"report the figures by {bold(worst.column)}, and ask why that group differs")


@rule("groups_alike", about="groups", at="evaluate explain", weight=19)
def groups_alike(s: Snapshot) -> Advice | None:
    """No group that can be told does worse, or none can be told (F1)."""
    main = s.main
    if main is None or worst_group(s) is not None:
        return None
    groups = s.report.groups
    told = [each for each in groups if each.value is not None]
    if not groups:
        return Advice(f"No groups among {s.cases or 0:,} cases of {outcome(s)} were looked at by themselves.",
                      "pick a column such as sex or age band under the groups on Evaluate")
    by = ", ".join(bold(each) for each in dict.fromkeys(each.column for each in groups))
    if not told:
        return Advice(f"{len(groups)} groups by {by} have too few cases each to tell {main.title} of {outcome(s)}.",
                      "say in the report that this is not known")
    return Advice(f"{main.title} could be told in {len(told)} of {len(groups)} groups by {by}; it is clearly lower in "
                  f"none than for all ({main.value:g}).", "say in the report for which groups this is not known"
                  if len(told) < len(groups) else "report the figures by group all the same")


def _may_be_chance(group: GroupFacts, main: Figure) -> bool:
    return group.high is not None and group.high >= main.value


@rule("gain_of_more", about="size next", at="evaluate", weight=31)
def gain_of_more(s: Snapshot) -> Advice | None:
    """What further patients would bring."""
    report = s.report
    if report is None or report.more is None or report.more_gain is None:
        return None
    worth = "worth collecting" if report.more_gain >= 0.01 else "hardly worth the wait"
    return Advice(f"{report.more:,} more patients would change the headline figure for {outcome(s)} by about "
                  f"{report.more_gain:+.3f}: {worth}.", "see the forecast under Evaluate before asking for more data")
