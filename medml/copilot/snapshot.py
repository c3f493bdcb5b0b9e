"""Profile, Recipe, TrainConfig, history and Report -> Snapshot, in one place and with nothing else read."""

from __future__ import annotations

from collections.abc import Sequence

from medml import families, gallery, project
from medml.config import class_counts, encoded_columns, facts_of, n_patients, n_rows, usual_params
from medml.copilot.curves import curve_facts
from medml.copilot.facts import (
    STAGES,
    ClassShare,
    ColumnFacts,
    Role,
    RunFacts,
    Setting,
    Snapshot,
    Stage,
    StepFacts,
    Worry,
)
from medml.copilot.naming import Names, label, share
from medml.copilot.proposal import zone_of
from medml.copilot.reports import report_facts
from medml.errors import UserError
from medml.privacy import suppress
from medml.steps import registry as all_steps
from medml.types import Choice, Column, Point, Profile, Recipe, Report, Table, TrainConfig

BEYOND = 20  # times k: present cells below which fewer than k rows may lie beyond the 5th or 95th percentile
TITLES_OF_CLASSES = 12  # classes of an outcome that are named


def snapshot(profile: Profile, *, stage: Stage, choice: Choice | None = None, recipe: Recipe | None = None,
             config: TrainConfig | None = None, history: Sequence[Point] = (),
             report: Report | None = None) -> Snapshot:
    """What may be read of one state of the work. Values that are not there yet are None.

    raises  ValueError for a stage that does not exist
    """
    if stage not in STAGES:
        raise ValueError(f"no stage {stage!r}; there are {', '.join(STAGES)}")
    choice = choice or (config.choice if config else None)
    table = _table(profile, choice)
    if table is None:
        return Snapshot(stage=stage, k=profile.k, rows=None, unread=_unread(profile))
    names = Names(table.columns, [*families.registry.names(), *(_labels(report, profile.k) if report else [])])
    kept = {each.column: each.frequency for each in report.selection} if report else {}
    parts = {"columns": [_column(each, table, _role(each, table, choice), kept.get(each.name), names, profile.k)
                         for each in table.columns],
             "rows": _shown(table.rows, profile.k), "duplicates": share(table.duplicates, table.rows, profile.k),
             "repeats": table.repeats is not None and table.repeats.n_patients < table.repeats.n_rows,
             "unread": _unread(profile), "of": "pictures" if table.pictures is not None else "table"}
    if choice is not None:
        parts |= _chosen(table, choice, recipe, names, profile.k)
    if recipe is not None:
        parts["steps"] = [StepFacts(name=each.name, title=all_steps.get(each.name).title, on=each.on)
                          for each in recipe.steps]
    if config is not None:
        parts |= {"run": _run(config, table, recipe)}
    if report is not None:
        parts |= {"report": report_facts(report, names, profile.k, config.family if config else "")} | \
            _counted(report, parts["rows"], profile.k)
    return Snapshot(stage=stage, k=profile.k, curve=curve_facts(history), **parts)


def snapshot_of_run(run: str, stage: Stage = "evaluate") -> Snapshot:
    """What may be read of a finished run at its current checkpoint. UserError if it is gone."""
    opened = gallery.open_run(run)
    return snapshot(opened.profile, stage=stage, recipe=opened.recipe, config=opened.config, history=opened.history,
                    report=opened.report)


def snapshot_of_project(name: str, stage: Stage | None = None) -> Snapshot:
    """What may be read of a project at a stage (None: where it stands), its newest usable run from training on."""
    at: Stage = stage or project.stage_of(name)
    profile = project.profile(name)
    if profile is None:
        project.folder(name)  # gone: in words
        return Snapshot(stage=at, k=Profile.model_fields["k"].default, rows=None)
    for run in reversed(project.runs_of(name)) if at in ("train", "evaluate", "explain", "predict") else ():
        try:
            return snapshot_of_run(run, at)
        except UserError:
            continue  # an older one may be whole
    return snapshot(profile, stage=at, choice=project.choice(name), recipe=project.recipe(name),
                    config=project.config(name))


def _labels(report: Report, k: int) -> list[str]:
    """Classes and groups that sentences may name."""
    return [*report.classes, *(each.label for each in report.subgroups if each.n >= k)]


def _table(profile: Profile, choice: Choice | None) -> Table | None:
    """The chosen table, else the largest."""
    if choice is None:
        return max(profile.tables, key=lambda each: each.rows, default=None)
    return next((each for each in profile.tables if each.ref == choice.table), None)


def _shown(n: int, k: int) -> int | None:
    return n if n >= k else None


def _unread(profile: Profile) -> str:
    refused = sum(each.action == "refuse" for each in profile.files)
    return share(refused, len(profile.files), profile.k)


def _column(column: Column, table: Table, role: Role, kept: float | None, names: Names, k: int) -> ColumnFacts:
    """One column's aggregates, as may be sent on."""
    wide = column.kind == "number" and table.rows - column.missing >= BEYOND * k
    enough = column.kind == "number" and table.rows - column.missing >= 2 * k
    return ColumnFacts(
        name=names.of(column.name), kind=column.kind, role=role, unit=_unit(column),
        missing=_missing(column.missing, table.rows, k), low=column.low if wide else None,
        median=column.median if enough else None, high=column.high if wide else None,
        worries=[Worry(code=each.code, severity=each.severity, auroc=each.figures.get("auroc"))
                 for each in column.suspicions],
        kept=kept)


