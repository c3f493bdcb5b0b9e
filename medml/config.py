"""Table, choice and recipe -> how to train, and what that will take."""

from __future__ import annotations

from typing import Any

from medml import device, families
from medml.clock import duration
from medml.families._cost import unit
from medml.home import sha256_of
from medml.pace import pace, too_long
from medml.recipe.propose import predictors, words_among
from medml.recipe.target import ABOVE_ZERO
from medml.select.candidates import MOST_COLUMNS, MOST_ROWS
from medml.select.impetus import LEAST_SIMULATIONS
from medml.split import plan_split
from medml.steps.step import NUMERIC
from medml.types import SMALL_GROUP, Choice, Column, Estimate, Recipe, SelectionPlan, SplitPlan, Table, TrainConfig
from medml.vision import weights

LIBRARIES = 350 * 2**20  # bytes: Python with the libraries of a training loaded, before any data
BASELINE = "logistic"
THUMBNAIL = 64  # fields of a picture that the plain regression sees
FEW_PICTURES = 5_000  # above it, a network that learns all of itself pays
FOLDS_OF_NETWORKS = 3  # each fold is a training of minutes to hours
CALLS = {"binary": 16_000, "multiclass": 18_000, "regression": 6_000}  # small array calls that one simulation of
# PyImpetus amounts to whatever the rows: measured over 200-5,000 rows x 1-50 columns
START = 6_000_000  # calls: loading the libraries, reading the table
FOLD = 500_000  # calls: cleaning, encoding, figures of the live curve, writing the fold's model
MEASURED = 3_000  # sorted values a case: 1,000 bootstrap draws of the model and of its baselines
SORTS = 5  # and sorted values a cell, in a tree with leaves of 5 %: measured on the same tables


def propose_config(table: Table, choice: Choice, recipe: Recipe, *, profile_sha256: str, data_sha256: str,
                   family: str | None = None, seed: int = 0, folds: int | None = None, name: str | None = None,
                   select: bool = False, params: dict[str, Any] | None = None, anew: bool = False) -> TrainConfig:
    """The usual way to train on this table: the family's own defaults, by patient where patients repeat.

    family  None: the safe choice for a table, or for pictures (`usual_family`)
    anew    divide the patients, though pictures came with a split of their own
    raises  ValueError on a family, or a setting of it, that does not exist, or that sees something else
    """
    family = family or usual_family(choice, table)
    kind = families.registry.get(family)
    if kind.sees != ("columns" if choice.pictures is None else "pictures"):
        raise ValueError(f"{family} learns from {kind.sees}")
    kind.filled(params or {})
    name = name or f"{choice.target} by {kind.titled(choice.task).lower()}"
    return TrainConfig(name=name, choice=choice, family=family, params=params or {}, seed=seed,
                       selection=SelectionPlan(on=select), split=_split(table, choice, recipe, kind, folds, anew),
                       profile_sha256=profile_sha256, recipe_sha256=sha256_of(recipe), data_sha256=data_sha256)


def usual_family(choice: Choice, table: Table) -> str:
    """The safe choice: an average of three sorts of models for a table; for pictures a frozen pretrained network where
    its weights are here and pictures are few, else a network that learns."""
    if choice.pictures is None:
        return "auto"
    return "cnn_features" if table.rows <= FEW_PICTURES and weights.available() else "cnn"


def comes_divided(table: Table, choice: Choice) -> bool:
    """Whether the pictures chosen came with a split of their own."""
    return table.pictures is not None and table.pictures.own_split and choice.pictures is not None


def _split(table: Table, choice: Choice, recipe: Recipe, kind: families.Family, folds: int | None,
           anew: bool) -> SplitPlan:
    rows, patients = n_rows(table, choice, recipe), n_patients(table, choice, recipe)
    if comes_divided(table, choice) and not anew:
        return SplitPlan(by="patient" if patients < rows else "row", scheme="held_out", folds=1, repeats=1, given=True)
    if kind.sees == "pictures" and kind.round == "epoch":
        folds = folds or FOLDS_OF_NETWORKS
    plan = plan_split(rows, patients, choice.task, class_counts(table, choice, recipe), folds)
    return plan if kind.sees == "columns" else plan.model_copy(update={"repeats": 1})


