"""A Report as the co-pilot may read it: figures with intervals, groups in shares, checks with their words made fit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from medml.copilot.facts import CheckFacts, Figure, GroupFacts, ReportFacts
from medml.copilot.naming import Names, label, share
from medml.evaluate import baselines, headline
from medml.evaluate.words import NUMBER, title
from medml.types import Metric, Report

ASKING = {"block": 0, "warn": 1, "could_not_tell": 2, "info": 3}
COUNTED = ("n", "events", "cases", "patients", "rows", "n_cases", "n_patients", "smallest", "dropped", "copies",
           "across", "kept")  # figures of checks that count people


def report_facts(report: Report, names: Names, k: int, family: str = "") -> ReportFacts:
    """Aggregates of a finished run; what E1 hides stays hidden.

    family  of the run: a baseline that is the very same model says nothing beside it
    """
    main, others = headline(report), {row: each for row, each in report.baselines.items()
                                      if not baselines.is_its_own(family, row)}
    shown = [_figure(name, report.metrics[name], others) for name in report.metrics if name not in report.hidden]
    external = report.external[-1] if report.external else None
    return ReportFacts(
        measured_on=report.measured_on, headline=main, figures=[each for each in shown if each is not None],
        threshold=report.threshold,
        calibration={name: told for name, figure in report.calibration_line.items()
                     if (told := _figure(name, figure)) is not None},
        groups=_groups(report, names, k), checks=_checks(report, names, k),
        passed=sum(each.verdict in ("pass", "info") for each in report.checks), stamps=report.stamps,
        held_out=_value(report.held_out.get(main)), looks=report.looks,
        gain=_value(report.net_benefit.gain) if report.net_benefit else None,
        recalibrated=_value(report.recalibration.after.get("ici")) if report.recalibration else None,
        external=_value(external.metrics.get(main)) if external else None,
        external_name=label(external.source, 1) if external else "", silent=_silent(report),
        more=report.forecast.more if report.forecast else None,
        more_gain=_value(report.forecast.gain) if report.forecast else None)


def _value(figure: Metric | None) -> float | None:
    return None if figure is None or figure.value is None else round(figure.value, 3) + 0.0  # never -0


def _ends(figure: Metric | None) -> tuple[float, float] | tuple[None, None]:
    """Where the interval begins and ends; (None, None) where it has no width."""
    return (None, None) if figure is None or not figure.spread else (round(figure.low, 3), round(figure.high, 3))


def _figure(name: str, figure: Metric, others: Mapping[str, Mapping[str, Metric]] = MappingProxyType({}),
            ) -> Figure | None:
    if figure.value is None:
        return None
    beside = {row: value for row, each in others.items() if (value := _value(each.get(name))) is not None}
    best = "logistic" if "logistic" in beside else "ridge" if "ridge" in beside else next(iter(beside), "")
    task = "regression" if name in NUMBER else "binary"
    low, high = _ends(figure)
    return Figure(name=name, title=title(name), value=round(figure.value, 3), low=low, high=high,
                  baseline=beside.get(best), baseline_name=baselines.title(best, task=task) if best else "")


def _groups(report: Report, names: Names, k: int) -> list[GroupFacts]:
    return [GroupFacts(column=names.of(each.column), label=label(each.label, place),
                       share=share(each.n, report.n_cases, k), value=_value(each.figure),
                       **dict(zip(("low", "high"), _ends(each.figure), strict=True)))
            for place, each in enumerate(report.subgroups, start=1) if each.n >= k]


def _silent(report: Report) -> float | None:
    """By the check of it, whatever its verdict; None where those are too few to be told."""
    tried = next((each for each in report.checks if each.id == "P1"), None)
    share = tried.figures.get("share") if tried else None
    return None if share is None else round(share, 3)


def _told(said: str, report: Report, names: Names, k: int) -> str:
    """A check's sentence made fit; a group's name in it ("sex 1") is a name, and its digit counts nobody."""
    for each in report.subgroups:
        if each.n >= k:
            said = said.replace(f"{each.column} {each.label} (", f"“{each.column}” “{each.label}” (")
    return names.told(said, report.n_cases, k)


def _checks(report: Report, names: Names, k: int) -> list[CheckFacts]:
    """Those that ask for something, the most pressing first."""
    asking = sorted((each for each in report.checks if each.verdict in ASKING), key=lambda each: ASKING[each.verdict])
    return [CheckFacts(id=each.id, title=each.title, verdict=each.verdict,
                       said=_told(each.what, report, names, k), fix=_told(each.fix, report, names, k),
                       figures={name: round(value, 3) for name, value in each.figures.items()
                                if not (name in COUNTED and abs(value) < k)})
            for each in asking]
