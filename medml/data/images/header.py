"""The header of one image file, found by its content, with what its name and its size tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from medml.data.files import open_regular
from medml.data.images.elements import HEAD
from medml.data.images.image_file import SMALLEST, ImageFile, Unreadable, damaged
from medml.data.images.of_kind import header_of
from medml.data.images.picture_header import has_day_in_name
from medml.data.images.words import KINDS, in_order
from medml.data.kinds import BINARY_ENDINGS, PICTURES, TEXT_ENDINGS, Sniffed, looks_like_dicom, sniff

_READ = frozenset(KINDS)
CLAIMS = frozenset({"png", "jpg", "jpeg", "jpe", "tif", "tiff", "gif", "bmp", "dcm", "dicom", "ima"})
_NAMES_A_KIND = BINARY_ENDINGS | TEXT_ENDINGS | CLAIMS  # "1.2.840.113" and "IM.0001" promise nothing


@dataclass(slots=True)
class Looked:
    """One readable image on its way through the scan.

    start  hash of its first 8 KB, so that copies are found without opening it again; None where its instance is told
    """

    image: ImageFile
    full: Path
    start: int | None = None


def look_at(shown: str, path: Path, hashed: Callable[..., str], patient_tag: str = "PatientID") -> Looked:
    """The header of one file.

    shown        what the file is called;  hashed  (kind of identifier, value) -> its keyed hash
    patient_tag  of DICOM: what says whose it is, of PATIENT_TAGS
    raises       UserError with a code where it is no image or cannot be read; OSError where its disk fails
    """
    with open_regular(path, buffered=False) as file:
        return look_into(shown, path, file, hashed, patient_tag)


def look_into(shown: str, path: Path, file: BinaryIO, hashed: Callable[..., str], patient_tag: str = "PatientID"
              ) -> Looked:
    """The same of an open file at its first byte, wherever that lies."""
    head = file.read(HEAD)
    size = len(head) if len(head) < HEAD else file.seek(0, 2)
    name = shown.rpartition("/")[2]
    image = header_of(shown, kind_of(head, name), file, head, size, hashed, patient_tag)
    return Looked(_with_notes(image, name), path, hash(head) if image.uid is None else None)


def kind_of(head: bytes, name: str) -> str:
    """Which of our kinds a file is, by its first 8 KB. Unreadable where it is none of them."""
    if head[128:132] == b"DICM":
        return "dicom"
    sniffed = sniff(head, name)
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


def _with_notes(image: ImageFile, name: str) -> ImageFile:
    """The image with what its name and its size tell, in the order of importance."""
    more = [code for code, holds in (
        ("wrong_extension", _promises_another(image.kind, name[name.rfind(".") + 1:].lower())),
        ("identifier_in_name", has_day_in_name(name)),
        ("too_small", min(image.rows, image.cols) < SMALLEST)) if holds]
    return replace(image, notes=in_order({*image.notes, *more})) if more else image


@lru_cache(maxsize=1024)
def _promises_another(kind: str, last: str) -> bool:
    return last in _NAMES_A_KIND and Sniffed(kind, "", last).named_otherwise
