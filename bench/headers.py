"""Headers of many DICOM files against a bare read: `python -m bench.headers [--files N] [--runs N]`.

Makes CT slices of 512 x 512 x 16 bit (about 40 tags, 1 % exact copies, 0.5 % cut off) in a temporary folder, and prints
processor time a file, median of interleaved runs in one process, with its ratio to reading 4 KB of each file. No
threshold is tested here; the figure to beat stands under the table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from medml import home
from medml.data.images import find_images
from medml.data.images.header import look_at

GOAL = "to beat: 10 x the processor time of reading 4 KB of each file, for a header"
SIDE = 512
_TEXTS = {
    "PatientBirthDate": "19600101", "PatientSex": "F", "PatientAge": "060Y", "StudyDate": "20240101",
    "SeriesDate": "20240101", "ContentDate": "20240101", "StudyTime": "101010", "SeriesTime": "101010",
    "ContentTime": "101010", "Modality": "CT", "Manufacturer": "Synth", "InstitutionName": "Hosp",
    "StationName": "CT1", "StudyDescription": "Chest CT", "SeriesDescription": "Axial 1mm",
    "ManufacturerModelName": "M1", "BodyPartExamined": "CHEST", "SliceThickness": "1.0", "KVP": "120",
    "ConvolutionKernel": "B30f", "PatientPosition": "HFS", "StudyID": "1", "SeriesNumber": "1",
    "ImagePositionPatient": [-250, -250, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceLocation": "1",
    "PixelSpacing": [0.7, 0.7], "WindowCenter": "40", "WindowWidth": "400", "RescaleIntercept": "-1024",
    "RescaleSlope": "1", "RescaleType": "HU", "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
    "Rows": SIDE, "Columns": SIDE, "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0}


def make_folder(folder: Path, n: int) -> None:
    """Write n slices of n / 100 patients; every 100th is a copy of the one before, every 200th is cut in half."""
    pixels = np.random.default_rng(0).integers(0, 4096, SIDE * SIDE, dtype=np.uint16).tobytes()
    data = Dataset()
    for keyword, value in _TEXTS.items():
        setattr(data, keyword, value)
    data.PixelData = pixels
    for place in range(n):
        path = folder / f"im{place:05}.dcm"
        if place % 100 == 99:
            shutil.copy(folder / f"im{place - 1:05}.dcm", path)
            continue
        data.SOPInstanceUID, data.SOPClassUID = generate_uid(), CTImageStorage
        data.StudyInstanceUID = data.SeriesInstanceUID = f"1.2.3.{place // 100}"
        data.PatientName, data.PatientID = f"Test^P{place // 100}", f"P{place // 100:04}"
        data.AccessionNumber, data.InstanceNumber = str(place // 100), place % 100
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.save_as(path, enforce_file_format=True)
        if place % 200 == 57:
            os.truncate(path, path.stat().st_size // 2)


def bare(files: list[Path]) -> None:
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        os.read(handle, 4096)
        os.close(handle)


def pydicoms(files: list[Path]) -> None:
    for path in files:
        data = pydicom.dcmread(path, stop_before_pixels=True)
        assert data.Rows == SIDE


def headers(files: list[Path]) -> None:
    """What the scan does for each file."""
    hashed = home.hasher()
    for path in files:
        assert look_at(path.name, path, hashed).image.rows == SIDE


def whole_scan(files: list[Path]) -> None:
    """What a person waits for: the walk, the headers, copies compared in every byte, an entry a file."""
    entries, images = find_images(files[0].parent)
    assert len(entries) == len(files) and len(images) == sum(each.action.startswith("read") for each in entries)


WAYS: dict[str, Callable[[list[Path]], None]] = {
    "read 4 KB": bare, "MedML, header": headers, "MedML, whole scan": whole_scan, "pydicom, header": pydicoms}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=2000)
    options.add_argument("--runs", type=int, default=5)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["MEDML_HOME"] = str(Path(place) / "home")
        folder = Path(place) / "scans"
        folder.mkdir()
        make_folder(folder, asked.files)
        files = sorted(folder.iterdir())
        seconds = {name: [] for name in WAYS}
        for _ in range(asked.runs):
            for name, way in WAYS.items():
                start = time.process_time()
                way(files)
                seconds[name].append(time.process_time() - start)
    floor = statistics.median(seconds["read 4 KB"])
    print(f"{asked.files:,} DICOM files of {SIDE} x {SIDE} x 16 bit, median of {asked.runs} runs\n")
    print(f"{'':22}{'ms a file':>12}{'ratio':>10}")
    for name, each in seconds.items():
        middle = statistics.median(each)
        print(f"{name:22}{1000 * middle / asked.files:12.4f}{middle / floor:10.1f}")
    print(f"\n{GOAL}")


if __name__ == "__main__":
    main()
