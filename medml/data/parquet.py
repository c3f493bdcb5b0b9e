"""Parquet tables, read in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from medml.data.layout import column_names
from medml.data.notes import Note, count_words, not_read
from medml.data.source import TableSource
from medml.types import TableRef

MOST_CELLS_A_BYTE = 2000  # more cells a byte of file than any real table has


class ParquetTable(TableSource):
    """A Parquet file; its types are narrowed to those that MedML knows."""

    def __init__(self, ref: TableRef, path: Path, rows: int, scan: pl.LazyFrame, columns: list[str],
                 notes: list[Note]) -> None:
        super().__init__(ref, path, "parquet", columns, rows, notes)
        self._scan = scan

    def frame(self, columns: list[str] | None = None, n_rows: int | None = None) -> pl.DataFrame:
        scan = self._scan if columns is None else self._scan.select(columns)
        scan = scan if n_rows is None else scan.head(n_rows)
        try:
            return scan.collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError):
            raise self._broken() from None

    def batches(self, chunk_rows: int = 100_000) -> Iterator[pl.DataFrame]:
        try:
            yield from self._scan.collect_batches(chunk_size=chunk_rows, maintain_order=True, engine="streaming")
        except (pl.exceptions.PolarsError, OSError):
            raise self._broken() from None

    def _broken(self) -> Exception:
        if self.changed():
            return not_read("changed", f"The file {self.path.name} changed while it was being read.", "Scan it again.")
        return not_read("damaged", f"The file {self.path.name} is damaged.")


def open_parquet(ref: TableRef, path: Path) -> ParquetTable:
    """A Parquet file as a table. UserError: "damaged", "empty", "not_a_table", "expands_too_much"."""
    try:
        scan = pl.scan_parquet(str(path), glob=False)
        schema = scan.collect_schema()
        rows = int(scan.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError):
        raise not_read("damaged", "This Parquet file is damaged or cut off.") from None
    if not rows or not schema:
        raise not_read("empty", "This table has no rows.")
    if rows * len(schema) > max(10_000_000, MOST_CELLS_A_BYTE * path.stat().st_size):
        raise not_read("expands_too_much", "This file holds far more cells than its size allows for a real table. "
                       "It was not opened.", refuse=True)
    plain = {name: _plain(pl.nth(n), kind) for n, (name, kind) in enumerate(schema.items())}  # "^x$" names no column
    kept = [name for name, column in plain.items() if column is not None]
    if not kept:
        raise not_read("not_a_table", "This Parquet file holds lists or binary data alone.")
    names, notes = column_names(kept, len(kept))
    left_out = len(schema) - len(kept)
    if left_out:
        columns = count_words(left_out, "column", "columns", capital=True)
        notes.append(Note("nested_values", f"{columns} of lists or binary data {'was' if left_out == 1 else 'were'} "
                          "left out.", {"columns": left_out}))
    chosen = scan.select(plain[old].alias(new) for old, new in zip(kept, names, strict=True))
    return ParquetTable(ref, path, rows, chosen, names, notes)


def _plain(column: pl.Expr, kind: pl.DataType) -> pl.Expr | None:
    """A column as Float64, Int64, Boolean, Date, Datetime or String; None where it holds lists or bytes."""
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        return None
    if kind.is_float() or kind.is_decimal():
        return column.cast(pl.Float64).fill_nan(None)
    if kind in (pl.UInt64, pl.Int128):
        return column.cast(pl.String)  # may exceed 64 bits; the reader of numbers decides
    if kind.is_integer():
        return column.cast(pl.Int64)
    if isinstance(kind, pl.Datetime):
        return column.cast(pl.Datetime("us", kind.time_zone)).dt.replace_time_zone(None)
    if kind in (pl.Boolean, pl.Date):
        return column
    text = column.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)
