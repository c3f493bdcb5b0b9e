"""Dates from text, with the honest count of those that could be read two ways."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from medml.data.missing import present

_TIME = r"[T ]+(\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*([AaPp][Mm])?\s*(?:Z|[+-]\d{2}:?\d{2})?$"
_NAMED = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%B-%Y", "%d/%b/%Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d-%b-%y")
_SHORT_YEAR = r"^\d{1,2}[-/ ](?:\d{1,2}|[A-Za-z]{3})[-/ ]\d{2}$"
_TWO_WAYS = r"^(\d{1,2})([/\-])(\d{1,2})[/\-](\d{4}|\d{2})$"
_ANY = (r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
        r"|^\d{1,2}[ \-/][A-Za-z]{3,9}|^[A-Za-z]{3,9} \d{1,2},? \d{4}")


@dataclass(frozen=True, slots=True)
class Dates:
    """A column read as dates.

    values       Date, or Datetime where any cell has a time of day; null where missing or unreadable
    readable     share of the cells present that could be read, 0-1 (0 where none is a date)
    n_ambiguous  cells such as 03/04/2024 that nothing in the column settles, or that stand beside other formats
    day_first    how dd/mm and mm/dd cells were read: True, False, or None where there are none
    n_short      cells with a year of two digits, read as 1950 to 2049
    n_formats    how many ways of writing a date the column uses
    """

    values: pl.Series
    readable: float
    n_ambiguous: int = 0
    day_first: bool | None = None
    n_formats: int = 0
    n_short: int = 0
    n_missing: int = 0


def read_dates(series: pl.Series, *, day_first: bool | None = None) -> Dates:
    """Read a column as dates; never raises. Years outside 1850-2200 are unreadable; 8 bare digits are not a date.

    day_first  how to read 03/04/2024 where the column does not tell; None reads it day first and counts it
    """
    if series.dtype.is_temporal():
        return Dates(series, 1.0, n_formats=1, n_missing=series.null_count())
    nothing = pl.Series(series.name, [None], dtype=pl.Date).new_from_index(0, len(series)) if len(series) else \
        pl.Series(series.name, [], dtype=pl.Date)
    if series.dtype != pl.String:
        return Dates(nothing, 0.0, n_missing=series.null_count())
    text = present(series)
    n_present = len(text) - text.null_count()
    if not n_present or not text.str.contains(_ANY).fill_null(False).any():
        return Dates(nothing, 0.0, n_missing=text.null_count())
    iso = _iso(text)
    if iso.null_count() == text.null_count():  # the commonest: no time of day, and nothing left for other ways to write
        values = _within_reason(iso)
        return Dates(values.alias(series.name), (len(values) - values.null_count()) / n_present, n_formats=1,
                     n_missing=text.null_count())
    day, time = _split_time(text)
    iso, named, dotted = _iso(day), _first_of(day, _NAMED), _parse(day, "%d.%m.%Y")
    either, n_both, first, doubt = _two_ways(day, day_first)
    formats = sum(int(part.is_not_null().any()) for part in (iso, named, dotted, either))
    values = _within_reason(iso.fill_null(named).fill_null(dotted).fill_null(either))
    readable = (len(values) - values.null_count()) / n_present
    ambiguous = n_both if doubt or (formats > 1 and day_first is None) else 0
    n_short = int((day.str.contains(_SHORT_YEAR) & values.is_not_null()).sum())
    return Dates(_with_time(values, time).rename(series.name), readable, ambiguous, first, formats, n_short,
                 text.null_count())


def _split_time(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The day's text and the time of day as a duration (null where none is written)."""
    parts = pl.DataFrame({"text": text}).select(
        pl.col("text").str.replace(_TIME, "").str.strip_chars().alias("day"),
        pl.col("text").str.extract(_TIME, 1).alias("clock"),
        pl.col("text").str.extract(_TIME, 2).str.to_lowercase().alias("half"))
    clock = parts["clock"].str.split_exact(":", 2).struct.unnest()
    hour = clock["field_0"].cast(pl.Int64, strict=False) % 24
    half = parts["half"]
    hour = hour.zip_with(half.is_null(), hour % 12 + (half == "pm").fill_null(False).cast(pl.Int64) * 12)
    minutes = clock["field_1"].cast(pl.Int64, strict=False)
    seconds = clock["field_2"].cast(pl.Int64, strict=False).fill_null(0)
    total = (hour * 3600 + minutes * 60 + seconds) * 1_000_000
    return parts["day"], total.cast(pl.Duration("us"))


def _with_time(values: pl.Series, time: pl.Series) -> pl.Series:
    if time.is_null().all():
        return values
    return values.cast(pl.Datetime("us")) + time.fill_null(pl.Series([0]).cast(pl.Duration("us"))[0])


def _parse(text: pl.Series, pattern: str) -> pl.Series:
    return text.str.to_date(pattern, strict=False, exact=True)


def _iso(text: pl.Series) -> pl.Series:
    plain = pl.col("text").str.replace_all("[/.]", "-")
    is_one = plain.str.contains(r"^\d{4}-\d{1,2}-\d{1,2}$")
    return text.to_frame("text").select(pl.when(is_one).then(plain).str.to_date("%Y-%m-%d", strict=False)).to_series()


def _within_reason(days: pl.Series) -> pl.Series:
    """Without years that no living patient has seen or will see."""
    day = pl.col("day")
    return days.to_frame("day").select(pl.when(day.dt.year().is_between(1850, 2200)).then(day)).to_series()


def _first_of(text: pl.Series, patterns: tuple[str, ...]) -> pl.Series:
    lettered = text.set(~text.str.contains("[A-Za-z]{3}").fill_null(False), None)
    found = _parse(lettered, patterns[0])
    for pattern in patterns[1:]:
        if found.null_count() == lettered.null_count():
            break
        found = found.fill_null(_parse(lettered, pattern))
    return found


def _two_ways(day: pl.Series, wanted: bool | None) -> tuple[pl.Series, int, bool | None, bool]:
    """Cells like 03/04/2024: their dates, how many could be read both ways, the order taken, and whether in doubt."""
    parts = pl.DataFrame({"day": day}).with_columns(
        pl.col("day").str.extract(_TWO_WAYS, group).cast(pl.Int64).alias(name)
        for name, group in (("a", 1), ("b", 3), ("year", 4)))
    a, b, year = parts["a"], parts["b"], parts["year"]
    day_proof, month_proof = int((a > 12).sum()), int((b > 12).sum())
    n_both = int(((a <= 12) & (b <= 12) & (a != b)).sum())
    if a.is_null().all():
        return pl.Series("day", [None], dtype=pl.Date).new_from_index(0, len(day)), 0, None, False
    first = wanted if wanted is not None else day_proof >= month_proof
    doubt = wanted is None and n_both > 0 and (day_proof > 0) == (month_proof > 0)
    year = year.zip_with((year >= 100).fill_null(True), year + (year < 50).cast(pl.Int64) * 100 + 1900)
    d, m = (a, b) if first else (b, a)
    swap = (m > 12) & (d <= 12)  # 03/25/2024 in a column read day first: only one reading exists
    d, m = d.zip_with(~swap.fill_null(False), m), m.zip_with(~swap.fill_null(False), d)
    iso = pl.DataFrame({"y": year, "m": m, "d": d}).select(pl.format("{}-{}-{}", "y", "m", "d").alias("day"))["day"]
    return _parse(iso, "%Y-%m-%d"), n_both, first, doubt
