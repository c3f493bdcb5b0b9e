"""What stands for "no value": words such as "?" and "unknown", numbers such as -999."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

AT_ONCE = 500_000  # cells that are asked about at once: what is worked out of them has to fit the memory
# Lower case, stripped. Left out on purpose: "none" and "nil" (often "no finding"), "nd" (also "not detected"),
# "not done" (a fact about care), "u" (a code of its own in many registers).
MISSING_WORDS = frozenset({
    "", "?", "??", "???", "-", "--", "---", ".", "..", "...", "na", "n/a", "n.a.", "n.a", "#n/a", "#na", "<na>",
    "nan", "null", "(null)", "\\n", "unknown", "unk", "missing", "not available", "not known", "not recorded",
    "not reported", "no data", "#value!", "#div/0!", "#ref!", "#name?", "#num!", "#null!", "nat", "k.a.",
    "unbekannt", "inconnu", "desconocido", "sconosciuto",
})
SENTINEL_NUMBERS = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 888.0, 8888.0)


_CELL = pl.col("cell")
_TEXT = _CELL.str.strip_chars()
_WORDS = sorted(MISSING_WORDS)
_IS_WORD = _TEXT.str.to_lowercase().is_in(_WORDS)


def strip(series: pl.Series) -> pl.Series:
    """Text without white space around it; the empty text is null. Series of other types come back unchanged."""
    return _worked_out(series, pl.when(_TEXT != "").then(_TEXT)) if series.dtype == pl.String else series


def is_missing(series: pl.Series) -> pl.Series:
    """True where a cell is empty, NaN, or holds a word for "missing" (any case). Boolean, no nulls."""
    return _worked_out(series, _is_missing(_CELL, series.dtype))


def missing_cells(columns: list[pl.Series]) -> list[pl.Series]:
    """The same of every column of a table, in one question about all that are text."""
    of_text = of_each([each for each in columns if each.dtype == pl.String],
                      lambda cells: is_missing(cells).to_frame())
    return [next(of_text).to_series() if each.dtype == pl.String else is_missing(each) for each in columns]


def of_each(columns: list[pl.Series], ask: Callable[[pl.Series], pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """What `ask` answers of every cell, (n,) Series to a frame of n rows, for each of several columns of one type.

    It is asked of many columns as of one long one: a question takes as long as a thousand cells do.
    """
    some: list[pl.Series] = []
    for at, each in enumerate(columns, start=1):
        some.append(each.alias("cell"))
        if at == len(columns) or len(some) * len(each) >= AT_ONCE:
            found, place = ask(pl.concat(some)), 0
            for one in some:
                yield found.slice(place, len(one))
                place += len(one)
            some = []


def _is_missing(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind == pl.String:
        return cell.is_null() | cell.str.strip_chars().str.to_lowercase().is_in(_WORDS).fill_null(True)
    return cell.is_null() | cell.is_nan().fill_null(True) if kind.is_float() else cell.is_null()


def present(series: pl.Series) -> pl.Series:
    """Stripped text with every word for "missing" as null."""
    if series.dtype != pl.String:
        return series
    return _worked_out(series, pl.when((_TEXT != "") & ~_IS_WORD).then(_TEXT))


def _worked_out(series: pl.Series, wanted: pl.Expr) -> pl.Series:
    """One question to Polars: every step of its own would cost as much as a small table's whole work."""
    return series.alias("cell").to_frame().select(wanted).to_series().alias(series.name)


def rows_per_value(series: pl.Series) -> dict:
    """Every value (null is one) and how often it occurs, the commonest first; whatever the column's name is."""
    # Polars refuses a column that is named as its column of counts is.
    return dict(series.alias("value").value_counts(sort=True, name="rows").iter_rows())


def missing_words(series: pl.Series) -> dict[str, int]:
    """Which words for "missing" a text column holds, as written, and how often; empty cells are not words."""
    if series.dtype != pl.String:
        return {}
    text = strip(series)
    words = text.filter(is_missing(text) & text.is_not_null())
    return rows_per_value(words)


def numeric_sentinels(values: pl.Series) -> dict[float, int]:
    """Numbers such as -999 that stand for "missing" in this column, and how often.

    A negative candidate counts where every other value is 0 or more; a positive one where it is more than twice the
    largest other value. Small ones (-9, 99) must occur twice. Fewer than 5 other values: none are named.
    """
    known = values.drop_nulls().cast(pl.Float64)
    candidates = known.filter(known.is_in(SENTINEL_NUMBERS))
    if candidates.is_empty():
        return {}
    others = known.filter(~known.is_in(SENTINEL_NUMBERS))
    if len(others) < 5 or others.n_unique() < 2:
        return {}
    low, high = float(others.min()), float(others.max())
    return {value: n for value, n in rows_per_value(candidates).items() if _stands_out(value, n, low, high)}


def _stands_out(value: float, n: int, low: float, high: float) -> bool:
    if abs(value) < 100 and n < 2:
        return False
    return low >= 0 if value < 0 else high > 0 and value > 2 * high and (n > 1 or value >= 999)
