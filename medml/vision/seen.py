"""What the pictures of a training were like, so that a model can say nothing about one that is unlike all of them (P1):
ranges of the mean grey, of the contrast and of the colour, at the size of the training; of no picture its own."""

from __future__ import annotations

from functools import reduce

import numpy as np

from medml.recipe.reach import reach
from medml.value import Value
from medml.vision.pixels import Pictures

FILE = "seen.json"
WORDS = {"small": "a picture far smaller than those of training",
         "grey": "far darker or brighter than seen in training",
         "contrast": "far flatter or harsher than seen in training", "colour": "coloured otherwise than in training"}
CODES = {word: code for code, word in enumerate(WORDS, start=1)}  # 0: nothing speaks against an answer
SMALLER = 4  # times less than the shorter side of nearly all pictures of training
AT_ONCE = 8  # pictures: their numbers stay near the processor
COLOURLESS, COLOURED = 1.0, 12.75  # distance of the channels on 0-255: none to speak of; for certain (5 %)
Limits = tuple[float, float]


class Seen(Value):
    """[low, high] beyond which a picture lies far outside the training; None where that cannot be said."""

    grey: Limits | None = None
    contrast: Limits | None = None
    colour: Limits | None = None

    @classmethod
    def of(cls, pictures: Pictures, patients: np.ndarray) -> Seen:
        """patients  (n,) codes: nobody counts more for having more pictures"""
        found = np.vstack([facts(part) for part in pictures.batches(AT_ONCE)])
        limits = {name: reach(found[:, place], patients) for place, name in enumerate(("grey", "contrast", "colour"))}
        if limits["colour"] is None and limits["grey"] is not None and found[:, 2].max() < COLOURLESS:
            limits["colour"] = [-1.0, COLOURED]
        return cls(**limits)

    def codes(self, pixels: np.ndarray) -> np.ndarray:
        """(n,) int32 of CODES for pictures (n, side, side, channels) uint8 at the size of the training; 0: none."""
        found, codes = facts(pixels), np.zeros(len(pixels), dtype=np.int32)
        for place, name in reversed(list(enumerate(("grey", "contrast", "colour")))):
            limits = getattr(self, name)
            if limits is not None:
                codes[(found[:, place] < limits[0]) | (found[:, place] > limits[1])] = CODES[name]
        return codes


def facts(pixels: np.ndarray) -> np.ndarray:
    """(n, 3) float64 of pictures (n, side, side, channels) uint8: mean, standard deviation, and mean distance of the
    furthest two channels. Sums of whole numbers, so that whoever adds them up gets the same."""
    x = pixels.reshape(len(pixels), -1).astype(np.float64)
    mean = x.mean(axis=1)
    spread = np.sqrt(np.maximum(np.einsum("ij,ij->i", x, x) / x.shape[1] - mean * mean, 0.0))
    channels = [pixels[..., place] for place in range(pixels.shape[3])]
    apart = (reduce(np.maximum, channels) - reduce(np.minimum, channels)).mean(axis=(1, 2))
    return np.column_stack([mean, spread, apart])


def least_side(side: tuple[int, int, int]) -> int:
    """Pixels of the shorter side below which a picture is far too small; 0 where the sizes are not known.

    side  as in PictureFacts: 5th percentile, median, 95th percentile
    """
    return -(-side[0] // SMALLER)
