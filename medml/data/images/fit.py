"""Bring an image to the size and the channels that a network takes."""

from __future__ import annotations

import numpy as np


def fit(image: np.ndarray, size: int | None, channels: int, aspect: float = 1.0) -> np.ndarray:
    """An image of size x size whose proportions are kept, centred on black.

    Squashing would be simpler, and is what many tutorials do; but proportions are findings: the heart's width over the
    chest's, a breast lesion taller than wide. Black is what lies around a medical image anyway.

    image    uint8, (rows, cols) or (rows, cols, 3)
    size     pixels a side; None keeps the image's own
    channels 1 (colours become ITU-R 601 luma) or 3 (grey is repeated)
    aspect   height of a pixel by its width, where it is brought to a size: what is round then stays round
    returns  uint8, (rows, cols) for one channel, else (rows, cols, 3)
    """
    from PIL import Image
    picture = Image.fromarray(image).convert("L" if channels == 1 else "RGB")
    if size is not None:
        ground = Image.new(picture.mode, (size, size))
        down, across = placed(size, picture.height, picture.width, aspect)
        small = picture.resize((across.stop - across.start, down.stop - down.start), Image.Resampling.BILINEAR)
        ground.paste(small, (across.start, down.start))  # antialiased where it shrinks
        picture = ground
    return np.asarray(picture).copy()


def placed(size: int, height: int, width: int, aspect: float = 1.0) -> tuple[slice, slice]:
    """Rows and columns of the square that an image of this height and width takes; the rest is black ground."""
    seen = height * aspect, width  # in widths of a pixel
    rows, cols = (max(1, round(size / max(seen) * each)) for each in seen)
    top, left = (size - rows) // 2, (size - cols) // 2
    return slice(top, top + rows), slice(left, left + cols)
