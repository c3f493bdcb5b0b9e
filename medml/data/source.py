"""One table, however it is stored: its columns, its rows, what was noticed, and its content in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from medml.data import files
from medml.data.notes import LEFT_OUT, Note, first_note, sort_notes
from medml.types import FileEntry, TableRef


class TableSource(ABC):
    """A table that can be read. Nothing of it is ever written.

    ref      its name within the source;  path  the file on this machine
    kind     csv, tsv, txt, xlsx, json, jsonl, parquet ...
    columns  names, unique, none empty;  rows  number of rows (headers, units and footers not counted)
    units    units found in a row of their own under the header, by column
    notes    what was noticed, the most important first
    short    (m,) int64, rows from 0 that had too few fields; their last cells are empty, and others may be shifted
    """

    def __init__(self, ref: TableRef, path: Path, kind: str, columns: list[str], rows: int | None,
                 notes: list[Note], units: dict[str, str] | None = None) -> None:
        self.ref, self.path, self.kind = ref, path, kind
        self.columns, self.rows, self.notes, self.units = columns, rows, notes, units or {}
        self.short = np.empty(0, dtype=np.int64)
        self._fingerprint = files.fingerprint(path)
        self._sha256: str | None = None

    @abstractmethod
    def frame(self, columns: list[str] | None = None, n_rows: int | None = None) -> pl.DataFrame:
        """The table (or some columns, or its first rows) in memory.

        Text formats: every column String, stripped, empty cells null. Typed formats: Float64, Int64, Boolean, Date,
        Datetime or String. UserError where the file has gone or changed its shape since it was opened.
        """

    @abstractmethod
    def batches(self, chunk_rows: int = 100_000) -> Iterator[pl.DataFrame]:
        """The table in pieces, in order, in constant memory for text and Parquet.

        In text formats a column of clean numbers is already Int64 or Float64, by a sample; all else is String,
        stripped, empty cells null. A column that turns out not to be clean after all is String from then on, so a
        caller reads each batch by its own types.
        """

    def rows_within(self, n_bytes: int, most: int) -> int:
        """About how many of the first rows hold so many bytes in memory: 1 to `most`; counted in text formats."""
        first = self.frame(n_rows=200)
        return min(max(1, n_bytes * first.height // max(1, first.estimated_size())), most)

    @property
    def entry(self) -> FileEntry:
        """This table's line in the list of files: the first reason, and what else was left out of it."""
        first = first_note(self.notes)
        also = [each.message for each in sort_notes(self.notes) if each.code in LEFT_OUT and each is not first]
        return FileEntry(
            path=self.ref.path, kind=self.kind, sheet=self.ref.sheet, rows=self.rows, cols=len(self.columns),
            action="read_with_warning" if first is not None and first.warns else "read",
            reason_code=first.code if first else None, message=" ".join([first.message, *also]) if first else None,
            bytes=self._fingerprint[0])

    def sha256(self) -> str:
        """SHA-256 of the whole file (all sheets), in hex; read once."""
        if self._sha256 is None:
            self._sha256 = files.sha256(self.path)
        return self._sha256

    def let_go(self) -> None:  # noqa: B027 - most have nothing under way
        """Nobody wants anything more of it: end what goes on beside."""

    def fingerprint(self) -> tuple[int, int]:
        """(bytes, time of last change in ns) when the table was opened; compare with `files.fingerprint(path)`."""
        return self._fingerprint

    def changed(self) -> bool:
        """Whether the file on the disk is no longer the one that was opened."""
        return files.fingerprint(self.path) != self._fingerprint


class FrameTable(TableSource):
    """A table that a reader has already brought into memory (Excel, JSON)."""

    def __init__(self, ref: TableRef, path: Path, kind: str, content: pl.DataFrame, notes: list[Note],
                 units: dict[str, str] | None = None) -> None:
        super().__init__(ref, path, kind, content.columns, content.height, notes, units)
        self._content = content

    def frame(self, columns: list[str] | None = None, n_rows: int | None = None) -> pl.DataFrame:
        chosen = self._content if columns is None else self._content.select(columns)
        return chosen if n_rows is None else chosen.head(n_rows)

    def rows_within(self, n_bytes: int, most: int) -> int:
        return min(max(1, n_bytes * self._content.height // max(1, self._content.estimated_size())), most)

    def batches(self, chunk_rows: int = 100_000) -> Iterator[pl.DataFrame]:
        yield from self._content.iter_slices(chunk_rows)
