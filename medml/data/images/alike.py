"""Pictures that show the same: a perceptual hash finds candidates, a correlation confirms them (check L3)."""

from __future__ import annotations

from functools import cache

import numpy as np

SIDE = 64  # pixels a side to compare at; below it nothing can be told
MOST_BITS = 4  # of 64 that may differ
LEAST_CORRELATION = 0.99
HASHED_SIDE, _KEPT = 32, 8


def perceptual_hash(image: np.ndarray) -> int:
    """The 64-bit DCT hash (pHash): the signs, against their median, of the 8 x 8 lowest frequencies at 32 x 32 pixels.

    image   uint8, (rows, cols) or (rows, cols, 3)
    source  C. Zauner, Implementation and benchmarking of perceptual image hash functions, 2010, section 3.2.1
    """
    waves = _cosines()
    low = (waves @ _small(image, HASHED_SIDE) @ waves.T).ravel()   # (64,)
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


def distance(a: int, b: int) -> int:
    """How many bits of two hashes differ (Hamming)."""
    return (a ^ b).bit_count()


def correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Pearson's correlation of two pictures at 64 x 64 pixels; None ("could not tell") where one is smaller than that.

    Two flat pictures correlate at 1 where they are of one grey, else at 0.
    """
    if min(*a.shape[:2], *b.shape[:2]) < SIDE:
        return None
    one, other = (_small(each, SIDE).ravel() for each in (a, b))
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    if length < 1e-6:
        return 1.0 if np.array_equal(_small(a, SIDE), _small(b, SIDE)) else 0.0
    return float(np.clip(one @ other / length, -1, 1))


def near_pairs(hashes: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, whose hashes differ in at most 4 bits, in order.

    Of equal hashes the later ones are paired with the first alone, and only the first stands for them towards others:
    a thousand black pictures give a thousand pairs.

    hashes  uint64, (n,)
    cost    hashes that differ in 4 bits share at least one of 5 pieces, so only those that share one are compared
    """
    if not len(hashes):
        return []
    kinds, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    equal = {(int(first[kind]), place) for place, kind in enumerate(which.tolist()) if first[kind] != place}
    near: set[tuple[int, int]] = set()
    for shift, width in zip(*_PIECES, strict=True):
        piece = (kinds >> np.uint64(shift)) & np.uint64((1 << width) - 1)
        order = np.argsort(piece, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(piece[order])) + 1):
            near |= _close(kinds, first, group)
    return sorted(equal | near)


def _close(kinds: np.ndarray, first: np.ndarray, group: np.ndarray) -> set[tuple[int, int]]:
    """Close pairs among these, as places of their first pictures; a row at a time, so that memory stays small."""
    found = set()
    for at, kind in enumerate(group[:-1]):
        others = group[at + 1:]
        near = others[np.bitwise_count(kinds[others] ^ kinds[kind]) <= MOST_BITS]
        found |= {tuple(sorted((int(first[kind]), int(first[each])))) for each in near}
    return found


_PIECES = ((0, 13, 26, 39, 52), (13, 13, 13, 13, 12))  # first bit and width of the pieces of a hash


@cache
def _cosines() -> np.ndarray:
    """The lowest 8 rows of the orthonormal DCT-II of 32 values: (8, 32)."""
    k, n = np.arange(_KEPT)[:, None], np.arange(HASHED_SIDE)[None, :]
    waves = np.cos(np.pi * (2 * n + 1) * k / (2 * HASHED_SIDE)) * np.sqrt(2 / HASHED_SIDE)
    waves[0] /= np.sqrt(2)
    return waves


def _small(image: np.ndarray, side: int) -> np.ndarray:
    """The luma of a picture squeezed to side x side: float64."""
    from PIL import Image
    picture = Image.fromarray(image).convert("L")
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX), dtype=np.float64)
