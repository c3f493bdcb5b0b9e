"""The sets of answers of a run in a report: how often they held the truth, beside what was wanted, and how large."""

from __future__ import annotations

from medml.evaluate.catalogue import many
from medml.measured import Conformal, ConformalLevel
from medml.report import wording as w
from medml.report.document import Rows
from medml.types import Report

ON_THE_CARD = 0.90


def rows(report: Report) -> Rows:
    """A line for each level that was tried. The report must have some."""
    number = report.task == "regression"
    how = ("Reaches to either side",) if number else ("Answers in a set, on average", "Sets of one answer")
    return Rows(("Wanted", "Held on unseen patients", *how, "Beside what was wanted"), tuple(
        (f"{each.level:.0%}", w.figure(each.held), *(_reach(each) if number else _size(each)),
         beside(each, report.conformal)) for each in report.conformal.levels),
        (0.1, 0.3, 0.25, 0.35) if number else (0.09, 0.24, 0.21, 0.21, 0.25))


def _reach(each: ConformalLevel) -> tuple[str]:
    return ("too few patients to say" if each.width is None else f"{each.width:g}",)


def _size(each: ConformalLevel) -> tuple[str, str]:
    return tuple("-" if found is None else w.figure(found, 2) for found in (each.size, each.single))


def beside(each: ConformalLevel, found: Conformal) -> str:
    """What the interval of how often the truth was held says of the level that was wanted.

    Where each class is judged by itself, the frequent one is held more often than it must: it is the likeliest, which
    belongs to every set.
    """
    if each.held.value is None:
        return "could not tell"
    if each.held.low > each.level and found.by_class:
        return "more often than wanted, so that it holds in the rare class too"
    if each.held.low > each.level and each.single and each.single.value is not None and each.single.value >= each.level:
        return "more often than wanted: no set is smaller than one answer"
    if each.held.low > each.level:
        return "more often than wanted: the sets are larger than they need be"
    if each.held.high < each.level:
        return "less often than wanted: do not count on these sets"
    return "as often as wanted"


def line(report: Report) -> str:
    """One sentence on the sets of 90 %; "" where there are none."""
    found = [] if report.conformal is None else [each for each in report.conformal.levels if each.level == ON_THE_CARD]
    if not found:
        return ""
    each = found[0]
    if report.task == "regression":
        what = "Intervals" if each.width is None else f"Intervals that reach {each.width:g} to either side"
    else:
        what = "Sets of answers" if each.size is None else \
            f"Sets of {w.figure(each.size, 2)} of {many(len(report.classes), 'answer')} on average"
    return (f"{what}, meant to hold the truth in {100 * each.level:.0f} % of patients, held it in "
            f"{w.figure(each.held)} of patients who had no part in them: {beside(each, report.conformal)}.")
