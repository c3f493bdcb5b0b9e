"""Where patients come back, a group counts by its patients: what fewer than k of them hold is hidden.

Judged on the sample of rows. In a table larger than the sample it shows fewer patients than there are, never more, so
a small group can be hidden too often there and never too seldom.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl

from medml.profile.columns import Seen, labels
from medml.types import Column

FIRST_ROWS = 5_000  # in most tables they hold enough patients of every level already, and fewer is only more careful


@dataclass(frozen=True, slots=True)
class Group:
    """Who the sample's rows belong to, and the size below which a group of patients is small."""

    patients: np.ndarray  # (rows of the sample,) int64, equal for rows of one patient
    k: int

    @classmethod
    def of(cls, keys: pl.Series, k: int) -> Group:
        """keys  a patient's key a row; a row without one stands for a patient of its own"""
        codes = keys.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        return cls(np.where(codes == 0, -1 - np.arange(len(codes)), codes), k)

    @property
    def come_back(self) -> bool:
        return len(np.unique(self.patients)) < len(self.patients)


def hide_small_groups(columns: list[Column], seen: list[Seen], group: Group, spared: Collection[str]) -> list[Column]:
    """Columns without levels that fewer than k patients hold, and without a range where fewer than 2k have a value.

    columns, seen   the same columns, in the same order
    spared          columns that stay as they are (the outcome, whose classes are counted whatever their size)
    """
    if not group.come_back:
        return columns
    return [column if column.name in spared else _hidden(column, each, group)
            for column, each in zip(columns, seen, strict=True)]


def _hidden(column: Column, seen: Seen, group: Group) -> Column:
    if column.low is not None and _n_with_value(seen, group) < 2 * group.k:
        column = column.model_copy(update={"low": None, "median": None, "high": None, "high_is_open": False})
    if not column.levels:
        return column
    rows = {each.label: each.n for each in column.levels}
    held = _patients_of_levels(seen, group, FIRST_ROWS)
    if any(held.get(label, 0) < group.k for label in rows):
        held = _patients_of_levels(seen, group)
    small = {label for label in rows if held.get(label, 0) < group.k}
    if not small:
        return column
    hidden_patients = sum(held.get(label, 0) for label in small)
    shown = [each for each in column.levels if each.label not in small]
    while shown and (column.hidden_levels + len(small) < 2 or hidden_patients < group.k):  # as privacy.suppress does
        hidden_patients += held.get(shown[-1].label, 0)
        small.add(shown.pop().label)
    return column.model_copy(update={"levels": shown, "hidden_levels": column.hidden_levels + len(small),
                                     "hidden_rows": column.hidden_rows + sum(rows[label] for label in small)})


def _patients_of_levels(seen: Seen, group: Group, rows: int | None = None) -> dict[str, int]:
    """Label -> patients that have it at least once in the sample, or in its first rows."""
    meant = pl.DataFrame({"value": seen.evidence.values, "label": labels(seen.evidence, seen.reading)})
    pairs = pl.DataFrame({"value": seen.evidence.cells[:rows], "patient": group.patients[:rows]}).drop_nulls().unique()
    found = pairs.join(meant, on="value").group_by("label").agg(pl.col("patient").n_unique())
    return dict(found.iter_rows())


def _n_with_value(seen: Seen, group: Group) -> int:
    """Patients of the sample that have a number here which does not stand for "missing"."""
    meant = seen.evidence.values.filter(pl.Series(np.isfinite(seen.reading.numbers) & ~seen.sentinel))
    cells = seen.evidence.cells
    known = cells.is_not_null() if len(meant) == len(seen.evidence.values) else cells.is_in(meant.implode())
    whose = group.patients[known.fill_null(False).to_numpy()]
    few = len(np.unique(whose[:FIRST_ROWS]))
    return few if few >= 2 * group.k else len(np.unique(whose))
