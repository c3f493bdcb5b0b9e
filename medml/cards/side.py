"""To how many pixels a side pictures are brought: the clinician's own picture as the network sees it, and what is lost.

No plug-in: the side belongs to the pictures, not to a family, and its picture is one of the clinician's, in memory.
"""

from __future__ import annotations

import numpy as np

from medml.cards.card import number, plural

SHOWN = 320  # pixels of the enlarged thumbnail, about
FINDING = 20  # a finding as wide as this part of the picture


def pixelated(picture: np.ndarray) -> np.ndarray:
    """(side, side, channels) or (side, side) uint8 -> the same with every pixel as a square of whole pixels, so that
    each can be seen; larger pictures as they are."""
    times = max(1, SHOWN // picture.shape[0])
    return picture.repeat(times, axis=0).repeat(times, axis=1).squeeze()


def say(side: int, n_pictures: int, theirs: int | None) -> str:
    """What that many pixels keep. theirs  shorter side of the pictures as they are, the middle one; None: not known"""
    finding = max(1, round(side / FINDING))
    kept = f"What is a twentieth of a picture wide is {plural(finding, 'pixel')} across. "
    room = n_pictures * side * side * 3 / 1e6
    memory = f"{n_pictures:,} pictures take {number(room)} MB while they are learned from."
    if theirs is None:
        return f"{side} pixels a side. {kept}{memory}"
    if side > theirs:
        return (f"{side} pixels a side, more than the {theirs:,} that your pictures have: it takes longer and shows "
                f"nothing new. {memory}")
    each = theirs / side
    return f"One pixel of {side} stands for about {number(each)} x {number(each)} of yours. {kept}{memory}"
