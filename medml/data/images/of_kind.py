"""The header of an image whose kind is known. Loads nothing that only tables need: children import it."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from medml.data.images.dicom_header import read_dicom_header
from medml.data.images.image_file import ImageFile
from medml.data.images.picture_header import read_picture_header


def header_of(shown: str, kind: str, file: BinaryIO, head: bytes, size: int, hashed: Callable[..., str],
              patient_tag: str = "PatientID") -> ImageFile:
    """The header of an open file.

    head         its first 8 KB;  size  its bytes;  hashed  (kind of identifier, value) -> its keyed hash
    patient_tag  of DICOM: what says whose it is
    raises       Unreadable
    """
    if kind == "dicom":
        return read_dicom_header(shown, file, head, size, hashed, patient_tag)
    return read_picture_header(shown, kind, file, size)
