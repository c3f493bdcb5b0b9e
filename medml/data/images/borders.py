"""Text burned into the borders of a picture: likeness by strokes, never by reading what they say.

Letters are small bright (or dark) shapes of one grey on an even ground, of one height, side by side on a line. Anatomy,
noise and scales are not. What letters say is of no interest here, so nothing is recognised and nothing kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BORDER = 0.22  # share of the height and of the width that counts as border, on every side
LIKELY = 0.5  # a score from here on is worth a warning
_WORKING_SIDE = 1024  # pixels; larger pictures are made smaller first
_LEAST_SIDE = 48
_STROKE = 11  # pixels; strokes are thinner than this
_CONTRAST = 60  # of 255, between a stroke and the ground
_LOWEST, _HIGHEST = 5, 48  # pixels, of a letter
_LETTERS_A_LINE = 4
_MOST_LETTERS = 1500  # more shapes than that are a texture
_EVEN = 25  # of 255: the most that the greys of one letter's core spread


class Letter(NamedTuple):
    """The place of one shape, in pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top


def text_on_borders(image: np.ndarray) -> float:
    """How much the borders of a picture look as if text were written on them, 0-1; 0.5 is about six letters on lines.

    image   uint8, (rows, cols) or (rows, cols, 3); below 48 pixels a side nothing can be told: 0
    """
    grey = _working_copy(image)
    if min(grey.shape) < _LEAST_SIDE:
        return 0.0
    n = max(_letters_on_lines(grey), _letters_on_lines(255 - grey))
    return float(1 - 0.5 ** (n / 6))


def _working_copy(image: np.ndarray) -> np.ndarray:
    from PIL import Image
    picture = Image.fromarray(image).convert("L")
    if max(picture.size) > _WORKING_SIDE:
        picture.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.BOX)
    return np.asarray(picture)


def _letters_on_lines(grey: np.ndarray) -> int:
    """Bright letters in the borders that stand side by side with at least three others."""
    letters = [each for each in _shapes(grey) if _on_border(each, grey.shape)]
    if len(letters) > _MOST_LETTERS:
        return 0
    return sum(len(line) for line in _lines(letters) if len(line) >= _LETTERS_A_LINE)


def _shapes(grey: np.ndarray) -> list[Letter]:
    """Small bright shapes of even grey on a darker ground, of the size and the fill of letters."""
    from scipy import ndimage
    ground = ndimage.grey_opening(grey, size=(_STROKE, _STROKE))
    strokes = (grey.astype(np.int16) - ground) > _CONTRAST
    labels, n = ndimage.label(strokes, structure=np.ones((3, 3)))
    found = []
    for number, (rows, cols) in enumerate(ndimage.find_objects(labels, n), start=1):
        letter = Letter(rows.start, rows.stop, cols.start, cols.stop)
        if not _LOWEST <= letter.height <= _HIGHEST or cols.stop - cols.start > 2 * letter.height:
            continue
        inside = labels[rows, cols] == number
        values = grey[rows, cols][inside]
        core = values[values >= np.median(values)]
        if 0.15 <= inside.mean() <= 0.95 and core.std() <= _EVEN:
            found.append(letter)
    return found


def _on_border(letter: Letter, shape: tuple[int, ...]) -> bool:
    rows, cols = shape
    row, col = (letter.top + letter.bottom) / 2 / rows, (letter.left + letter.right) / 2 / cols
    return min(row, 1 - row, col, 1 - col) <= BORDER


def _lines(letters: list[Letter]) -> list[list[Letter]]:
    """Letters put into lines: of like height, level with one another, at most one and a half heights apart."""
    lines: list[list[Letter]] = []
    for letter in sorted(letters, key=lambda each: each.left):
        for line in lines:
            if _follows(line[-1], letter):
                line.append(letter)
                break
        else:
            lines.append([letter])
    return lines


def _follows(before: Letter, after: Letter) -> bool:
    height = max(before.height, after.height)
    return (min(before.height, after.height) >= 0.55 * height and abs(before.bottom - after.bottom) <= 0.35 * height
            and -2 <= after.left - before.right <= 1.5 * height)
