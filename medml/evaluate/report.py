"""From predictions to a Report: figures with intervals, curves, baselines in the same table, checks, stamps."""

from __future__ import annotations

from collections.abc import Mapping

from medml.cases import Predictions
from medml.evaluate.context import Context
from medml.evaluate.intervals import DRAWS, bootstrap, metric, once
from medml.evaluate.metrics import measure_all
from medml.evaluate.scored import Scored, score
from medml.evaluate.words import HEADLINE
from medml.types import Metric, Report, Task


def headline_name(task: Task) -> str:
    """Which metric speaks for a model of that task: auroc (macro over several classes), r2 for a number."""
    return HEADLINE[task]


def headline(report: Report) -> Metric:
    """The metric that speaks for this report."""
    return report.metrics[headline_name(report.task)]


def metrics_of(scored: Scored, *, seed: int, draws: int = DRAWS) -> dict[str, Metric]:
    """Every metric of the task with its 95 % interval, patients resampled, repeats averaged inside each draw."""
    measure = measure_all(scored)
    values = once(measure, len(scored.patient))
    drawn = bootstrap(measure, scored.patient, scored.n_patients, seed=seed, draws=draws)
    return {name: metric(float(values[name][0]), drawn[name], scored.n_cases) for name in values}


def evaluate(predictions: Predictions, baselines: Mapping[str, Predictions], context: Context, *,
             seed: int) -> Report:
    """Measure a model on rows that it was not fitted on.

    predictions  out-of-fold, or of a validation part, with positions as in context.cases
    baselines    by name, on the same folds; see medml.evaluate.baselines
    raises       ValueError where nothing was predicted at all
    """
    scored = score(predictions, context.folds, seed=seed)
    measured = metrics_of(scored, seed=seed)
    table = {name: metrics_of(score(each, context.folds, seed=seed), seed=seed) for name, each in baselines.items()}
    return Report(task=predictions.task, classes=list(predictions.classes),
                  positive=predictions.classes[-1] if predictions.task == "binary" else None,
                  n_cases=scored.n_cases, n_patients=scored.n_patients, measured_on="out-of-fold predictions",
                  metrics=measured, baselines=table)

