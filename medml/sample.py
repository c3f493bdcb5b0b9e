"""The first rows of a table, read as the scan understood them, for the owner's own screen: in memory, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medml.types import Column, Table

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 20_000  # read for the pictures: a second of reading, and pictures do not change beyond it


@dataclass(frozen=True)
class Sample:
    """Rows of one table as they stand in the file.

    frame   (n, columns) text or typed, as `open_table(...).frame()` gives it
    table   what the scan knows of it;   whole  True where these are all rows
    short   (m,) int64, rows with too few fields, as `open_table(...).short`
    """

    frame: pl.DataFrame
    table: Table
    whole: bool
    short: np.ndarray | None = None

    @property
    def rows(self) -> int:
        return self.frame.height

    @cached_property
    def missing(self) -> dict[str, np.ndarray]:
        """Column -> (n,) bool, True where nothing was recorded: empty, a word for missing, a code the scan found,
        a word among numbers."""
        from medml.data.values import missing_cells

        read = [self.frame[each.name] for each in self.columns]
        return {column.name: _missing(gone, cells, column) for gone, cells, column
                in zip(missing_cells(read), read, self.columns, strict=True)}

    @cached_property
    def columns(self) -> list[Column]:
        """The scan's columns that this file still has, in its order."""
        there = set(self.frame.columns)
        return [each for each in self.table.columns if each.name in there]

    def numbers(self, name: str) -> np.ndarray:
        """(n,) float64 of a number or date column (days since 1970-01-01), NaN where missing or unreadable."""
        from medml.data.values import read_dates, read_numbers

        column, series = self.table.column(name), self.frame[name]
        if column.kind == "date":
            import polars as pl

            days = read_dates(series).values.cast(pl.Date, strict=False).to_physical()
            values = days.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(float)
        else:
            values = read_numbers(series).values.fill_null(float("nan")).to_numpy().astype(float)
        return np.where(self.missing[name] | ~np.isfinite(values), np.nan, values)

    def names(self, name: str) -> np.ndarray:
        """(n,) object: category names in one spelling, None where missing."""
        from medml.recipe.reading import names

        found = names(self.frame[name], "category")
        found[self.missing[name]] = None
        return found


def take(source: Path, table: Table, *, most: int = MOST_ROWS) -> Sample:
    """Read the first `most` rows of a scanned table.

    raises  UserError where the file is gone or can no longer be read
    """
    from medml.data import open_table

    opened = open_table(source, table.ref)
    read = opened.frame(n_rows=most)
    return Sample(read, table, read.height < most or read.height >= table.rows, opened.short)


def _missing(gone: pl.Series, series: pl.Series, column: Column) -> np.ndarray:
    """With the codes that the scan found to stand for "missing"."""
    import polars as pl

    from medml.data.values import read_numbers

    if column.sentinels and series.dtype == pl.String:
        gone = gone | series.str.strip_chars().is_in(column.sentinels).fill_null(False)
    numeric = [float(each) for each in column.sentinels if _is_number(each)]
    if numeric and column.kind == "number":
        gone = gone | read_numbers(series).values.is_in(numeric).fill_null(False)
    if any(each.code == "mixed_types" for each in column.suspicions):  # words among numbers count as missing
        gone = gone | _unread(series, column)
    return gone.to_numpy().astype(bool)


def _unread(series: pl.Series, column: Column) -> pl.Series:
    from medml.data.values import read_dates, read_numbers

    return (read_dates(series) if column.kind == "date" else read_numbers(series)).values.is_null()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
