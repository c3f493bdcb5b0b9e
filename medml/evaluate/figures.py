"""All figures of one model from one pass over the bootstrap draws: metrics, curves, grid, calibration line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medml.evaluate import calibration
from medml.evaluate.curves import plan_grid, plan_precision, plan_roc, short
from medml.evaluate.intervals import (
    ENOUGH,
    Measure,
    Measured,
    bootstrap,
    mean_told,
    metric,
    once,
    wilson,
    with_training,
)
from medml.evaluate.metrics import by_repeat, measure_each
from medml.evaluate.scored import Sample, Scored
from medml.evaluate.thresholds import GRID
from medml.evaluate.utility import STEPS, plan_benefit
from medml.types import SMALL_GROUP, Curve, GridPoint, Metric

SHARES = frozenset({"sensitivity", "specificity", "ppv", "npv", "accuracy"})
PERFECT_AT_ONE = SHARES | {"auroc", "auprc", "f1", "balanced_accuracy", "mcc"}


@dataclass(frozen=True, slots=True)
class Figures:
    """value: "part.name" -> (points,) or ();  drawn: "part.name" -> (draws,) or (points, draws), repeats averaged.

    each_repeat  figure -> (repeats, draws) as drawn; the same seed gives the same patients, so two models can be
                 paired ("benefit.mean" among the figures where it was asked for)
    """

    value: Measured
    drawn: Measured
    each_repeat: Measured
    grids: dict[str, np.ndarray]
    seed: int
    n_folds: int

    def difference(self, other: Figures, name: str) -> tuple[float, np.ndarray]:
        """This model minus another in one figure ("auroc", "benefit.mean"), and the (draws,) of that difference: same
        patients on both sides."""
        key = name if "." in name else f"metric.{name}"
        value = float(self.value[key] - other.value[key])
        mine, theirs = self.each_repeat[name], other.each_repeat[name]
        if len(mine) != len(theirs):  # a baseline that was fitted once only
            mine, theirs = mean_told(mine)[None], mean_told(theirs)[None]
        return value, with_training(mine - theirs, np.float64(value), self.n_folds)

    def curve(self, part: str, name: str) -> Curve | None:
        """A curve with its 95 % band; None where a point or its band cannot be told."""
        key = f"{part}.{name}"
        if key not in self.value:
            return None
        y, drawn = self.value[key], self.drawn[key]
        if not np.isfinite(y).all() or (np.isfinite(drawn).mean(axis=1) < ENOUGH).any():
            return None
        low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=1)
        return Curve(x=short(self.grids[part]), y=short(y), low=short(np.minimum(low, y)),
                     high=short(np.maximum(high, y)))

    def line(self, n: int) -> dict[str, Metric]:
        """Calibration slope, calibration in the large and the integrated calibration index (several classes: the last
        alone, of how sure the model was)."""
        keys = {"slope": "line.slope", "intercept": "line.intercept", "ici": "ici.ici"}
        return {name: metric(float(self.value[key]), self.drawn[key], n) for name, key in keys.items()
                if key in self.value}


    def class_lines(self, n: int, classes: dict[int, str]) -> dict[str, dict[str, Metric]]:
        """Slope and calibration in the large of these classes against the rest, by name; {} for two classes."""
        return {label: {name: metric(float(self.value[f"lines.{name} {place}"]), self.drawn[f"lines.{name} {place}"], n)
                        for name in ("slope", "intercept")}
                for place, label in classes.items() if f"lines.slope {place}" in self.value}


def figures_of(scored: Scored, *, seed: int, draws: int, with_curves: bool = True,
               benefit: tuple[float, float] | None = None) -> Figures:
    """Work out everything that a report needs of one model.

    with_curves  False: metrics alone, for baselines and a held-out part
    benefit      two classes: the thresholds between which net benefit is compared; None: no decision curve
    """
    parts: dict[str, Measure] = {"metric": measure_each(scored)}
    grids: dict[str, np.ndarray] = {}
    if with_curves:
        grids = _add_curves(parts, scored)
    if benefit is not None:
        parts["benefit"] = repeated(scored, lambda each: plan_benefit(each, *benefit))
        grids["benefit"] = STEPS
    return _worked_out(scored, parts, grids, seed=seed, draws=draws)


def measured(scored: Scored, plans: Mapping[str, Callable[[Sample], Measure]], grids: dict[str, np.ndarray], *,
             seed: int, draws: int) -> Figures:
    """The figures of those parts alone: {"line": plan_line, ...}; grids of the parts that are curves."""
    return _worked_out(scored, {part: repeated(scored, plan) for part, plan in plans.items()}, grids, seed=seed,
                       draws=draws)


def _worked_out(scored: Scored, parts: dict[str, Measure], grids: dict[str, np.ndarray], *, seed: int,
                draws: int) -> Figures:
    measure = _together(parts)
    value = {name: mean_told(each)[..., 0] for name, each in once(measure, len(scored.patient)).items()}
    each_repeat = bootstrap(measure, scored.patient, scored.n_patients, seed=seed, draws=draws)
    drawn = {name: np.clip(with_training(each, value[name], scored.n_folds), *bounds(name))
             for name, each in each_repeat.items()}
    metrics = {name.removeprefix("metric."): each for name, each in each_repeat.items()
               if name.startswith("metric.") or name == "benefit.mean"}
    return Figures(value, drawn, metrics, grids, seed, scored.n_folds)


def bounds(name: str) -> tuple[float, float]:
    """The least and the largest that a figure can be; widening must not go beyond."""
    part, _, figure = name.partition(".")
    if part in ("line", "lines", "benefit") or name in ("grid.tp", "grid.fp"):
        return -np.inf, np.inf
    if figure in ("mae", "rmse", "log_loss", "brier"):
        return 0.0, 2.0 if figure == "brier" else np.inf
    return {"r2": -np.inf, "mcc": -1.0}.get(figure, 0.0), 1.0


def _together(parts: dict[str, Measure]) -> Measure:
    def measure(weights: np.ndarray) -> Measured:
        return {f"{part}.{name}": values for part, each in parts.items() for name, values in each(weights).items()}
    return measure


def repeated(scored: Scored, plan: Callable[[Sample], Measure], samples: list[Sample] | None = None) -> Measure:
    """The measure that `plan` makes of each repeat, beside each other."""
    chosen = samples or scored.samples
    return by_repeat(chosen, [plan(each) for each in chosen])


def _add_curves(parts: dict[str, Measure], scored: Scored) -> dict[str, np.ndarray]:
    """Add the measures of curves that the task has; returns their grids."""
    if scored.task == "regression":
        parts["line"] = repeated(scored, calibration.plan_number_line)
        return {}
    classes = [1] if scored.n_classes == 2 else list(range(scored.n_classes))
    parts["roc"] = _average([repeated(scored, lambda each, c=c: plan_roc(each, c)) for c in classes])
    parts["pr"] = _average([repeated(scored, lambda each, c=c: plan_precision(each, c)) for c in classes])
    judged = scored.samples if scored.n_classes == 2 else [confidence(each) for each in scored.samples]
    grid = calibration.curve_grid(np.concatenate([each.p[:, 1] for each in judged]), SMALL_GROUP * len(judged))
    parts["calibration"] = repeated(scored, lambda each: calibration.plan_curve(each, grid), judged)
    parts["ici"] = repeated(scored, calibration.plan_ici, judged)
    if scored.n_classes == 2:
        parts["grid"] = repeated(scored, plan_grid)
        parts["line"] = repeated(scored, calibration.plan_line)
    else:
        parts["lines"] = repeated(scored, calibration.plan_class_lines)
    return {"roc": GRID, "pr": GRID, "calibration": grid}


def _average(measures: list[Measure]) -> Measure:
    """Macro average over classes, v. the rest."""
    if len(measures) == 1:
        return measures[0]

    def measure(weights: np.ndarray) -> Measured:
        each = [one(weights) for one in measures]
        return {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}
    return measure


def confidence(sample: Sample) -> Sample:
    """Several classes as one question: how sure the model was of its decision, and whether it was right."""
    sure = sample.p.max(axis=1)
    right = (sample.decided == sample.y).astype(np.int64)
    return Sample(sample.rows, right, np.column_stack([1 - sure, sure]), sample.fold, right)


def table_of(figures: Figures, scored: Scored) -> dict[str, Metric]:
    """One row of the table of metrics."""
    names = [name.removeprefix("metric.") for name in figures.value if name.startswith("metric.")]
    fewest = _fewest_patients(scored)
    return {name: widened(name, metric(float(figures.value[f"metric.{name}"]), figures.drawn[f"metric.{name}"],
                                        scored.n_cases), fewest) for name in names}


def grid_points(figures: Figures, scored: Scored) -> list[GridPoint]:
    """The confusion matrix at 101 thresholds with intervals; counts are means over repeats and add up."""
    n, positives, of_class = scored.n_cases, int(round(float(figures.value["grid.tp"][0]))), patients_of(scored)
    points = []
    for at, threshold in enumerate(GRID):
        tp, fp = (int(round(float(figures.value[f"grid.{name}"][at]))) for name in ("tp", "fp"))
        both = {name: widened(name, metric(float(figures.value[f"grid.{name}"][at]), figures.drawn[f"grid.{name}"][at],
                                           n), of_class.get(which, 1))
                for which, name in enumerate(("specificity", "sensitivity"))}
        points.append(GridPoint(threshold=float(threshold), tp=tp, fp=fp, fn=positives - tp,
                                tn=n - positives - fp, **both))
    return points


def _fewest_patients(scored: Scored) -> int:
    """Patients of the rarest class (all patients for a number)."""
    return scored.n_patients if scored.task == "regression" else min(patients_of(scored).values(), default=1)


def patients_of(scored: Scored) -> dict[int, int]:
    """How many patients each class has that is there."""
    first = scored.samples[0]
    return {int(each): len(np.unique(scored.patient[first.rows[first.y == each]])) for each in np.unique(first.y)}


def classes_told(scored: Scored, classes: Sequence[str]) -> dict[int, str]:
    """By their places the classes of enough patients for lines of their own; {} for a number."""
    return {} if scored.task == "regression" else {
        each: classes[each] for each, n in patients_of(scored).items() if n >= SMALL_GROUP}


def widened(name: str, found: Metric, fewest: int) -> Metric:
    """No draw can be worse than perfect where nobody was wrong: Wilson's interval for the rarest class instead.

    fewest  patients of that class, or of the one that a share is of
    """
    if found.value is None or found.high - found.low > 1e-9 or name not in PERFECT_AT_ONE:
        return found
    if found.value > 1 - 1e-9:
        low = wilson(1.0, fewest).low
        return found.model_copy(update={"low": 2 * low - 1 if name == "mcc" else low})
    if found.value < 1e-9 and name in SHARES:
        return found.model_copy(update={"high": wilson(0.0, fewest).high})
    return found
