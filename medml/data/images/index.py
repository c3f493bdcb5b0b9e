"""The images of a folder: every file looked at by its content, every reason given. Headers alone are read here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from medml import home
from medml.data.files import open_regular
from medml.data.images import folder_notes
from medml.data.images.dicom_header import read_dicom_header
from medml.data.images.elements import HEAD
from medml.data.images.image_file import SMALLEST, ImageFile, Unreadable, cut_off, damaged
from medml.data.images.picture_header import has_day_in_name, read_picture_header
from medml.data.images.words import FACTS, KINDS, ORDER, WARNINGS
from medml.data.index import existing
from medml.data.kinds import BINARY_ENDINGS, PICTURES, TEXT_ENDINGS, Sniffed, ending, sniff
from medml.data.walk import not_opened, walk
from medml.errors import Stopped, UserError
from medml.types import FileEntry
from medml.watch import Silent, Watch

log = logging.getLogger(__name__)
_READ = frozenset(KINDS)
_CLAIMS = frozenset({"png", "jpg", "jpeg", "jpe", "tif", "tiff", "gif", "bmp", "dcm", "dicom", "ima"})
_NAMES_A_KIND = BINARY_ENDINGS | TEXT_ENDINGS | _CLAIMS  # "1.2.840.113" and "IM.0001" promise nothing


@dataclass(slots=True)
class Looked:
    """One readable image on its way through the scan."""

    image: ImageFile
    full: Path
    head: int  # of the first 8 KB, to tell files of one size apart


def patient_key(value: str) -> str:
    """The name of a patient that means nothing without this installation's key, as in ImageFile.patient."""
    return home.keyed_hash("patient", value.strip())


def uid_key(value: str) -> str:
    """The same of a SOPInstanceUID, as in ImageFile.uid."""
    return home.keyed_hash("uid", value.strip())


def read_header(path: Path, *, root: Path) -> ImageFile:
    """The header of one image file.

    root    the folder that the path is told relative to
    raises  Unreadable with a code of the reasons above; never anything else for what is in the file
    """
    shown = path.relative_to(root).as_posix()
    try:
        return _look_at(shown, path, home.keyed_hash).image
    except UserError as error:
        raise error if isinstance(error, Unreadable) else Unreadable.of(error) from None
    except OSError as error:
        log.warning("a file could not be read: %s", type(error).__name__)
        raise Unreadable("unreadable", "This file could not be read from its disk.") from None


def find_images(source: Path, *, watch: Watch | None = None) -> tuple[list[FileEntry], list[ImageFile]]:
    """Every file under a folder (or one file) with what became of it, and the images among them that can be read.

    DICOM is found by content, with or without an extension; a DICOMDIR is never followed; what is cut off, damaged or
    dangerous is listed with its reason. Both lists are in the order of names.

    raises  UserError if the source is gone; Stopped if the watch asks to stop; never for a bad file
    """
    watch = watch or Silent()
    everything = list(walk(existing(source)))
    entries: dict[str, FileEntry] = {}
    looked: list[Looked] = []
    hashed = home.hasher()
    for n, found in enumerate(everything):
        if n % 100 == 0:
            _report(watch, n, len(everything))
        if found.what != "file":
            entries[found.path] = not_opened(found)
            continue
        try:
            each = _look_at(found.path, found.full, hashed)
            if each.image.truncated:
                raise cut_off()
            looked.append(each)
            entries[found.path] = None  # keeps its place
        except UserError as error:
            entries[found.path] = _refusal(found.path, found.bytes, error)
        except OSError as error:  # the disk, the network share: this file only
            log.warning("a file could not be read: %s", type(error).__name__)
            entries[found.path] = _refusal(found.path, found.bytes, Unreadable(
                "unreadable", "This file could not be read from its disk."))
    images, left_out = folder_notes.compare(looked)
    entries |= {image.path: _entry(image) for image in images} | {each.path: each for each in left_out}
    return list(entries.values()), images