def estimate(table: Table, config: TrainConfig, recipe: Recipe | None = None) -> Estimate:
    """Time and memory of a whole training, selection included, before it starts.

    Each family's own count of operations x what an operation takes on this machine (timed once a process), for every
    fold, its baseline and the final model; corrected by how long earlier trainings of that family took here. Without
    the recipe every column counts as used.
    """
    total, choosing = _seconds(table, config, recipe)
    seen = pace(config, lambda *their: _seconds(*their)[0])
    total, choosing = total * seen.factor, min(choosing * seen.factor, _most_choosing(config))
    size = _bytes(table, config, recipe)
    return Estimate(seconds=round(total, 1), seconds_selection=round(choosing, 1), bytes=size,
                    sentence=sentence(total, choosing, size, seen.n_runs))


def _seconds(table: Table, config: TrainConfig, recipe: Recipe | None) -> tuple[float, float]:
    """Of the whole training, and of selection in it, by counting operations."""
    columns, fits = encoded_columns(table, config.choice, recipe), _fits(config)
    development, in_fold = _sizes(config, n_rows(table, config.choice, recipe))
    choosing = fits * selection_seconds(table, config, in_fold) + selection_seconds(table, config, development) \
        if config.selection.on else 0.0
    around = (START + FOLD * (fits + 1)) * unit("call") + MEASURED * development * unit("sort")
    params = usual_params(table, config, recipe) | config.params
    fold, final = (_fit_cost(config, n_cases, columns, params)[0] for n_cases in (in_fold, development))
    total = fits * fold + final
    return around + total + choosing + _second_time(config, fold, total), choosing


def _second_time(config: TrainConfig, fold: float, total: float) -> float:
    """Seconds of the fold that is made again to see that the numbers are the same (G1)."""
    fold += FOLD * unit("call")
    return 0.0 if config.selection.on or too_long(fold, total) else fold


def usual_params(table: Table, config: TrainConfig, recipe: Recipe | None = None) -> dict[str, Any]:
    """Every setting of the family as it chooses them for the rows that the final model will learn from."""
    development, _ = _sizes(config, n_rows(table, config.choice, recipe))
    return families.registry.get(config.family).settled({}, development, encoded_columns(table, config.choice, recipe),
                                                        config.choice.task)


def facts_of(table: Table, config: TrainConfig, recipe: Recipe | None = None) -> families.Facts:
    """What settings go by: counts of what the final model learns from, by the scan, and what it is computed on."""
    rows = n_rows(table, config.choice, recipe)
    development, _ = _sizes(config, rows)
    counts, kept = class_counts(table, config.choice, recipe), development / rows
    return families.Facts(development, encoded_columns(table, config.choice, recipe), config.choice.task,
                          pictures=config.choice.pictures is not None,
                          n_patients=round(kept * n_patients(table, config.choice, recipe)),
                          n_events=round(kept * min(counts)) if counts else 0, graphics=device.graphics())


def _bytes(table: Table, config: TrainConfig, recipe: Recipe | None) -> int:
    rows, columns = n_rows(table, config.choice, recipe), encoded_columns(table, config.choice, recipe)
    development, in_fold = _sizes(config, rows)
    params = usual_params(table, config, recipe) | config.params
    fit, each = (_fit_cost(config, n_cases, columns, params)[1] for n_cases in (development, in_fold))
    beside = _fits(config) * {"trees": each, "epoch": in_fold * columns * 8}.get(
        families.registry.get(config.family).round, 0)  # what learns in rounds learns side by side
    return int(LIBRARIES + max(fit, each) + beside + 3 * rows * (columns + len(table.columns)) * 8)


def _fits(config: TrainConfig) -> int:
    return config.split.folds * config.split.repeats


def _sizes(config: TrainConfig, rows: int) -> tuple[int, int]:
    """Cases of the development part, and of one fold's training part."""
    kept = 1.0 if config.split.scheme == "cross_validation" else 1 - config.split.test_fraction
    development = max(2, round(rows * kept))
    return development, max(1, round(development * (config.split.folds - 1) / config.split.folds))


def _most_choosing(config: TrainConfig) -> float:
    return (_fits(config) + 1) * config.selection.seconds_a_fold


def _fit_cost(config: TrainConfig, n_cases: int, n_columns: int, params: dict[str, Any]) -> tuple[float, int]:
    """Seconds and bytes of one fold: the family's fit, and the plain regression that stands beside it (E7)."""
    kind = families.registry.get(config.family)
    cost = kind.cost(n_cases, n_columns, config.choice.task, params)
    if config.family == BASELINE:
        return cost.seconds, cost.bytes
    seen = THUMBNAIL if kind.sees == "pictures" else n_columns
    plain = families.registry.get(BASELINE).cost(n_cases, seen, config.choice.task, {})
    return cost.seconds + plain.seconds, max(cost.bytes, plain.bytes)


