"""The first rows of a table, read as the scan understood them, for the owner's own screen: in memory, never stored."""

from __future__ import annotations

from collections.abc import Iterator
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

        read = {each.name: self.frame[each.name] for each in self.columns}
        found = {name: gone.to_numpy().astype(bool)
                 for name, gone in zip(read, missing_cells([*read.values()]), strict=True)}
        for name, gone in [*_coded(self.columns, read), *_by_number(self.columns, read)]:
            found[name] |= gone
        return found

    @cached_property
    def columns(self) -> list[Column]:
        """The scan's columns that this file still has, in its order."""
        there = set(self.frame.columns)
        return [each for each in self.table.columns if each.name in there]

    def numbers(self, name: str) -> np.ndarray:
        """(n,) float64 of a number or date column (days since 1970-01-01), NaN where missing or unreadable."""
        return self.numbers_of([name])[name]

    def numbers_of(self, names: list[str]) -> dict[str, np.ndarray]:
        """The same of several columns, which are read together."""
        columns = [self.table.column(name) for name in names]
        read = _read([each for each in columns if each.kind != "date"], self.frame)
        read |= {each.name: _days(self.frame[each.name]) for each in columns if each.kind == "date"}
        values = {name: read[name].fill_null(float("nan")).to_numpy().astype(float) for name in names}
        return {name: np.where(self.missing[name] | ~np.isfinite(each), np.nan, each) for name, each in values.items()}

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


def _read(columns: list[Column], frame: pl.DataFrame | dict[str, pl.Series]) -> dict[str, pl.Series]:
    """Column -> its cells as numbers, null where there is none."""
    from medml.data.values import read_columns

    found = read_columns([frame[each.name] for each in columns])
    return {each.name: numbers.values for each, numbers in zip(columns, found, strict=True)}


def _days(series: pl.Series) -> pl.Series:
    import polars as pl

    from medml.data.values import read_dates

    return read_dates(series).values.cast(pl.Date, strict=False).to_physical().cast(pl.Float64)


def _coded(columns: list[Column], read: dict[str, pl.Series]) -> Iterator[tuple[str, np.ndarray]]:
    """Cells of text that are a code which the scan found to stand for "missing"."""
    import polars as pl

    for each in columns:
        if each.sentinels and read[each.name].dtype == pl.String:
            is_one = read[each.name].str.strip_chars().is_in(each.sentinels)
            yield each.name, is_one.fill_null(False).to_numpy()


def _by_number(columns: list[Column], read: dict[str, pl.Series]) -> Iterator[tuple[str, np.ndarray]]:
    """Cells that are such a code once they are read as numbers, and words among numbers or dates."""
    from medml.data.values import read_dates

    codes = {each.name: [float(code) for code in each.sentinels if _is_number(code)] for each in columns
             if each.kind == "number"}
    mixed = [each for each in columns if any(found.code == "mixed_types" for found in each.suspicions)]
    numbers = _read([each for each in columns if codes.get(each.name) or each in mixed and each.kind != "date"], read)
    for name in filter(codes.get, numbers):
        yield name, numbers[name].is_in(codes[name]).fill_null(False).to_numpy()
    for each in mixed:
        values = numbers[each.name] if each.name in numbers else read_dates(read[each.name]).values
        yield each.name, values.is_null().to_numpy()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
