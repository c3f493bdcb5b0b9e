"""Small pictures for tests: PNGs of noise and DICOM files of a few hundred bytes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from medml.data import find_tables
from medml.data.images.table import ImageTable
from medml.watch import Silent

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def noise(seed: int = 0, side: int = 16) -> np.ndarray:
    """uint8, (side, side)."""
    return np.random.default_rng(seed).integers(0, 255, (side, side), dtype=np.uint8)


def png(path: Path, seed: int = 0, *, side: int = 16) -> Path:
    """A PNG of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(seed, side)).save(path)
    return path


def undecodable(path: Path) -> Path:
    """A PNG whose checksums are right and whose pixels are no deflated data: no header tells."""
    whole = png(path).read_bytes()
    at = whole.index(b"IDAT") + 4
    length = struct.unpack(">I", whole[at - 8:at - 4])[0]
    broken = b"\x00" * length
    path.write_bytes(whole[:at] + broken + struct.pack(">I", zlib.crc32(b"IDAT" + broken)) + whole[at + length + 4:])
    return path


def dicom(path: Path, seed: int = 0, *, side: int = 16, frames: int = 1, **tags: str) -> Path:
    """A DICOM file of noise with these tags, by keyword."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = SECONDARY_CAPTURE
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = tags.pop("SOPInstanceUID", f"1.2.3.{seed}")
    made.Modality = tags.pop("Modality", "CR")
    made.Rows = made.Columns = side
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation, made.NumberOfFrames = 7, 0, frames
    made.PixelData = b"".join(noise(seed + 1000 * n, side).tobytes() for n in range(frames))
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    made.save_as(path, enforce_file_format=True)
    return path


def pictures_of(folder: Path) -> ImageTable:
    """The one table of pictures under a folder."""
    found = [each for each in find_tables(folder)[1] if isinstance(each, ImageTable)]
    assert len(found) == 1
    return found[0]


class StopAtPixels(Silent):
    """Asks to stop once pixels are being decoded."""

    decoding = False

    def say(self, stage, fraction, message=""):
        self.decoding |= stage == "decoding"

    def stopping(self):
        return self.decoding
