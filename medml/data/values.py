"""Cells to values: the one door for text that means a number, a date, yes or no, or "missing"."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from medml.data.dates import Dates, read_dates
from medml.data.missing import (
    MISSING_WORDS,
    is_missing,
    missing_cells,
    missing_words,
    numeric_sentinels,
    present,
    rows_per_value,
    strip,
)
from medml.data.numbers import Numbers, is_numeric, read_columns, read_numbers

__all__ = [
    "MISSING_WORDS", "Booleans", "Dates", "Numbers", "is_missing", "is_numeric", "missing_cells", "missing_words",
    "numeric_sentinels", "present", "read_booleans", "read_columns", "read_dates", "read_numbers", "rows_per_value",
    "strip",
]

YES = frozenset({"yes", "y", "true", "t", "1", "1.0", "positive", "pos", "present", "ja", "oui", "si", "sí", "sim"})
NO = frozenset({"no", "n", "false", "f", "0", "0.0", "negative", "neg", "absent", "notpresent", "not present", "nein",
                "non", "nao", "não"})


@dataclass(frozen=True, slots=True)
class Booleans:
    """A column read as yes or no.

    values       Boolean, null where missing or unreadable;  readable  share of the cells present that could be read
    n_spellings  distinct ways of writing the two values ("Y", "y", "1", "TRUE" are four)
    """

    values: pl.Series
    readable: float
    n_spellings: int
    n_missing: int = 0


def read_booleans(series: pl.Series) -> Booleans:
    """Read yes/no, y/n, true/false, 1/0, positive/negative, present/absent in any case; never raises.

    Any series; numbers count where they are 0 or 1. A column of yes alone is readable too (one spelling).
    """
    if series.dtype == pl.Boolean:
        return Booleans(series, 1.0, series.drop_nulls().n_unique(), series.null_count())
    text = present(series if series.dtype == pl.String else series.cast(pl.String, strict=False))
    spellings = text.unique().drop_nulls()
    n_missing = text.null_count()
    n_present = len(text) - n_missing
    if not spellings.str.to_lowercase().is_in(list(YES | NO)).any():
        return Booleans(text.clear(len(text)).cast(pl.Boolean).rename(series.name), 0.0, len(spellings), n_missing)
    lower = text.str.to_lowercase()
    yes, no = lower.is_in(list(YES)), lower.is_in(list(NO))
    values = pl.DataFrame({"yes": yes, "no": no}).select(
        pl.when(pl.col("yes")).then(True).when(pl.col("no")).then(False).alias(series.name))[series.name]
    readable = (len(values) - values.null_count()) / n_present if n_present else 0.0
    return Booleans(values, readable, len(spellings), n_missing)
