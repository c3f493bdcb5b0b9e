"""F1 X1: for whom it was measured, and where."""

from __future__ import annotations

from medml.evaluate.catalogue import external_check, found, many, named
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.words import HEADLINE, title
from medml.types import Check, Subgroup

WORSE = 0.05  # by how much a group's figure must lie under that of all, with its whole interval below, to be named


@rule("F1")
def subgroups(evidence: Evidence) -> Check:
    """Sex, age band, site and what the clinician picked; a group whose whole interval lies under the figure of all."""
    report, groups = evidence.report, evidence.report.subgroups
    if not groups:
        return found("F1", "could_not_tell", "No column for sex, age or site was found, so nobody can say for whom the "
                                             "model works.", groups=0)
    name = HEADLINE[report.task]
    whole = report.metrics[name].value
    told = [each for each in groups if each.enough and each.figure is not None and each.figure.value is not None]
    few = len(groups) - len(told)
    columns = list(dict.fromkeys(each.column for each in groups))
    what = f"{title(name)} in {many(len(told), 'group')} by {named(columns)}"
    if few:
        what += f"; in {many(few, 'group')} there is not enough to say"
    if not told or whole is None:
        return found("F1", "could_not_tell", f"{what}.", groups=len(groups), told=len(told))
    worst = min(told, key=lambda each: each.figure.value)
    figures = {"groups": len(groups), "told": len(told), "worst": worst.figure.value, "worst_low": worst.figure.low,
               "worst_high": worst.figure.high, "n": worst.n}
    low = [each for each in told if each.figure.high < whole and each.figure.value < whole - WORSE]
    if low and report.task == "regression":
        return found("F1", "warn", f"{what}. It explains less of what varies within {'; '.join(map(_said, low[:3]))} "
                                   f"than among all ({whole:.2f}); R² is lower, too, where the outcome itself varies "
                                   "less, with errors no larger.",
                     "Look at the calibration slopes of these groups before you rely on it for them.", **figures)
    if low:
        return found("F1", "warn", f"{what}. It works worse for {'; '.join(map(_said, low[:3]))} than for all "
                                   f"({whole:.2f}).",
                     "Do not rely on it for these patients before more of them were seen.", **figures)
    return found("F1", "info", f"{what}. The lowest: {_said(worst)}; for all {whole:.2f}.", **figures)


def _said(group: Subgroup) -> str:
    figure = group.figure
    return f"{group.column} {group.label} ({figure.value:.2f}, {figure.between('.2f')}, n = {group.n:,})"


@rule("X1")
def data_from_elsewhere(evidence: Evidence) -> Check:
    """No run has any on the day it is made."""
    return external_check([])


