"""Table, choice and recipe -> how to train, and what that will take."""

from __future__ import annotations

import math
from typing import Any

from medml import families
from medml.families._cost import unit
from medml.home import sha256_of
from medml.recipe.propose import predictors
from medml.recipe.target import ABOVE_ZERO
from medml.select.candidates import MOST_COLUMNS, MOST_ROWS
from medml.select.impetus import LEAST_SIMULATIONS
from medml.split import plan_split
from medml.steps.step import NUMERIC
from medml.types import SMALL_GROUP, Choice, Column, Estimate, Recipe, SelectionPlan, Table, TrainConfig

OVERHEAD = 350 * 2**20  # bytes: Python with the libraries of a training loaded, before any data
BASELINE = "logistic"
CALLS = 2_500  # small array calls that one simulation of PyImpetus amounts to, whatever the rows
HELPED = 2  # of the columns tried alone about one in this many is tried again beside the others


def propose_config(table: Table, choice: Choice, recipe: Recipe, *, profile_sha256: str, data_sha256: str,
                   family: str = "auto", seed: int = 0, folds: int | None = None, name: str | None = None,
                   select: bool = False, params: dict[str, Any] | None = None) -> TrainConfig:
    """The usual way to train on this table: the family's own defaults, by patient where patients repeat.

    raises  ValueError on a family, or a setting of it, that does not exist
    """
    kind = families.registry.get(family)
    kind.filled(params or {})
    rows, patients = n_rows(table, choice, recipe), n_patients(table, choice, recipe)
    return TrainConfig(name=name or f"{choice.target} by {kind.title.lower()}", choice=choice, family=family,
                       params=params or {}, seed=seed, selection=SelectionPlan(on=select),
                       split=plan_split(rows, patients, choice.task, class_counts(table, choice), folds),
                       profile_sha256=profile_sha256, recipe_sha256=sha256_of(recipe), data_sha256=data_sha256)


def estimate(table: Table, config: TrainConfig, recipe: Recipe | None = None) -> Estimate:
    """Time and memory of a whole training, selection included, before it starts.

    From each family's own count of operations x what an operation takes on this machine now (timed once a process),
    for every fold, its baseline and the final model. Without the recipe every column counts as used.
    """
    rows, columns = n_rows(table, config.choice, recipe), encoded_columns(table, config.choice, recipe)
    development = rows if config.split.scheme == "cross_validation" else round(rows * (1 - config.split.test_fraction))
    fits = config.split.folds * config.split.repeats
    in_fold = max(1, round(development * (config.split.folds - 1) / config.split.folds))
    seconds, size = _fit_cost(config, in_fold, columns)
    final, final_size = _fit_cost(config, development, columns)
    choosing = fits * selection_seconds(table, config, in_fold) + selection_seconds(table, config, development) \
        if config.selection.on else 0.0
    total = fits * seconds + final + choosing
    size = OVERHEAD + max(size, final_size) + 3 * rows * (columns + len(table.columns)) * 8
    return Estimate(seconds=round(total, 1), seconds_selection=round(choosing, 1), bytes=int(size),
                    sentence=sentence(total, choosing, size))


def _fit_cost(config: TrainConfig, n_cases: int, n_columns: int) -> tuple[float, int]:
    """Seconds and bytes of one fold: the family's fit, and the plain regression that stands beside it (E7)."""
    kind = families.registry.get(config.family)
    cost = kind.cost(n_cases, n_columns, config.choice.task, kind.filled(config.params))
    if config.family == BASELINE:
        return cost.seconds, cost.bytes
    plain = families.registry.get(BASELINE).cost(n_cases, n_columns, config.choice.task, {})
    return cost.seconds + plain.seconds, max(cost.bytes, plain.bytes)