def selection_seconds(table: Table, config: TrainConfig, n_cases: int) -> float:
    """One fold's selection: PyImpetus tries each column alone, then each that helped beside the others that did (all,
    at worst); each try is `simulations` small trees. Never more than the plan's limit."""
    columns, rows = min(MOST_COLUMNS, len(predictors(table, config.choice))), min(n_cases, MOST_ROWS)
    tries = columns * max(config.selection.simulations, LEAST_SIMULATIONS)
    alone, beside = (CALLS[config.choice.task] * unit("call") + SORTS * rows * width * unit("sort")
                     for width in (1, columns))
    return min(config.selection.seconds_a_fold, tries * (alone + beside))


def sentence(seconds: float, choosing: float, size: float, n_runs: int) -> str:
    """ "About 2 min and 400 MB of memory", with what selection takes, and what the figure rests on."""
    part = f" ({duration(roughly(choosing))} of it to choose predictors)" if choosing else ""
    basis = f"by {n_runs} earlier training{'s' if n_runs != 1 else ''} here" if n_runs else "by this machine's speed"
    return f"About {duration(roughly(seconds))}{part} and {memory(size)} of memory, judged {basis}."


def roughly(seconds: float) -> float:
    """Seconds foreseen, no finer than they can be: whole ones, above five of them every fifth."""
    return max(5, 5 * round(seconds / 5)) if seconds > 5 else max(1, round(seconds))


def memory(size: float) -> str:
    """Bytes to one or two digits: "400 MB", "1.2 GB"."""
    return f"{round(size / 1e6, -1):.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def n_rows(table: Table, choice: Choice, recipe: Recipe | None = None) -> int:
    """About how many cases a training has, by the scan's counts."""
    on = {step.name for step in recipe.steps if step.on} if recipe else {"exact_duplicates", "target_missing"}
    target = table.column(choice.target)
    gone = table.duplicates * ("exact_duplicates" in on) + target.missing + words_among(target)
    return max(1, table.rows - gone)


def n_patients(table: Table, choice: Choice, recipe: Recipe | None = None) -> int:
    """About how many patients: as many as rows where no patient column was chosen or nobody repeats."""
    return min(n_rows(table, choice, recipe), _patients_of_the_file(table, choice))


def _patients_of_the_file(table: Table, choice: Choice) -> int:
    if choice.patient is None:
        return table.rows
    if table.repeats is not None and table.repeats.column == choice.patient:
        return table.repeats.n_patients
    return table.column(choice.patient).distinct


def some_may_fall_away(table: Table, choice: Choice) -> bool:
    """Whether `n_patients` may count a patient none of whose rows has an outcome, which the scan did not count."""
    target = table.column(choice.target)
    return bool(target.missing + words_among(target)) and _patients_of_the_file(table, choice) < table.rows


def class_counts(table: Table, choice: Choice, recipe: Recipe | None = None) -> list[int]:
    """Cases per class by the scan's counts; empty for a number, or where the scan could not tell. With the recipe,
    without classes that its step for rare ones takes away."""
    column = table.column(choice.target)
    if choice.task == "regression" or not column.levels:
        return []
    shown = {level.label: level.n for level in column.levels}
    if choice.task == "multiclass" or (choice.positive is None and len(shown) == 2 and not column.hidden_levels):
        counts = [*_joined(shown, recipe).values(), *([column.hidden_rows] if column.hidden_levels else [])]
        fewest = max([0, *(int(step.params.get("fewest", SMALL_GROUP)) for step in (recipe.steps if recipe else [])
                           if step.on and step.name == "rare_classes")])
        return [n for n in counts if n >= fewest] or counts
    total = sum(shown.values()) + column.hidden_rows
    if choice.positive == ABOVE_ZERO:
        yes = sum(n for label, n in shown.items() if _above_zero(label))
    else:
        yes = shown.get(choice.positive or "", min(column.hidden_rows, SMALL_GROUP - 1))
    return [total - yes, yes]


def _joined(shown: dict[str, int], recipe: Recipe | None) -> dict[str, int]:
    """Rows of each class once the recipe has joined those that a person counts as one."""
    new = {member: name for step in (recipe.steps if recipe else []) if step.on and step.name == "join_classes"
           for name, members in step.params.get("classes", {}).items() for member in members}
    together: dict[str, int] = {}
    for label, n in shown.items():
        together[new.get(label, label)] = together.get(new.get(label, label), 0) + n
    return together


def encoded_columns(table: Table, choice: Choice, recipe: Recipe | None = None) -> int:
    """About how many columns a model sees after encoding, marks of missing values included; of pictures, the side."""
    if choice.pictures is not None:
        return choice.pictures.size
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
