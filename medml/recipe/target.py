"""The outcome's cells -> codes or numbers, and the patients' codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.errors import UserError
from medml.profile.choice import yes_class
from medml.recipe.reading import category_names, numbers, yes_no
from medml.types import SMALL_GROUP, Choice, Column

if TYPE_CHECKING:
    import polars as pl

ABOVE_ZERO = ">0"


def outcome(column: pl.Series, choice: Choice, scanned: Column,
            patients: np.ndarray | None = None) -> tuple[np.ndarray, list[str]]:
    """(y, classes) as in Cases; no cell of `column` may be null. Classes are named as the scan named its levels.

    binary      positive ">0": any number above zero is yes (classes "0", ">0"); a class name: that class is yes and
                all others together are no; None: as `yes_class` says, the scan having named neither
    patients    (n,) codes, equal for rows of one patient; None: every row is a patient of its own
    raises      UserError if one class alone is there, or the class that counts as yes is not
    """
    if choice.task == "regression":
        return _numbers(column), []
    nameable = (len(column) if patients is None else len(np.unique(patients))) >= SMALL_GROUP
    if choice.task == "binary" and choice.positive == ABOVE_ZERO:
        return _two(_numbers(column) > 0, ["0", ABOVE_ZERO], nameable)
    labels = yes_no(column) if _said_yes_or_no(column, scanned) else category_names(column)
    if choice.task == "binary":
        return _binary(labels, choice.positive, nameable)
    classes = sorted(labels.unique().to_list(), key=_natural)
    _refuse_one_class(classes, nameable)
    return np.searchsorted(np.arange(len(classes)), labels.replace_strict(
        classes, list(range(len(classes)))).to_numpy()).astype(np.int64), classes


def patient_codes(column: pl.Series | None, rows: np.ndarray) -> np.ndarray:
    """(n,) int64, equal for rows of one patient; a row without a patient's key stands for a patient of its own."""
    if column is None:
        return rows.astype(np.int64)
    import pandas as pd

    codes, found = pd.factorize(category_names(column).to_numpy().astype(object))
    alone = codes < 0
    codes[alone] = len(found) + np.arange(int(alone.sum()))
    return codes.astype(np.int64)


def _said_yes_or_no(column: pl.Series, scanned: Column) -> bool:
    """Whether the scan read several spellings (Y, true, 1 beside 0) as "yes" and "no"."""
    labels = {each.label for each in scanned.levels}
    if scanned.kind != "yes_no" or not labels <= {"yes", "no"}:
        return False
    return bool(labels) or scanned.hidden_levels > 0 and category_names(column).drop_nulls().n_unique() > 2


def _binary(labels: pl.Series, positive: str | None, nameable: bool) -> tuple[np.ndarray, list[str]]:
    counts = dict(labels.alias("class").value_counts().iter_rows())
    _refuse_one_class(list(counts), nameable)
    if positive is None:
        positive = yes_class(counts)
    wanted = category_names(labels.new_from_index(0, 1).clear().extend_constant(positive, 1))[0]
    if wanted not in counts:
        raise UserError(what="The class that counts as yes does not occur in this table.",
                        fix="Choose it again on the Scan page.", code="positive_absent")
    others = [name for name in counts if name != wanted]
    return _two((labels == wanted).to_numpy(), [others[0] if len(others) == 1 else f"not {wanted}", wanted], nameable)


def _two(yes: np.ndarray, classes: list[str], nameable: bool) -> tuple[np.ndarray, list[str]]:
    _refuse_one_class([classes[int(code)] for code in np.unique(yes)], nameable)
    return yes.astype(np.int64), classes


def _numbers(column: pl.Series) -> np.ndarray:
    values = numbers(column)
    bad = int(np.isnan(values).sum())
    if bad:
        raise UserError(what=f"{bad:,} of {len(values):,} outcomes could not be read as a number.",
                        fix="Choose another target, or switch on the step \"Numbers written as text\".",
                        code="target_not_a_number")
    return values


def _refuse_one_class(classes: list[str], nameable: bool) -> None:
    """`nameable`: k patients and more have an outcome, so that one they all have is no small group's."""
    if len(classes) < 2:
        found = "no outcome" if not classes else f"outcome {classes[0]}" if nameable else "the same outcome"
        raise UserError(what=f"Every row has {found}, so there is nothing to learn.",
                        fix="Choose another target, or a table that holds more than one class.", code="one_class")


def _natural(name: str) -> tuple[int, float, str]:
    """Numbers in their order before words in theirs."""
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