def selection_seconds(table: Table, config: TrainConfig, n_cases: int) -> float:
    """One fold's selection: PyImpetus tries each column alone, then each that helped beside the others that did; each
    try is `simulations` small trees. Never more than the plan's limit."""
    plan = config.selection
    columns = min(MOST_COLUMNS, len(predictors(table, config.choice)))
    n = min(n_cases, MOST_ROWS)
    outputs = 1 if config.choice.task == "regression" else max(2, len(class_counts(table, config.choice)))
    helped = columns / HELPED
    simulations = max(plan.simulations, LEAST_SIMULATIONS)
    grow = columns * simulations * _tree_seconds(n, 1, outputs)
    shrink = helped * simulations * _tree_seconds(n, helped, outputs)
    return min(plan.seconds_a_fold, grow + shrink)


def _tree_seconds(n_cases: int, n_columns: float, outputs: int) -> float:
    """One simulation: split the rows, sort every column at every level of a small tree, predict twice."""
    depth = min(5.0, max(1.0, math.log2(max(2, n_cases)) - 3))
    return CALLS * unit("call") + (depth * n_columns + outputs) * n_cases * unit("sort")


def sentence(seconds: float, choosing: float, size: float) -> str:
    """ "About 2 minutes and 400 MB." with what selection takes where it is on."""
    part = f", {duration(choosing)} of it to choose predictors" if choosing else ""
    return f"About {duration(seconds)}{part}, and {memory(size)} of memory."


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use: "5 seconds", "2 minutes", "1.5 hours"."""
    if seconds < 90:
        nice = max(5, 5 * round(seconds / 5)) if seconds > 5 else max(1, round(seconds))
        return f"{nice} second{'s' if nice != 1 else ''}"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    hours = round(seconds / 3600, 1 if seconds < 10 * 3600 else None)
    return f"{hours:g} hours"


def memory(size: float) -> str:
    """Bytes to one or two digits: "400 MB", "1.2 GB"."""
    return f"{round(size / 1e6, -1):.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def n_rows(table: Table, choice: Choice, recipe: Recipe | None = None) -> int:
    """About how many cases a training has, by the scan's counts."""
    on = {step.name for step in recipe.steps if step.on} if recipe else {"exact_duplicates", "target_missing"}
    gone = table.duplicates * ("exact_duplicates" in on) + table.column(choice.target).missing
    return max(1, table.rows - gone)


def n_patients(table: Table, choice: Choice, recipe: Recipe | None = None) -> int:
    """About how many patients: as many as rows where no patient column was chosen or nobody repeats."""
    rows = n_rows(table, choice, recipe)
    if choice.patient is None:
        return rows
    if table.repeats is not None and table.repeats.column == choice.patient:
        return min(rows, table.repeats.n_patients)
    return min(rows, table.column(choice.patient).distinct)


def class_counts(table: Table, choice: Choice) -> list[int]:
    """Cases per class by the scan's counts; empty for a number, or where the scan could not tell."""
    column = table.column(choice.target)
    if choice.task == "regression" or not column.levels:
        return []
    shown = {level.label: level.n for level in column.levels}
    if choice.task == "multiclass" or (choice.positive is None and len(shown) == 2 and not column.hidden_levels):
        return [*shown.values(), *([column.hidden_rows] if column.hidden_levels else [])]
    total = sum(shown.values()) + column.hidden_rows
    if choice.positive == ABOVE_ZERO:
        yes = sum(n for label, n in shown.items() if _above_zero(label))
    else:
        yes = shown.get(choice.positive or "", min(column.hidden_rows, SMALL_GROUP - 1))
    return [total - yes, yes]


def encoded_columns(table: Table, choice: Choice, recipe: Recipe | None = None) -> int:
    """About how many columns a model sees after encoding, marks of missing values included."""
    gone = {name for step in (recipe.steps if recipe else []) if step.on and step.name == "drop_columns"
            for name in step.params.get("columns", [])}
    return max(1, sum(_width(column) for column in predictors(table, choice) if column.name not in gone))


def _width(column: Column) -> int:
    if column.kind in NUMERIC:
        return 1 + (column.missing >= SMALL_GROUP)
    levels = len(column.levels) + bool(column.hidden_levels) + (column.missing >= SMALL_GROUP)
    return 1 if levels == 2 else min(levels, 32)


def _above_zero(label: str) -> bool:
    try:
        return float(label) > 0
    except ValueError:
        return False
