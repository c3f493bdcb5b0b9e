"""From predictions to a Report: figures with intervals, curves, baselines in the same table, checks, stamps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from medml.cases import Fold, Predictions
from medml.evaluate import clinical, curves, score_in_use
from medml.evaluate.catalogue import INTERNAL
from medml.evaluate.checks import Evidence, run_checks
from medml.evaluate.context import Context
from medml.evaluate.figures import Figures, classes_told, figures_of, grid_points, table_of
from medml.evaluate.intervals import DRAWS
from medml.evaluate.missing import missing_shares
from medml.evaluate.scored import Scored, score
from medml.evaluate.thresholds import chooser, rule_in_words
from medml.evaluate.words import HEADLINE
from medml.steps.second_look import audit
from medml.types import SMALL_GROUP, Metric, Report, SplitPlan, Task, UsePlan

EXPLORATORY = "exploratory: too few patients"
CHOSEN = ("Chosen on {where} as {rule}. The figures beside it were judged in every fold by the threshold of the other "
          "folds, so no patient helped to choose the cut that judged them.")


def headline_name(task: Task) -> str:
    """Which metric speaks for a model of that task: auroc (macro over several classes), r2 for a number."""
    return HEADLINE[task]


def headline(report: Report) -> str:
    """The name of the metric that speaks for this report."""
    return headline_name(report.task)


def metrics_of(predictions: Predictions, *, folds: Sequence[Fold] = (), threshold: float | None = None, seed: int,
               draws: int = DRAWS) -> dict[str, Metric]:
    """Every metric of the task with its 95 % interval: patients resampled, repeats averaged inside each draw.

    threshold  decides between two classes: the report's, for a held-out part, which never chooses its own
    """
    scored = score(predictions, folds, threshold=threshold, seed=seed)
    return table_of(figures_of(scored, seed=seed, draws=draws, with_curves=False), scored)


def evaluate(predictions: Predictions, baselines: Mapping[str, Predictions], context: Context, *,
             seed: int, draws: int = DRAWS) -> Report:
    """Measure a model on rows that it was not fitted on, and run every check on how that came about.

    predictions  out-of-fold, or of a validation part; positions as in context.cases
    baselines    by name, on the same folds: those of medml.evaluate.baselines.required, and more
    raises       ValueError where nothing was predicted at all, or a baseline was judged on other rows
    """
    use = context.config.use
    scored = score(predictions, context.folds, seed=seed, choose=chooser(use))
    where = clinical.range_of(use, scored)
    model = figures_of(scored, seed=seed, draws=draws, benefit=where and where[:2])
    table, beside = {}, {}
    for name, each in baselines.items():
        other = score(each, context.folds, seed=seed, choose=chooser(use))
        if not np.array_equal(other.measured, scored.measured):
            raise ValueError(f"baseline {name!r} was judged on {other.n_cases} rows, the model on {scored.n_cases}")
        benefit = where[:2] if where and name == score_in_use.NAME else None
        beside[name] = figures_of(other, seed=seed, draws=draws, with_curves=False, benefit=benefit)
        table[name] = table_of(beside[name], other)
    report = _with_curves(_plain(predictions, scored, model, context), scored, model, draws)
    report = report.model_copy(update={"baselines": table})
    report = clinical.with_use(report, context.cases, use, scored, model, beside, seed=seed, draws=draws)
    return _with_checks(report, Evidence(context, predictions, scored, model, beside, report, seed, draws))


def measured_on(split: SplitPlan, folds: Sequence[Fold]) -> str:
    """What the figures come from, in words that go on from "Measured on"."""
    numbers, repeats = {each.number for each in folds}, {each.repeat for each in folds}
    if len(numbers) < 2:
        return "validation part"
    times = {1: "", 2: ", twice"}.get(len(repeats), f", {len(repeats)} times")
    inside = ", the part kept closed aside" if split.scheme == "held_out" else ""
    return f"cases that the model had not learned from (cross-validation in {len(numbers)} parts{times}{inside})"


def _plain(predictions: Predictions, scored: Scored, model: Figures, context: Context) -> Report:
    binary, classes = predictions.task == "binary", predictions.task != "regression"
    where = measured_on(context.config.split, context.folds)
    y = predictions.y[scored.measured]
    return Report(
        task=predictions.task, classes=list(predictions.classes) if classes else [],
        positive=predictions.classes[-1] if binary else None, n_cases=scored.n_cases, n_patients=scored.n_patients,
        n_events=int((y == 1).sum()) if binary else None, measured_on=where,
        threshold=_threshold(scored, context.config.use) if binary else None,
        threshold_reason=CHOSEN.format(where=where, rule=rule_in_words(context.config.use)) if binary else "",
        metrics=table_of(model, scored), baselines={},
        confusion=curves.confusion(scored.samples, scored.n_classes) if classes else [],
        selection=list(context.selection), selection_note=_selection_note(context), flow=context.boxes,
        missing=missing_shares(context), looks=context.looks)


def _threshold(scored: Scored, use: UsePlan) -> float:
    """One threshold for later patients, from all repeats; the figures of the report never use it on these rows."""
    return chooser(use)(np.concatenate([each.y for each in scored.samples]),
                        np.concatenate([each.p[:, 1] for each in scored.samples]))


def _selection_note(context: Context) -> str:
    """What selection was, and whether a person changed its lists after seeing how columns go with the outcome."""
    plan, note = context.config.selection, context.selection_note
    if plan.override_after_scores:
        lists = ", ".join([*(f"{name} (kept)" for name in plan.forced_in),
                           *(f"{name} (left out)" for name in plan.forced_out)])
        note += (" " if note else "") + ("Columns were forced in or out by hand after scores that look at the outcome "
                                         f"had been seen, so the figures may be too good: {lists or 'none now'}.")
    return note


def _with_curves(report: Report, scored: Scored, model: Figures, draws: int) -> Report:
    if report.task == "regression":
        update = {"residuals": curves.residuals(scored, SMALL_GROUP, seed=model.seed, draws=draws)}
    else:
        update = {"roc": model.curve("roc", "sensitivity"), "precision_recall": model.curve("pr", "precision"),
                  "calibration": model.curve("calibration", "observed")}
    if report.task == "binary":
        update["grid"] = grid_points(model, scored)
    return report.model_copy(update=update | {
        "calibration_line": model.line(scored.n_cases),
        "calibration_of_classes": model.class_lines(scored.n_cases, classes_told(scored, report.classes))})


def _with_checks(report: Report, evidence: Evidence) -> Report:
    checks = run_checks(evidence)
    found = {each.id: each for each in checks}
    hidden = ["accuracy"] if found["E1"].figures.get("hidden") else []
    stamps = [INTERNAL]
    if found["N1"].figures.get("share_of_needed", 1.0) < 0.5:
        stamps.append(EXPLORATORY)
    looked_again = audit(evidence.context.recipe)
    stamps += [looked_again] if looked_again else []
    return report.model_copy(update={"checks": checks, "hidden": hidden, "stamps": stamps})
