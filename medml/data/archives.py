"""Tables in a zip archive, one an entry, as a workbook has one a sheet; its pictures are read by images.zipped. All is
read into memory; nothing is ever unpacked to a folder, and an archive that could do harm is refused by its list of
entries, before a byte of them is read.

Format: PKWARE APPNOTE 6.3.10; the end of central directory record (4.3.16) says how many entries there are.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from medml.data.excel import LeftOut
from medml.data.files import BROKEN, CHUNK, Material, expands_too_much, open_regular
from medml.data.kinds import PICTURE_ENDINGS, PICTURES, TABLE_ENDINGS, Sniffed, ending, looks_like_dicom, sniff
from medml.data.notes import Note, not_read
from medml.data.source import TableSource
from medml.data.walk import is_ignored
from medml.errors import UserError
from medml.types import TableRef

MOST_ENTRIES = 1_000
PICTURES_INSIDE = "pictures_inside"  # code of an entry that images.zipped reads
MOST_DIRECTORY = 1 << 20  # bytes of the list of entries
ARCHIVES = frozenset({"zip", "gz", "7z", "rar", "bz2", "xz", "zst"})
END = struct.Struct("<4s4H2LH")
END64, LOCATOR = struct.Struct("<4sQ2H2L4Q"), 20  # of archives that may be larger than 4 GB (4.3.14, 4.3.15)
_DRIVE = re.compile(r"^[A-Za-z]:")
Opener = Callable[[TableRef, Path, Sniffed, Material], TableSource]


def open_archive(shown: str, path: Path, wanted: str | None, opener: Opener) -> list[TableSource | LeftOut]:
    """Every table in a zip archive; its reference names the entry as a workbook's names the sheet.

    opener  reads one table of text from its bytes
    raises  UserError: refused (unsafe_path, expands_too_much, too_many_entries, nested_archive) or left out (password,
            damaged, pictures_inside, not_a_table)
    """
    with checked(path) as (archive, entries):
        twice = _twice(entries)
        found = [_one(archive, each, shown, path, opener) for each in last_of_each_name(entries)
                 if wanted in (None, each.filename) and not is_ignored(PurePosixPath(each.filename).name)]
    tables = [each for each in found if isinstance(each, TableSource)]
    if not tables:
        raise _why_none(found)
    for each in tables:
        each.notes = [*twice, *each.notes]
    return found


@contextmanager
def checked(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """An open archive and its files, once its list of entries shows that it can do no harm.

    raises  UserError: refused (unsafe_path, expands_too_much, too_many_entries) or left out (password, damaged)
    """
    try:
        with open_regular(path) as file:
            _few_enough(file)
            with zipfile.ZipFile(file) as archive:
                entries = [each for each in archive.infolist() if not each.is_dir()]
                _safe(entries, path.stat().st_size)
                yield archive, entries
    except (*BROKEN, struct.error) as broken:
        raise not_read("damaged", "This zip archive is damaged or cut off.") from broken


def _why_none(found: list[LeftOut]) -> UserError:
    """Why there is no table in an archive; that it holds pictures before anything else, for those can be read."""
    if not found:
        return not_read("empty", "This zip archive holds no file.")
    return next((each.error for each in found if each.error.code == PICTURES_INSIDE), found[0].error)


def _few_enough(file) -> None:
    """Refuse by the last record of the file, before the list of entries is read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - END.size - END64.size - LOCATOR - 65_535))
    tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < END.size:
        raise zipfile.BadZipFile("no end record")
    _, _, _, _, entries, directory, _, _ = END.unpack_from(tail, place)
    large = place - END64.size - LOCATOR
    if large >= 0 and tail[large + END64.size:].startswith(b"PK\x06\x07"):  # zipfile goes by the larger record then
        *_, entries64, directory64, _ = END64.unpack_from(tail, large)
        entries, directory = max(entries, entries64), max(directory, directory64)
    if entries > MOST_ENTRIES or directory > MOST_DIRECTORY:
        raise not_read("too_many_entries", f"This zip archive holds more than {MOST_ENTRIES:,} files. It was not "
                       "opened.", "Unpack it yourself and choose that folder.", refuse=True)
    file.seek(0)


def _safe(entries: list[zipfile.ZipInfo], packed: int) -> None:
    """Refuse what leads out of a folder, what is a link, what grows as no table does; leave out what is locked."""
    for each in entries:
        if leads_out(each.filename):
            raise not_read("unsafe_path", "This zip tries to write outside its folder. It was not opened.", refuse=True)
        if stat.S_ISLNK(each.external_attr >> 16):
            raise not_read("unsafe_path", "This zip holds a link to another place. It was not opened.", refuse=True)
    if expands_too_much(packed, sum(each.file_size for each in entries)):
        raise not_read("expands_too_much", "This zip would grow more than 100 times when unpacked, which real tables "
                       "never do. It was not opened.", refuse=True)
    if any(each.flag_bits & 1 for each in entries):
        raise not_read("password", "This zip archive is protected by a password.", "Unpack it yourself and choose that "
                       "folder.")


def leads_out(name: str) -> bool:
    """Whether an entry's name means a place outside of the folder it is unpacked into, on any system."""
    plain = name.replace("\\", "/")
    return plain.startswith("/") or bool(_DRIVE.match(plain)) or ".." in plain.split("/") or "\0" in name


def _twice(entries: list[zipfile.ZipInfo]) -> list[Note]:
    """Whether names repeat, or would on a system that does not tell capitals apart."""
    names = Counter(each.filename.casefold() for each in entries)
    n = sum(times > 1 for times in names.values())
    return [Note("duplicate_entries", "Files in this zip have the same name, so one may hide another; of the same name "
                 "the last was read.", {"names": n})] if n else []


def last_of_each_name(entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Of entries of one name the last, which is the one that is opened by that name."""
    return list({each.filename: each for each in entries}.values())


def _one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, shown: str, path: Path, opener: Opener
         ) -> TableSource | LeftOut:
    """The table in one entry, or why it is none; an archive in the archive refuses the whole."""
    try:
        head = head_of(archive, entry, 65_536)
    except BROKEN:
        return LeftOut(entry.filename, _damaged(entry.filename))
    sniffed = sniff(head, PurePosixPath(entry.filename).name)
    if sniffed.kind in ARCHIVES:
        raise not_read("nested_archive", "This zip holds another archive. It was not opened.",
                       "Unpack it yourself and choose that folder.", refuse=True)
    try:
        picture = sniffed.kind in PICTURES or sniffed.kind == "binary" and looks_like_dicom(head)
        if picture and sniffed.ending not in TABLE_ENDINGS:
            raise not_read(PICTURES_INSIDE, "This is a picture, not a table.")
        material = Material.of(_bytes(archive, entry))
        return opener(TableRef(path=shown, sheet=entry.filename), path, sniffed, material)
    except BROKEN:
        return LeftOut(entry.filename, _damaged(entry.filename))
    except UserError as error:
        return LeftOut(entry.filename, error)


def _damaged(name: str) -> UserError:
    """Why one entry is left out; a picture's own reason is told where pictures are read."""
    return not_read(PICTURES_INSIDE if ending(name) in PICTURE_ENDINGS else "damaged",
                    "This file in the zip is damaged or cut off.")


def head_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, n_bytes: int) -> bytes:
    """The first bytes of one entry; the rest is not unpacked."""
    with archive.open(entry) as inside:
        return inside.read(n_bytes)


def _bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of one entry, never more than its place in the list says."""
    with archive.open(entry) as inside:
        while chunk := inside.read(CHUNK):
            yield chunk
