"""Equal files are found by size, then by their first 8 KB, which the scan has read already, then by every byte."""

from __future__ import annotations

import numpy as np
from PIL import Image

from medml.data.images import copies as of_copies
from medml.data.images import find_images


def bitmaps(folder, pictures: list[np.ndarray]) -> None:
    """Pictures that are not packed: all of one size have as many bytes."""
    for at, each in enumerate(pictures):
        Image.fromarray(each).save(folder / f"{at}.bmp")


def test_files_of_one_size_are_not_opened_again_unless_they_begin_alike(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 255, (128, 128)).astype(np.uint8) for _ in range(6)]
    pictures[4] = pictures[1].copy()  # a copy
    pictures[5] = pictures[2].copy()  # begins alike (bitmaps begin with their last row) and is none
    pictures[5][0, 0] ^= 1
    bitmaps(tmp_path, pictures)
    opened = []
    first = of_copies.open_regular
    monkeypatch.setattr(of_copies, "open_regular", lambda path, **how: opened.append(path.name) or first(path, **how))
    _, images = find_images(tmp_path)
    assert {each.path for each in images if "duplicate_images" in each.notes} == {"1.bmp", "4.bmp"}
    assert sorted(opened) == ["1.bmp", "2.bmp", "4.bmp", "5.bmp"]
