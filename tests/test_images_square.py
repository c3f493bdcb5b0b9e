"""Pixels that are higher than wide, or wider than high, are stretched right where a picture is brought to a size."""

from __future__ import annotations

import numpy as np
import pytest

from medml.data.images import decode_all, find_images
from medml.data.images.fit import fit
from tests.dicoms import bytes_of, slice_of, write


def disc(side: int = 64) -> np.ndarray:
    """A bright disc of three fifths of the side, 8 bit."""
    rows, cols = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    return np.where(rows ** 2 + cols ** 2 < 0.3 ** 2, 220, 20).astype(np.uint8)


@pytest.mark.parametrize("how", [{"PixelSpacing": [0.5, 1.0]}, {"PixelAspectRatio": [1, 2]},
                                 {"ImagerPixelSpacing": [0.25, 0.5]},
                                 {"PixelSpacing": [0.5, 1.0], "PixelAspectRatio": [1, 1]}])
def test_pixels_that_are_not_square_are_stretched_right(tmp_path, how):
    """The same disc with pixels of half the width gives the same picture: what is round stays round."""
    fine = disc()
    wide = fine.reshape(64, 32, 2).mean(axis=2).round().astype(np.uint8)  # each pixel twice as wide as high
    write(tmp_path / "square.dcm", slice_of(fine, Modality="OT"))
    write(tmp_path / "wide.dcm", slice_of(wide, Modality="OT", **how))
    _, images = find_images(tmp_path)
    square, stretched = (found for _, found in decode_all(tmp_path, images, size=40, children=1))
    assert np.abs(square.astype(int) - stretched).mean() < 3
    bright = stretched > 120
    assert abs(int(bright.any(axis=0).sum()) - int(bright.any(axis=1).sum())) <= 1
    own = [found for _, found in decode_all(tmp_path, images, size=None, children=1)]
    assert np.array_equal(own[1], wide)  # in its own size nothing is stretched


@pytest.mark.parametrize("how", [{}, {"PixelSpacing": [0.7031, 0.703125]}, {"PixelAspectRatio": [0, 5]},
                                 {"PixelSpacing": [0.001, 900]}])
def test_square_pixels_and_spacings_that_make_no_sense_change_nothing(tmp_path, how):
    write(tmp_path / "one.dcm", slice_of(disc(), Modality="OT", **how))
    _, images = find_images(tmp_path)
    [(_, found)] = decode_all(tmp_path, images, size=40, children=1)
    assert np.array_equal(found, fit(disc(), 40, 1))


def test_a_spacing_that_is_no_number_costs_nothing(tmp_path):
    data = bytes_of(slice_of(disc(), Modality="OT", PixelSpacing=[0.5, 1.0]))
    (tmp_path / "one.dcm").write_bytes(data.replace(b"0.5\\1.0", b"0.5\\abc"))
    assert b"abc" in (tmp_path / "one.dcm").read_bytes()
    _, images = find_images(tmp_path)
    [(_, found)] = decode_all(tmp_path, images, size=40, children=1)
    assert np.array_equal(found, fit(disc(), 40, 1))
