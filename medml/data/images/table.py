"""The pictures of a folder as a table, a row each: what files, headers, folders and a label table say of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from medml.data import files
from medml.data.images.columns import CONTENT, columns_of
from medml.data.images.image_file import ImageFile
from medml.data.notes import Note, not_read
from medml.data.source import TableSource
from medml.types import FileEntry, TableRef
from medml.value import PICTURES

READERS = 2  # files hashed side by side; hashing leaves Python's lock


class ImageTable(TableSource):
    """Pictures under a folder, a row each in the order of their names; pixels are read when asked for.

    root    the folder that the column "picture" is relative to;   images  what their headers say, in the same order
    labels  the table whose columns were joined to them, if one lies beside them

    The column "content" (SHA-256 of each file) is only made where it is asked for: it needs every byte.
    """

    def __init__(self, ref: TableRef, source: Path, images: Sequence[ImageFile], content: pl.DataFrame,
                 notes: list[Note], labels: TableSource | None = None) -> None:
        self.root = source if source.is_dir() else source.parent
        self.images, self.labels = list(images), labels
        self._content, self._hashes, self._lock = content, None, threading.Lock()
        super().__init__(ref, source, PICTURES, _with_content(content.columns), content.height, notes)
        self._fingerprint = self._look()

    def frame(self, columns: list[str] | None = None, n_rows: int | None = None) -> pl.DataFrame:
        wanted = self.columns if columns is None else columns
        frame = self._content if n_rows is None else self._content.head(n_rows)
        if CONTENT in wanted:
            frame = frame.with_columns(pl.Series(CONTENT, self.contents()[:frame.height], dtype=pl.String))
        return frame.select(wanted)

    def batches(self, chunk_rows: int = 100_000) -> Iterator[pl.DataFrame]:
        yield from self.frame().iter_slices(chunk_rows)

    def contents(self) -> list[str]:
        """SHA-256 of every file, in the order of the rows. UserError where a file has gone meanwhile."""
        with self._lock:  # a scan asks from two threads
            if self._hashes is None:
                with ThreadPoolExecutor(READERS) as readers:
                    self._hashes = list(readers.map(lambda each: files.sha256(self.root / each.path), self.images))
            return self._hashes

    def sha256(self) -> str:
        """SHA-256 over the names and contents of all pictures, and of the label table: any change shows."""
        if self._sha256 is None:
            digest = hashlib.sha256()
            for path, content in sorted(zip(self._content["picture"], self.contents(), strict=True)):
                digest.update(f"{path}\0{content}\n".encode())
            if self.labels is not None:
                digest.update(self.labels.sha256().encode())
            self._sha256 = digest.hexdigest()
        return self._sha256

    @property
    def entry(self) -> FileEntry:
        """The line of all pictures together in the list of files."""
        return super().entry.model_copy(update={"bytes": sum(each.bytes for each in self.images)})

    def changed(self) -> bool:
        return self._look() != self._fingerprint

    def _look(self) -> tuple[int, int]:
        """(bytes of all pictures, time of the newest change in ns). UserError "gone" where one is missing."""
        seen = [files.fingerprint(self.root / each.path) for each in self.images]
        return sum(size for size, _ in seen), max((when for _, when in seen), default=0)


def picture_table(source: Path, images: Sequence[ImageFile], tables: Sequence[TableSource] = ()) -> ImageTable:
    """The table of these pictures, joined with the one of `tables` that names most of them, if any does.

    source  the folder (or single file) that the pictures were found under
    raises  UserError "no_pictures" where there is none
    """
    if not images:
        raise not_read("no_pictures", "There are no pictures here that can be read.")
    return ImageTable(TableRef(path=".", sheet=PICTURES), source, images, columns_of(images), [])


def _with_content(names: Sequence[str]) -> list[str]:
    """Names of all columns: "content" stands behind what the headers say, before what may be the outcome."""
    return [names[0], CONTENT, *names[1:]]
