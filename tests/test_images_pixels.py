"""Pixels of DICOM files: equal to pydicom's own where it decodes, shown as the standard says."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medml.data.images import Unreadable, read_header, read_pixels, stored_values

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "dicom"
FILES = list(csv.DictReader((FOLDER / "manifest.csv").read_text(encoding="utf-8").splitlines())
             ) if FOLDER.is_dir() else []
NO_PICTURE = {"ExplVR_LitEndNoMeta.dcm": "no_pixels", "badVR.dcm": "damaged", "meta_missing_tsyntax.dcm": "no_pixels",
              "no_meta.dcm": "damaged", "reportsi.dcm": "no_pixels", "rtplan.dcm": "no_pixels",
              "rtstruct.dcm": "no_pixels", "test-SR.dcm": "no_pixels", "waveform_ecg.dcm": "no_pixels",
              "dicomdir_study/DICOMDIR": "dicomdir"}


def own_pixels(path: Path) -> np.ndarray:
    """pydicom's decoding of the whole file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True).pixel_array


@pytest.mark.skipif(not FILES, reason="../shared/data is not here")
def test_manifest_holds_the_real_files():
    assert len(FILES) == 79


@pytest.mark.parametrize("row", FILES, ids=lambda row: row["file"])
def test_every_real_file_is_read_right_or_skipped_with_its_reason(row):
    path = FOLDER / row["file"]
    if row["file"] in NO_PICTURE:
        with pytest.raises(Unreadable) as caught:
            read_header(path, root=FOLDER)
        assert caught.value.code == NO_PICTURE[row["file"]] and caught.value.what.endswith(".")
        return
    image = read_header(path, root=FOLDER)
    assert (str(image.rows), str(image.cols), image.photometric) == (row["rows"], row["cols"], row["photometric"])
    assert image.frames == int(row["frames"] or 1)
    assert image.truncated == (row["file"] == "MR_truncated.dcm")
    if image.truncated:
        with pytest.raises(Unreadable, match="cut off"):
            read_pixels(path)
        return
    wanted = own_pixels(path)
    for frame in {0, image.frames // 2, image.frames - 1}:
        got = stored_values(path, frame)
        np.testing.assert_array_equal(got, wanted[frame] if image.frames > 1 else wanted)
    picture = read_pixels(path)
    assert picture.dtype == np.uint8 and picture.shape[:2] == (image.rows, image.cols)
    assert picture.ndim == 2 or picture.shape[2] == 3


@pytest.mark.parametrize("lossless", ["WG04_CT1_JPLL.dcm", "JPEG-LL.dcm"])
def test_lossless_jpeg_equals_a_copy_written_another_way(lossless, clinical):
    other = {"WG04_CT1_JPLL.dcm": "WG04_CT1_RLE.dcm", "JPEG-LL.dcm": "WG04_NM1_JPLL.dcm"}[lossless]
    folder = clinical / "dicom"
    np.testing.assert_array_equal(stored_values(folder / lossless), stored_values(folder / other))


def test_twelve_bit_jpeg_is_close_to_the_lossless_copy_of_the_same_scan(clinical):
    lossy, whole = (stored_values(clinical / "dicom" / name).astype(float) for name in ("JPGExtended.dcm",
                                                                                     "JPEG-LL.dcm"))
    assert np.corrcoef(lossy.ravel(), whole.ravel())[0, 1] > 0.98
    assert np.abs(lossy - whole).mean() < 0.02 * whole.max()
