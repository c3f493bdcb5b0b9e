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
        seen = picture.width, picture.height * aspect  # in widths of a pixel
        share = size / max(seen)
        cols, rows = (max(1, round(share * each)) for each in seen)
        small = picture.resize((cols, rows), Image.Resampling.BILINEAR)  # antialiased where it shrinks
        ground.paste(small, ((size - cols) // 2, (size - rows) // 2))
        picture = ground
    return np.asarray(picture).copy()
