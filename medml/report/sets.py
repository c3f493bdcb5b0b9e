"""The sets of answers of a run in a report: how often they held the truth, beside what was wanted, and how large."""

from __future__ import annotations

from medml.evaluate.catalogue import many
from medml.measured import ConformalLevel
from medml.report import wording as w
from medml.report.document import Rows
from medml.types import Report

ON_THE_CARD = 0.90


def rows(report: Report) -> Rows:
    """A line for each level that was tried. The report must have some."""
    number = report.task == "regression"
    how = ("Reaches to either side",) if number else ("Answers in a set, on average", "Sets of one answer")
    return Rows(("Wanted", "Held on unseen patients", *how, "Beside what was wanted"), tuple(
        (f"{each.level:.0%}", w.figure(each.held), *(_reach(each) if number else _size(each)), beside(each))
        for each in report.conformal.levels))


def _reach(each: ConformalLevel) -> tuple[str]:
    return ("too few patients to say" if each.width is None else f"{each.width:g}",)


def _size(each: ConformalLevel) -> tuple[str, str]:
    return tuple("-" if found is None else w.figure(found, 2) for found in (each.size, each.single))


def beside(each: ConformalLevel) -> str:
    """What the interval of how often the truth was held says of the level that was wanted."""
    if each.held.value is None:
        return "could not tell"
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
            f"{w.figure(each.held)} of patients who had no part in them: {beside(each)}.")
