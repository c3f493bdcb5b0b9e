"""The tables of a folder: every file looked at, every table opened, every reason given."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from medml.data import models
from medml.data.archives import open_archive
from medml.data.content import content_notes
from medml.data.excel import LeftOut, open_excel
from medml.data.files import Material, gunzip
from medml.data.kinds import BINARY_ENDINGS, PICTURES, Sniffed, ending, sniff
from medml.data.notes import Note, not_read, sort_notes
from medml.data.old_excel import open_old_excel
from medml.data.parquet import open_parquet
from medml.data.records import open_records
from medml.data.source import TableSource
from medml.data.text import TABLE_KINDS, open_text
from medml.data.walk import Found, not_opened, walk
from medml.errors import Stopped, UserError
from medml.roots import check_source, existing
from medml.types import FileEntry, TableRef
from medml.value import PICTURES as PICTURE_SHEET
from medml.watch import Part, Silent, Watch

if TYPE_CHECKING:
    from medml.data.images.beside import Labels

log = logging.getLogger(__name__)


def find_tables(source: Path, *, watch: Watch | None = None, sheet: str | None = None, labels: Labels | None = None
                ) -> tuple[list[FileEntry], list[TableSource]]:
    """Every file under a folder (or one file) with what became of it, and every table found, ready to be read.

    sheet   only this sheet of workbooks
    labels  which table says what pictures show, where a person said so
    returns entries in the order of names (one a sheet where a workbook has several), and the tables among them
    raises  UserError if the source is gone; Stopped if the watch asks to stop; never for a bad file
    """
    from medml.data.images import beside  # late: it stands on this module

    watch = watch or Silent()
    source = existing(source)
    seen = beside.look(source, Part(watch, 0.0, 0.5), labels)  # pictures come by the ten thousand: each is opened once
    entries: list[FileEntry] = []
    tables: list[TableSource] = []
    everything = list(walk(source))
    for n, found in enumerate(everything):
        if n % 50 == 0 or found.bytes > 1 << 20:
            if watch.stopping():
                raise Stopped
            watch.say("looking", 0.5 + n / len(everything) / 2, f"{n:,} of {len(everything):,} files")
        picture = seen.entries.get(found.path)
        if picture is not None and picture.reason_code != "not_an_image" and beside.is_picture(picture):
            entries.append(picture)
            continue
        got, opened = _look_at(found, sheet)
        entries += got
        tables += opened
    return beside.with_pictures(source, seen, entries, tables, labels, watch)


def open_table(source: Path, ref: TableRef) -> TableSource:
    """The table of that reference, as find_tables found it. UserError if it is gone or can no longer be read."""
    source = existing(source)
    if ref.sheet == PICTURE_SHEET:
        from medml.data.images.beside import open_pictures  # late: it stands on this module

        return open_pictures(source, ref)
    for table in _open(ref.path, file_in(source, ref.path), ref.sheet):
        if isinstance(table, TableSource) and table.ref == ref:
            return table
    raise UserError(what=f"{ref.label} is no longer a table in this folder.", fix="Scan the folder again.", code="gone")


def file_in(source: Path, shown: str) -> Path:
    """The file that is called so in the list of files. UserError where it is gone or leads out of the folder."""
    path = source
    if source.is_dir():
        parts = PurePosixPath(shown).parts
        path = source.joinpath(*parts)
        if ".." in parts or PurePosixPath(shown).is_absolute() or source not in path.resolve().parents:
            raise not_read("link", f"{shown} lies outside of the folder; it was not opened.")
    if not path.is_file():
        raise UserError(what=f"The file {shown} is no longer there.", fix="Put it back, or scan the folder again.",
                        code="gone")
    return path


def tables_in(source: Path, shown: str) -> list[TableSource]:
    """Every table of one file, as the list of files calls it, or as `shown_from` calls one that a person named.

    raises  UserError where it is gone, holds none or lies outside of the folders that may be read
    """
    return [table for table in _open(shown, place_of(source, shown), None) if isinstance(table, TableSource)]


def place_of(source: Path, shown: str) -> Path:
    """Where a file lies, as the list of files calls it or `shown_from` does; UserError as `tables_in`."""
    return check_source(_folder(source) / shown) if TableRef(path=shown).elsewhere else file_in(source, shown)


def shown_from(source: Path, file: Path) -> str:
    """What a file that a person named is called from a source: its path in it, or the way there ("../list.csv")."""
    try:
        return Path(os.path.relpath(file.resolve(), _folder(source.resolve()))).as_posix()
    except ValueError:  # another drive of Windows
        return file.resolve().as_posix()


def _folder(source: Path) -> Path:
    return source if source.is_dir() else source.parent


def _look_at(found: Found, sheet: str | None) -> tuple[list[FileEntry], list[TableSource]]:
    """The entries of one file, whatever it is."""
    if found.what != "file":
        return [not_opened(found)], []
    try:
        tables = _open(found.path, found.full, sheet)
        for table in tables:
            if isinstance(table, TableSource):
                table.notes = sort_notes(table.notes + content_notes(table))
    except UserError as error:
        return [_refusal(found, error)], []
    except OSError as error:  # the disk, the network share: this file only
        log.warning("a file could not be read: %s", type(error).__name__)
        return [_refusal(found, not_read("unreadable", "This file could not be read from its disk."))], []
    entries = [each.entry if isinstance(each, TableSource) else _refusal(found, each.error, each.sheet)
               for each in tables]
    return entries, [each for each in tables if isinstance(each, TableSource)]


def _refusal(found: Found, error: UserError, sheet: str | None = None) -> FileEntry:
    return FileEntry(path=found.path, sheet=sheet, kind=ending(found.path) or "file", bytes=found.bytes,
                     action="refuse" if error.detail == "refuse" else "skip", reason_code=error.code,
                     message=error.what)


def _open(shown: str, path: Path, sheet: str | None) -> Sequence[TableSource | LeftOut]:
    """The tables in one file. UserError with a code where there is none."""
    ref, material = TableRef(path=shown), Material(path)
    sniffed = sniff(material.head(65536), path.name)
    if sniffed.kind == "gz":
        material = gunzip(path)
        sniffed = sniff(material.head(65536), path.stem)
    elif sniffed.kind == "xlsx":
        return [_told(each, sniffed, "an Excel workbook") for each in open_excel(shown, path, "xlsx", sheet)]
    elif sniffed.kind in ("ole", "xlsb", "ods"):
        return open_old_excel(shown, path, sniffed.kind, sheet)
    elif sniffed.kind == "parquet":
        return [_told(open_parquet(ref, path), sniffed, "a Parquet table")]
    elif sniffed.kind == "zip" and sniffed.ending not in models.ENDINGS:
        return open_archive(shown, path, sheet, _of_text)
    return [_of_text(ref, path, sniffed, material)]


def _of_text(ref: TableRef, path: Path, sniffed: Sniffed, material: Material) -> TableSource:
    """The table in bytes that are text of some kind. UserError with a code where they hold none."""
    if sniffed.words == "empty":
        raise not_read("empty", "This file is empty.")
    if sniffed.ending in models.ENDINGS:
        raise models.reason(path, sniffed.ending)
    if sniffed.kind in ("json", "jsonl"):
        head = material.head(65536)
        if models.is_own(head):
            raise models.own(path, head)
        return _records(ref, path, sniffed, material)
    if sniffed.kind in ("csv", "tsv", "txt", "text", "prose"):
        return _text(ref, path, sniffed, material)
    raise _not_a_table(sniffed)


def _records(ref: TableRef, path: Path, sniffed: Sniffed, material: Material) -> TableSource:
    """A JSON table; under the name of a text table, one whose cells happen to begin like JSON is text."""
    try:
        return _told(open_records(ref, path, sniffed.kind, material), sniffed, "JSON")
    except UserError:
        if sniffed.ending not in TABLE_KINDS:
            raise
    return open_text(ref, path, sniffed.ending, material)


def _text(ref: TableRef, path: Path, sniffed: Sniffed, material: Material) -> TableSource:
    table = open_text(ref, path, sniffed.kind, material)
    if sniffed.ending in BINARY_ENDINGS:
        table.kind = "csv"
        return _told(table, sniffed, "a CSV")
    return table


def _told(table: TableSource | LeftOut, sniffed: Sniffed, words: str) -> TableSource | LeftOut:
    """The table with a note where its name promises something else."""
    if isinstance(table, TableSource) and sniffed.named_otherwise:
        table.notes = [Note("wrong_extension", f"This file is {words}, although its name ends in .{sniffed.ending}. "
                            f"It was read as {words}."), *table.notes]
    return table


def _not_a_table(sniffed: Sniffed) -> UserError:
    """Why a file of a kind that holds no table was left out."""
    if sniffed.kind == "binary":
        return not_read("not_a_table", "This file is not a table: it holds binary data.")
    what = f"This file is {sniffed.words}"
    if sniffed.named_otherwise:
        return not_read("wrong_extension", f"{what}, although its name ends in .{sniffed.ending}.")
    if sniffed.kind in PICTURES:
        return not_read("picture", f"{what}, not a table.")
    return not_read("not_a_table", f"{what}, which MedML does not read as a table.")


__all__ = ["Note", "find_tables", "open_table"]