def _report(watch: Watch, n: int, total: int) -> None:
    if watch.stopping():
        raise Stopped
    watch.say("looking", n / max(total, 1), f"{n:,} of {total:,} files")


def _look_at(shown: str, path: Path, hashed: Callable[..., str]) -> Looked:
    """The header of one file. UserError with a code where it is no image or cannot be read."""
    with open_regular(path) as file:
        head = file.read(HEAD)
        size = len(head) if len(head) < HEAD else file.seek(0, 2)
        kind = "dicom" if head[128:132] == b"DICM" else ""
        sniffed = None
        if not kind:
            sniffed = sniff(head, path.name)
            kind = _kind(head, sniffed)
        image = _header(shown, kind, file, head, size, hashed)
    return Looked(_with_notes(image, path.name), path, hash(head))


def _header(shown: str, kind: str, file: BinaryIO, head: bytes, size: int, hashed: Callable[..., str]) -> ImageFile:
    if kind == "dicom":
        return read_dicom_header(shown, file, head, size, hashed)
    return read_picture_header(shown, kind, file, size)


def _kind(head: bytes, sniffed: Sniffed) -> str:
    """Which of our kinds a file is. Unreadable where it is none of them."""
    if not head:
        raise Unreadable("empty", "This file is empty.")
    if sniffed.kind in _READ:
        return sniffed.kind
    if looks_like_dicom(head):
        return "dicom"
    if sniffed.kind in PICTURES:
        raise Unreadable("unsupported_type", f"This file is {sniffed.words}, a kind that MedML does not read.")
    if sniffed.ending in ("dcm", "dicom", "ima") and sniffed.kind == "binary":
        raise damaged("This DICOM file is damaged.")
    raise Unreadable("not_an_image", f"This file is {sniffed.words}, not a picture."
                     if sniffed.kind != "binary" else "This file is not a picture.")


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file without preamble begins with a data element of group 2 or 8 (PS3.5 7.1), of any byte order."""
    group, order = (head[:2], "little") if head[1:2] == b"\0" else (head[1::-1], "big")
    if len(head) < 16 or group not in (b"\x02\0", b"\x08\0") or head[2:4] == b"\xff\xff":
        return False
    vr, length = head[4:6], int.from_bytes(head[4:8], order)
    return vr in (b"UL", b"CS", b"UI", b"DA", b"TM", b"SH", b"LO", b"OB", b"SQ", b"PN", b"DT") or length <= 64


def _with_notes(image: ImageFile, name: str) -> ImageFile:
    """The image with what its name and its size tell, in the order of importance."""
    notes = set(image.notes)
    last = ending(name)
    if last in _NAMES_A_KIND and Sniffed(image.kind, "", last).named_otherwise:
        notes.add("wrong_extension")
    if has_day_in_name(name):
        notes.add("identifier_in_name")
    if min(image.rows, image.cols) < SMALLEST:
        notes.add("too_small")
    if len(notes) == len(image.notes):
        return image
    return replace(image, notes=in_order(notes))


def in_order(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(codes, key=ORDER.__getitem__))


def _entry(image: ImageFile) -> FileEntry:
    code = image.notes[0] if image.notes else None
    words = (WARNINGS | FACTS)[code].format(kind=KINDS[image.kind], ending=ending(image.path), frames=image.frames
                                            ) if code else None
    return FileEntry(path=image.path, kind=image.kind, action="read_with_warning" if code in WARNINGS else "read",
                     reason_code=code, message=words, bytes=image.bytes)


def _refusal(shown: str, size: int, error: UserError) -> FileEntry:
    action = "refuse" if error.detail == "refuse" else "skip"
    if error.code in ("not_an_image", "dicomdir") and ending(shown) not in _CLAIMS:
        action = "ignore"
    return FileEntry(path=shown, kind=ending(shown) or "file", bytes=size, action=action, reason_code=error.code,
                     message=error.what)
