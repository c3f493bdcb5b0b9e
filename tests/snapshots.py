"""A snapshot of an invented run, and ways to change one figure of it, for the tests of the co-pilot."""

from __future__ import annotations

from medml.copilot.facts import (
    CheckFacts,
    ClassShare,
    ColumnFacts,
    CurveFacts,
    Figure,
    GroupFacts,
    ReportFacts,
    RunFacts,
    Setting,
    Snapshot,
    StepFacts,
    Worry,
)
from medml.families import registry

TITLES = {"auroc": "AUROC", "slope": "Calibration slope", "intercept": "Calibration in the large",
          "ici": "Calibration index (ICI)", "ppv": "Positive predictive value", "r2": "R²", "mae": "Mean absolute "
                                                                                                   "error"}


def column(name: str = "chol", role: str = "predictor", kind: str = "number", worry: str = "",
           severity: str = "caution", auroc: float | None = None, **known) -> ColumnFacts:
    worries = [Worry(code=worry, severity=severity, auroc=auroc)] if worry else []
    return ColumnFacts(name=name, kind=kind, role=role, worries=worries, **known)


def figure(name: str, value: float, half: float = 0.04, **known) -> Figure:
    return Figure(name=name, title=TITLES.get(name, name.capitalize()), value=value, low=round(value - half, 3),
                  high=round(value + half, 3), **known)


def check(name: str, verdict: str = "warn", **figures: float) -> CheckFacts:
    return CheckFacts(id=name, title=f"Title of {name}", verdict=verdict, said="What was found.", fix="Do this.",
                      figures=figures)


def report(headline: str = "auroc", **changed) -> ReportFacts:
    known = {"measured_on": "unseen cases", "headline": headline, "figures": [figure("auroc", 0.85)], "passed": 30}
    return ReportFacts(**(known | changed))


def run(family: str = "mlp", moved: dict | None = None, **changed) -> RunFacts:
    """A run of that family with the usual settings for 303 cases, those in `moved` {name: (value, zone)} changed."""
    plug_in, moved = registry.get(family), moved or {}
    usual = plug_in.settled({}, 303, 13, "binary")
    settings = [Setting(name=each.name, title=each.title, sentence=each.sentence, usual=usual[each.name],
                        value=moved.get(each.name, (usual[each.name], ""))[0], low=each.low, high=each.high,
                        zone=moved.get(each.name, ("", "usual"))[1]) for each in plug_in.params]
    known = {"family": family, "title": plug_in.title, "settings": settings, "rounds_setting": plug_in.rounds_param}
    return RunFacts(**(known | changed))


def curve(shape: str, **changed) -> CurveFacts:
    known = {"rounds": 60, "best_round": 40, "train_first": 0.7, "train_last": 0.3, "unseen_first": 0.7,
             "unseen_best": 0.5, "unseen_last": 0.52, "shape": shape}
    return CurveFacts(**(known | changed))


def classes(pct: float = 16.0) -> list[ClassShare]:
    return [ClassShare(label="no", share=f"{100 - pct:g} %", pct=100 - pct),
            ClassShare(label="yes", share=f"{pct:g} %", pct=pct)]


def group(label: str, value: float | None, share: str = "30 %") -> GroupFacts:
    return GroupFacts(column="sex", label=label, share=share, value=value)


def step(title: str, on: bool = True) -> StepFacts:
    return StepFacts(name=title.lower(), title=title, on=on)


def made(**changed) -> Snapshot:
    """303 rows, three columns, an outcome; nothing to worry about unless a test says so."""
    known = {"stage": "evaluate", "k": 10, "rows": 303, "cases": 303, "patients": 303, "target": "disease",
             "task": "binary", "positive": "yes", "patient": "column 9",
             "columns": [column("age"), column("chol"), column("sex", kind="category"),
                         column("disease", role="outcome", kind="yes_no")]}
    return Snapshot(**(known | changed))
