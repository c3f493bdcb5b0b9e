"""Cells as they stand in a file -> what a model reads: float64 with NaN, or category names with None."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.steps.step import NUMERIC
from medml.types import Kind

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


def predictors_frame(frame: pl.DataFrame, kinds: dict[str, Kind]) -> pd.DataFrame:
    """The columns named in `kinds`, in that order, as Cases.X has them: number and date columns float64 with NaN
    (dates as days since 1970-01-01), every other kind object: names as `category_names` writes them, and None; a
    picture's file is named as the table names it."""
    import pandas as pd
    import polars as pl

    plain = [name for name, kind in kinds.items() if kind == "number"]
    block = frame.select(pl.col(plain).cast(pl.Float64, strict=False)).to_numpy() if plain else np.empty((0, 0))
    block = np.where(np.isfinite(block), block, np.nan)   # (n, numbers); all of them at once: one by one is slow
    place = {name: at for at, name in enumerate(plain)}
    columns = {name: block[:, place[name]] if name in place
               else numbers(frame[name], kind) if kind in NUMERIC
               else frame[name].to_numpy().astype(object) if kind == "picture" else names(frame[name], kind)
               for name, kind in kinds.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(frame.height))


def numbers(column: pl.Series, kind: Kind = "number") -> np.ndarray:
    """(n,) float64 with NaN; dates in days since 1970-01-01."""
    import polars as pl

    if kind == "date":
        column = _days(column)
    read = column.cast(pl.Float64, strict=False).fill_null(float("nan"))
    values = read.to_numpy().astype(float)
    return np.where(np.isfinite(values), values, np.nan)


def names(column: pl.Series, kind: Kind = "category") -> np.ndarray:
    """(n,) object: category names, None where nothing is recorded."""
    read = yes_no(column) if kind == "yes_no" else category_names(column)
    return read.to_numpy().astype(object)


def category_names(column: pl.Series) -> pl.Series:
    """One spelling a category however the file stores it: "1.0" in a CSV, 1 in Excel and 1.0 in Parquet are "1"."""
    import polars as pl

    cell = pl.col("cell").cast(pl.String) if column.dtype != pl.String else pl.col("cell").str.strip_chars()
    text = cell.str.replace(r"^(-?(?:0|[1-9]\d*))\.0+$", "$1").str.replace(r"^(-?\d+\.\d*?[1-9])0+$", "$1")
    read = column.alias("cell").to_frame().select(pl.when(text != "").then(text))  # one question; null stays null
    return read.to_series().alias(column.name)


def yes_no(column: pl.Series) -> pl.Series:
    """ "yes" and "no" however a cell writes them (Y, true, 1, ja); a cell with any other word keeps its word."""
    import polars as pl

    from medml.data.values import read_booleans

    flags, words = read_booleans(column).values, category_names(column)
    return pl.select(pl.when(flags).then(pl.lit("yes")).when(~flags).then(pl.lit("no")).otherwise(words)).to_series()


def _days(column: pl.Series) -> pl.Series:
    import polars as pl

    from medml.data.values import read_dates

    if column.dtype == pl.String:
        column = read_dates(column).values
    return column.cast(pl.Date).cast(pl.Int32) if column.dtype.is_temporal() else column
