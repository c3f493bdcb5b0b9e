"""Columns of mixed Python values, gathered row by row, to typed Polars columns."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from medml.data.numbers import EXACT

CHUNK_ROWS = 20_000
_NULL = type(None)


def as_text(value: object) -> str | None:
    """A cell as a person would type it: 5, 0.1, 2024-03-01, True; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(sep=" ")
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else f"{value:.15g}"
    return str(value)


class Builder:
    """Gathers rows; memory is that of the finished columns plus one chunk of Python values.

    A column of one sort of value becomes Float64, Int64 (whole numbers alone), Boolean, Date or Datetime; a column of
    several sorts becomes String, each value as a person would type it.
    """

    def __init__(self, width: int) -> None:
        self._chunks: list[list[pl.Series]] = [[] for _ in range(width)]
        self._waiting: list[list[object]] = [[] for _ in range(width)]
        self.rows = 0

    def add(self, row: dict[int, object], left: int = 0) -> None:
        """One row, {column number from 1: value}; columns beyond the width are dropped by the caller's layout."""
        for n, column in enumerate(self._waiting):
            column.append(row.get(n + left + 1))
        self.rows += 1
        if self.rows % CHUNK_ROWS == 0:
            self._flush()

    def widen(self, width: int) -> None:
        """More columns from now on; earlier rows have nothing there."""
        for _ in range(width - len(self._waiting)):
            filled = sum(len(chunk) for chunk in self._chunks[0]) if self._chunks else 0
            self._chunks.append([pl.Series([None] * filled, dtype=pl.Null)] if filled else [])
            self._waiting.append([None] * (self.rows - filled))

    def frame(self, names: list[str]) -> pl.DataFrame:
        """The table; `names` one a column."""
        self._flush()
        columns = {name: _joined(chunks) for name, chunks in zip(names, self._chunks, strict=True)}
        return pl.DataFrame(columns)

    def _flush(self) -> None:
        if self._waiting and self._waiting[0]:
            for chunks, waiting in zip(self._chunks, self._waiting, strict=True):
                chunks.append(_typed(waiting))
                waiting.clear()


def _typed(values: list[object]) -> pl.Series:
    kinds = set(map(type, values)) - {_NULL}
    if not kinds:
        return pl.Series([None] * len(values), dtype=pl.Null)
    if kinds <= {int, float}:
        if float not in kinds and max(abs(v) for v in values if v is not None) > 2**63 - 1:
            return pl.Series([as_text(v) for v in values], dtype=pl.String)
        return pl.Series(values, dtype=pl.Float64 if float in kinds else pl.Int64, strict=False)
    if kinds == {bool}:
        return pl.Series(values, dtype=pl.Boolean)
    if kinds == {datetime}:
        return pl.Series(values, dtype=pl.Datetime("us"))
    return pl.Series([as_text(value) for value in values], dtype=pl.String)


def _joined(chunks: list[pl.Series]) -> pl.Series:
    """One column from its chunks: their common type, or text."""
    kinds = {chunk.dtype for chunk in chunks} - {pl.Null}
    if len(kinds) > 1 and kinds != {pl.Int64, pl.Float64}:
        chunks = [chunk if chunk.dtype == pl.String else
                  pl.Series([as_text(value) for value in chunk.to_list()], dtype=pl.String) for chunk in chunks]
        kinds = {pl.String}
    kind = pl.Float64 if len(kinds) == 2 else kinds.pop() if kinds else pl.String
    if not chunks:
        return pl.Series([], dtype=kind)
    return _narrowed(pl.concat([chunk.cast(kind) for chunk in chunks]))


def _narrowed(column: pl.Series) -> pl.Series:
    """Whole numbers to Int64, midnights to Date."""
    known = column.drop_nulls()
    if column.dtype == pl.Float64 and len(known) and ((known == known.floor()) & (known.abs() < EXACT)).all():
        return column.cast(pl.Int64)
    if isinstance(column.dtype, pl.Datetime) and len(known) and (known.dt.time() == datetime.min.time()).all():
        return column.cast(pl.Date)
    return column
