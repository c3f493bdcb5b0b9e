"""Pictures in a zip archive: found by their headers, decoded by the children; nothing is unpacked to a folder."""

from __future__ import annotations

import hashlib
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from medml import home
from medml.data import files
from medml.data.archives import checked, head_of, last_of_each_name
from medml.data.files import BROKEN
from medml.data.images import folder_notes
from medml.data.images.decode import decode_all
from medml.data.images.elements import HEAD
from medml.data.images.entry import unpacked
from medml.data.images.header import Looked, kind_of, look_into
from medml.data.images.image_file import ImageFile, Unreadable, cut_off
from medml.data.images.index import entry_of
from medml.data.images.table import ImageTable, described
from medml.data.kinds import PICTURE_ENDINGS, TABLE_ENDINGS, ending
from medml.data.source import TableSource
from medml.data.walk import is_ignored
from medml.errors import Stopped, UserError
from medml.types import FileEntry, TableRef
from medml.value import PICTURES
from medml.watch import Silent, Watch


class ZipTable(ImageTable):
    """The pictures of one archive, named by their places in it; folders in it are folders."""

    def sha256(self) -> str:
        """SHA-256 of the archive, with the table that labels them."""
        if self._sha256 is None:
            self._sha256 = files.sha256(self.path)
        return self._sha256

    def listed(self, name: str) -> str:
        return f"{self.ref.path}/{name}"

    def _hashed(self, images: Sequence[ImageFile]) -> list[str]:
        with checked(self.path) as (archive, _):
            return [_sha256(archive, each.path) for each in images]

    def _pixels_of(self, images: Sequence[ImageFile], **how: Any) -> Iterator[tuple[int, np.ndarray | Unreadable]]:
        return decode_all(self.path, images, inside=True, **how)

    def _look(self) -> tuple[int, int]:
        return files.fingerprint(self.path)


def zip_table(shown: str, path: Path, images: Sequence[ImageFile], tables: Sequence[TableSource] = (),
              key: str | None = None, patient_tag: str | None = None) -> ZipTable:
    """The table of the pictures of an archive, joined with the one of `tables` (of the same archive) that names most.

    shown, path  what the archive is called and where it lies;   key, patient_tag  as of `picture_table`
    raises       UserError "no_pictures" where there is none
    """
    content, notes, labels, column = described(images, tables, key)
    ref = TableRef(path=shown, sheet=PICTURES, key=None if labels is None else key, patient_tag=patient_tag)
    return ZipTable(ref, path, images, content, notes, labels, column)


def find_zipped(shown: str, path: Path, *, watch: Watch | None = None, patient_tag: str = "PatientID",
                only: set[str] | None = None) -> tuple[list[FileEntry], list[ImageFile]]:
    """Every picture in an archive with what became of it, and those that can be read, by the order in the archive.

    only    the names of those that are wanted
    returns entries that are called "archive/place in it", and images that are called by their place
    raises  UserError as `checked`; Stopped if the watch asks to stop
    """
    watch, hashed = watch or Silent(), home.hasher()
    broken: list[FileEntry] = []
    looked: list[Looked] = []
    with checked(path) as (archive, entries):
        wanted = [each for each in last_of_each_name(entries) if only is None or each.filename in only]
        for n, each in enumerate(wanted):
            if n % 100 == 0 and watch.stopping():
                raise Stopped
            if is_ignored(PurePosixPath(each.filename).name) or not _is_picture(archive, each):
                continue
            try:
                looked.append(_look(archive, each, path, hashed, patient_tag))
            except Unreadable as error:
                kind = ending(each.filename)
                broken.append(FileEntry(path=each.filename, kind=kind if kind in PICTURE_ENDINGS else "dicom",
                                        bytes=each.file_size, action=error.action, reason_code=error.code,
                                        message=error.what))
        images, compared = folder_notes.compare(looked, lambda kept: _same(archive, kept))
    found = [*map(entry_of, images), *compared, *broken]
    return [each.model_copy(update={"path": f"{shown}/{each.path}"}) for each in found], images


def _is_picture(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is one of a kind that is read, or would be were it whole, and its name promises no table."""
    if ending(entry.filename) in TABLE_ENDINGS:
        return False
    try:
        return bool(kind_of(head_of(archive, entry, HEAD), PurePosixPath(entry.filename).name))
    except Unreadable as error:
        return error.code not in ("not_an_image", "empty")
    except (*BROKEN, OSError):
        return True


def _look(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, hashed: Callable[..., str],
          patient_tag: str) -> Looked:
    try:
        with unpacked(archive, entry.filename).open() as file:
            found = look_into(entry.filename, path, file, hashed, patient_tag)
    except UserError as error:
        raise error if isinstance(error, Unreadable) else Unreadable.of(error) from None
    if found.image.truncated:
        raise cut_off()
    return found


def _same(archive: zipfile.ZipFile, looked: Sequence[Looked]) -> list[list[int]]:
    """Groups of equal files, by what the archive says of each: its size and CRC-32 (APPNOTE 4.4.7)."""
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for place, each in enumerate(looked):
        told = archive.getinfo(each.image.path)
        groups[told.file_size, told.CRC].append(place)
    return [group for group in groups.values() if len(group) > 1]


def _sha256(archive: zipfile.ZipFile, name: str) -> str:
    """SHA-256 of one entry. UserError "damaged" where it can no longer be unpacked."""
    digest = hashlib.sha256()
    for piece in unpacked(archive, name).chunks():
        digest.update(piece)
    return digest.hexdigest()