def _unit(column: Column) -> str:
    shown = label(column.unit, 0) if column.unit else ""
    return "" if shown.startswith("group ") else shown


def _missing(n: int, rows: int, k: int) -> float:
    """Whole percent; 0.5 for gaps in fewer than k rows, 99.5 for values in fewer than k."""
    if not n or not rows:
        return 0.0
    if n == rows:
        return 100.0
    return 0.5 if n < k else 99.5 if rows - n < k else float(min(99, max(1, round(100 * n / rows))))


def _role(column: Column, table: Table, choice: Choice | None) -> Role:
    name = column.name
    if choice is not None and name == choice.target:
        return "outcome"
    if name == (choice.patient if choice else table.patient.column if table.patient else None):
        return "patient"
    left_out = choice.leave_out if choice else [each.column for each in table.leave_out]
    return "left out" if name in left_out or column.kind in ("identifier", "empty") else "predictor"


def _chosen(table: Table, choice: Choice, recipe: Recipe | None, names: Names, k: int) -> dict[str, object]:
    """What was picked after the scan, and what follows from it in shares."""
    cases, patients = _beside(n_rows(table, choice, recipe), table.rows, k), n_patients(table, choice, recipe)
    column = table.column(choice.target)
    counts = class_counts(table, choice, recipe)
    return {"target": names.of(choice.target), "task": choice.task,
            "positive": None if choice.positive is None else label(choice.positive, 1),
            "patient": names.of(choice.patient) if choice.patient else None,
            "cases": cases, "patients": _beside(patients, table.rows, k, cases or 0),
            "parameters": encoded_columns(table, choice, recipe) if choice.pictures is None else None,
            "classes": _classes(counts, choice, [each.label for each in column.levels], k)}


def _beside(n: int, rows: int, k: int, *others: int) -> int | None:
    """A total; the rows' own, or another one, where the difference would tell a group of fewer than k."""
    return None if n < k else next((each for each in (rows, *others) if abs(each - n) < k), n)


def _classes(counts: list[int], choice: Choice, labels: list[str], k: int) -> list[ClassShare]:
    if choice.task == "binary" and len(counts) == 2:
        others = [each for each in labels if each != choice.positive]
        shown = ["no" if choice.positive is not None and len(others) != 1 else (others or ["no"])[0],
                 choice.positive or (labels[1] if len(labels) > 1 else "yes")]
    else:
        shown = [*labels, *["the rest"] * len(counts)][:len(counts)]
    return _shares(list(zip(shown, counts, strict=True)), k)


def _shares(counts: list[tuple[str, int]], k: int) -> list[ClassShare]:
    """Classes with the shares that may be told: where one has fewer than k cases, enough others are not told either
    that its size cannot be worked out as the rest."""
    total = sum(n for _, n in counts)
    told = {each.label for each in suppress([(str(place), n) for place, (_, n) in enumerate(counts) if n], k).levels}
    return [ClassShare(label=label(name, place + 1), share=_share(n, total, k, str(place) in told),
                       pct=float(round(100 * n / total)) if str(place) in told else None)
            for place, (name, n) in enumerate(counts)][:TITLES_OF_CLASSES]


def _share(n: int, total: int, k: int, told: bool) -> str:
    return share(n, total, k) if told or n < k or total - n < k else "not told"


def _run(config: TrainConfig, table: Table, recipe: Recipe | None) -> RunFacts:
    family = families.registry.get(config.family)
    usual, zones = usual_params(table, config, recipe), family.zones(facts_of(table, config, recipe))
    chosen = usual | {name: value for name, value in config.params.items() if value is not None}
    settings = [Setting(name=each.name, title=each.title, sentence=each.sentence, value=chosen[each.name],
                        usual=usual[each.name], low=each.low, high=each.high, choices=list(each.choices),
                        zero=each.meaning(0, config.choice.task),
                        zone=zone_of(each, chosen[each.name], zones.get(each.name)), borders=zones.get(each.name))
                for each in family.params]
    split = config.split
    return RunFacts(family=config.family, title=family.titled(config.choice.task), settings=settings,
                    rounds_setting=family.rounds_param, by=split.by, scheme=split.scheme, folds=split.folds,
                    repeats=split.repeats, selection=config.selection.on, compared=config.compared,
                    rule=config.use.rule)


def _counted(report: Report, rows: int | None, k: int) -> dict[str, object]:
    """Cases, patients and classes as the run counted them, in the place of what the scan expected."""
    cases = report.n_cases if rows is None else _beside(report.n_cases, rows, k)
    patients = _beside(report.n_patients, cases or 0, k, rows or 0)
    known: dict[str, object] = {"cases": cases, "patients": patients}
    if report.task == "binary" and report.n_events is not None and len(report.classes) == 2:
        no = next((each for each in report.classes if each != report.positive), "no")
        known["classes"] = _shares([(no, report.n_cases - report.n_events),
                                    (report.positive or "yes", report.n_events)], k)
    return known
