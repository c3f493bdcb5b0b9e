"""The part of a recipe that learns nothing: from the table as read to Cases, with every row accounted for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from medml.cases import Cases
from medml.errors import UserError
from medml.recipe.cleaner import Cleaner
from medml.recipe.reading import predictors_frame
from medml.recipe.target import outcome, patient_codes
from medml.split import row_hashes
from medml.steps import About, Fixed, registry
from medml.steps.second_look import require_known
from medml.steps.step import ROW, plural, target_is_number
from medml.types import Choice, Effect, FlowStep, Kind, Recipe, Table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

MOST_NAMED = 10  # columns that one sentence names


def prepare(frame: pl.DataFrame, recipe: Recipe, table: Table, choice: Choice, *,
            short: np.ndarray | None = None, aside: Sequence[str] = ()) -> tuple[Cases, list[Effect]]:
    """Run the steps that learn nothing and read cells as numbers, categories and classes.

    frame   the whole table as `open_table(...).frame()` gives it;   short  rows with too few fields, as its `short`
    aside   columns that no model sees but figures are told by, as `Cases.aside` keeps them
    raises  UserError if a column or a case that the recipe counts on is gone, no column is left to learn from, or the
            outcome holds one class only
    """
    _require(frame, [choice.target, *([choice.patient] if choice.patient else [])])
    cleaned, effects = _clean(frame.with_row_index(ROW), recipe, About.of(table, choice, short))
    require_known(recipe, effects)
    missing = cleaned[choice.target].null_count()
    if missing:
        raise UserError(what=f"{plural(missing, 'row')} {'has' if missing == 1 else 'have'} no outcome.",
                        fix="Switch on the cleanup step \"Rows without an outcome\", or fill them in.",
                        code="target_missing")
    kinds = predictor_kinds(recipe, table, choice)
    _require(cleaned, list(kinds))
    rows = cleaned[ROW].to_numpy().astype(np.int64)
    patients = patient_codes(cleaned[choice.patient] if choice.patient else None, rows)
    y, classes = outcome(cleaned[choice.target], choice, table.column(choice.target), patients)
    X = predictors_frame(cleaned, kinds)
    twins = np.unique(row_hashes(X, y), return_inverse=True)[1].astype(np.int64)  # once: every fold asks for them
    kept = {name: table.column(name).kind for name in aside if name in cleaned.columns}
    return Cases(X=X, y=y, patients=patients, rows=rows, kinds=kinds, twins=twins,
                 aside=predictors_frame(cleaned, kept) if kept else None,
                 task=choice.task, classes=classes, flow=_flow(frame.height, effects)), effects


def prepare_predictors(frame: pl.DataFrame, recipe: Recipe, table: Table, choice: Choice, *,
                       unread: Collection[str] = ()) -> pd.DataFrame:
    """New rows as Cases.X has them: every row stays, in its order; no outcome is needed.

    unread  columns that the model does not read and new rows are compared with the training rows by
    raises  UserError naming the columns that the file lacks
    """
    kinds = predictor_kinds(recipe, table, choice)
    _refuse_lacking([name for name in kinds if name not in frame.columns], unread)
    rows_stay = recipe.model_copy(update={"steps": [step for step in recipe.steps if not _drops_rows(step.name)]})
    cleaned, _ = _clean(frame.select(list(kinds)), rows_stay, About.of(table, choice))
    return predictors_frame(cleaned, kinds)


def _refuse_lacking(gone: Sequence[str], unread: Collection[str]) -> None:
    """UserError that names the predictors which a file of new patients lacks, and what makes it fit."""
    if not gone:
        return
    names = ", ".join(f"“{name}”" for name in gone[:MOST_NAMED])
    more = f" and {len(gone) - MOST_NAMED:,} more" if len(gone) > MOST_NAMED else ""
    spare = ", ".join(f"“{name}”" for name in gone[:MOST_NAMED] if name in unread)
    check = (f" The model itself does not read {spare}: left empty, it changes no number, but whoever is unlike the "
             "training patients there is not noticed.") if spare else ""
    raise UserError(
        what=f"The file lacks {plural(len(gone), 'column')} that this model needs: {names}{more}.", code="column_gone",
        fix="Where one has another name there, give it this name in a copy of the file, letter by letter. Where it was "
            "never recorded, add an empty column of this name: a patient gets no answer then if the answer depends on "
            f"it.{check} No answer was given yet.")


def predictor_kinds(recipe: Recipe, table: Table, choice: Choice) -> dict[str, Kind]:
    """The columns that a model learns from, in the table's order, with their kinds.

    raises  UserError if none is left
    """
    if choice.pictures is not None:
        return {choice.pictures.column: "picture"}
    out = {choice.target, choice.patient, *choice.leave_out}
    for step in recipe.steps:
        if step.on and step.name == "drop_columns":
            out |= set(step.params.get("columns", []))
    kinds = {column.name: column.kind for column in table.columns if column.name not in out}
    if not kinds:
        raise UserError(what="No column is left to learn from.",
                        fix="Take a column back on the Cleanup page, or choose another table.", code="no_predictor")
    return kinds


def preview(frame: pl.DataFrame, recipe: Recipe, table: Table, choice: Choice, *,
            short: np.ndarray | None = None, known: dict[str, Any] | None = None) -> list[Effect]:
    """What every step would do to this table, one Effect a step of the recipe, in its order, in memory.

    A step that is switched off shows what it would do if it were on. Learned steps are fitted on the whole table here
    for these counts alone; a training fits them again inside every fold.

    known  of whoever asks again and again of one frame: what the steps that learn nothing left the last time, which is
           the same while only others are changed
    """
    known = {} if known is None else known
    of = (choice, [step for step in recipe.steps if not registry.get(step.name).learns])
    if known.get("of") != of:
        known |= {"left": _left(frame, recipe, About.of(table, choice, short)), "of": of}
    X, whose, effects = known["left"]
    learned = Cleaner(recipe, predictor_kinds(recipe, table, choice)).effects(X, whose)
    by_name = {effect.step: effect for effect in [*effects, *learned]}
    return [by_name[step.name] for step in recipe.steps]


def _left(frame: pl.DataFrame, recipe: Recipe, about: About) -> tuple[pd.DataFrame, np.ndarray, list[Effect]]:
    """What the steps that learn nothing leave to the others: predictors and patients; and what each does or would."""
    current, effects = frame.with_row_index(ROW), []
    for step in recipe.steps:
        kind = registry.get(step.name)
        if isinstance(kind, Fixed):
            after, effect = kind.apply(current, kind.filled(step.params), about)
            current = after if step.on else current
            effects.append(effect)
    X = predictors_frame(current, predictor_kinds(recipe, about.table, about.choice))
    named = current[about.choice.patient] if about.choice.patient in current.columns else None
    return X, patient_codes(named, current[ROW].to_numpy()), effects


def _clean(frame: pl.DataFrame, recipe: Recipe, about: About) -> tuple[pl.DataFrame, list[Effect]]:
    effects = []
    for step in recipe.steps:
        kind = registry.get(step.name)
        if step.on and isinstance(kind, Fixed):
            frame, effect = kind.apply(frame, kind.filled(step.params), about)
            effects.append(effect)
    return _numbers_read(frame, about), effects


def _numbers_read(frame: pl.DataFrame, about: About) -> pl.DataFrame:
    """Plain numbers that still stand as text are read, so that an outcome that is no number counts as missing."""
    import polars as pl

    target = about.choice.target
    if not target_is_number(about.choice) or target not in frame.columns or frame[target].dtype != pl.String:
        return frame
    return frame.with_columns(pl.col(target).cast(pl.Float64, strict=False))


def _flow(n_rows: int, effects: list[Effect]) -> list[FlowStep]:
    """The flow diagram's boxes: every row that left, and where (M3)."""
    boxes = [FlowStep(what="Rows in the file", n_before=n_rows, n_removed=0, n_after=n_rows)]
    for effect in effects:
        if _drops_rows(effect.step):
            boxes.append(FlowStep(what=registry.get(effect.step).title, n_before=effect.rows_before,
                                  n_removed=effect.rows_before - effect.rows_after, n_after=effect.rows_after))
    return boxes


def _drops_rows(name: str) -> bool:
    kind = registry.get(name)
    return isinstance(kind, Fixed) and kind.drops_rows


def _require(frame: pl.DataFrame, names: list[str]) -> None:
    here = set(frame.columns)
    gone = [name for name in names if name not in here]
    if gone:
        raise UserError(what=f"The table has no column {', '.join(gone[:5])}{' and others' if len(gone) > 5 else ''}.",
                        fix="Check that this is the right file, or scan it again.", code="column_gone")
