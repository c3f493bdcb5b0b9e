"""Make small DICOM files of any transfer syntax for tests, with canaries in every tag that may hold a person."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

SYNTAXES = {"explicit": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian, "big endian": ExplicitVRBigEndian,
            "deflated": DeflatedExplicitVRLittleEndian}
CANARY = "ZZCANARY"
CANARIES = {"PatientName": f"{CANARY}^JANE", "PatientID": f"{CANARY}123", "PatientBirthDate": "19320713",
            "PatientAddress": f"{CANARY} Street", "AccessionNumber": f"{CANARY}7",
            "InstitutionName": f"{CANARY} Hospital",
            "ReferringPhysicianName": f"{CANARY}^DR", "StudyDate": "19870615", "StudyDescription": f"{CANARY} chest",
            "ImageComments": f"{CANARY} comment", "OperatorsName": f"{CANARY}^OP", "PatientComments": f"{CANARY} note"}


def slice_of(pixels: np.ndarray, **elements: object) -> Dataset:
    """A CT slice of these stored values; elements by keyword, None to leave one out."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, generate_uid()
    data.Modality, data.PatientName, data.PatientID, data.Manufacturer = "CT", "ANON^ONE", "ANON1", "Maker & Co."
    data.Rows, data.Columns = pixels.shape[-2:] if pixels.ndim < 4 else pixels.shape[-3:-1]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(pixels.dtype.kind == "i")
    for keyword, value in elements.items():
        if value is None:
            del data[keyword]
        else:
            setattr(data, keyword, value)
    data.PixelData = pixels.tobytes() + bytes(pixels.nbytes % 2)
    data["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
    return data


def with_canaries(data: Dataset) -> Dataset:
    """The same with a canary in every identifying tag, in a nested sequence and in private tags."""
    for keyword, value in CANARIES.items():
        setattr(data, keyword, value)
    inner = Dataset()
    inner.PatientName, inner.PatientID = f"{CANARY}^NESTED", f"{CANARY}N"
    data.ReferencedPatientSequence = Sequence([inner])
    data.private_block(0x0011, "ZZ PRIVATE", create=True).add_new(0x01, "LO", f"{CANARY} private")
    return data


def write(path: Path, data: Dataset, syntax: str = "explicit") -> Path:
    """Save it in that transfer syntax."""
    uid = SYNTAXES[syntax]
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = uid
    data.file_meta.MediaStorageSOPClassUID = data.get("SOPClassUID", CTImageStorage)
    data.file_meta.MediaStorageSOPInstanceUID = data.get("SOPInstanceUID", generate_uid())
    if syntax == "big endian":
        vr = data["PixelData"].VR
        if vr == "OW":
            data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
            data["PixelData"].VR = vr
    data.save_as(path, enforce_file_format=True, little_endian=syntax != "big endian",
                 implicit_vr=syntax == "implicit")
    return path


def nested(depth: int, *, defined: bool) -> bytes:
    """A data set of that many sequences in one another, in explicit little endian, without pixels."""
    content = b""
    if not defined:
        return (struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF)
                + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)) * depth
    for _ in range(depth):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content
        content = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, len(item)) + item
    return content


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def bytes_of(data: Dataset, syntax: str = "explicit") -> bytes:
    """The file as bytes."""
    content = io.BytesIO()
    write(content, data, syntax)
    return content.getvalue()
