"""Which pictures of a table show the same: equal pixel by pixel, or nearly (check L3). Looked at once, in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medml.data.images.alike import LEAST_CORRELATION, SIDE, correlation, near_pairs, perceptual_hash

_FIRST_ROOM = 256  # small pictures; the room doubles


@dataclass(frozen=True, slots=True)
class Twins:
    """What showed when pictures were compared, (n,) each, in the order of the rows.

    groups  int64, equal for pictures that are the same or nearly; one that could not be read stands alone
    copy    it is equal, pixel by pixel, to an earlier one;   near  nearly equal to an earlier one, and no copy
    told    whether near ones could be looked for: some pictures are large enough
    """

    groups: np.ndarray
    copy: np.ndarray
    near: np.ndarray
    told: bool


class Looks:
    """Pictures looked at one by one, in any order; of each a hash of its pixels and 4 KB are kept, in memory."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._first: dict[bytes, int] = {}  # pixels -> the place of its small picture
        self._which = np.full(n, -1, dtype=np.int64)  # the small picture of each row, -1 where it could not be read
        self._hashes: list[int | None] = []  # None: too small to compare
        self._small = np.zeros((_FIRST_ROOM, SIDE, SIDE), dtype=np.uint8)

    def add(self, row: int, pixels: np.ndarray, *, side: int | None = None) -> None:
        """One picture, uint8, (rows, cols) or (rows, cols, 3).

        side  pixels of its shorter side by which it is told whether it can be compared, where these are not its own
        """
        key = hashlib.sha256(str(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).digest()
        if key not in self._first:
            self._first[key] = len(self._hashes)
            self._keep(pixels, min(pixels.shape[:2]) if side is None else side)
        self._which[row] = self._first[key]

    def twins(self) -> Twins:
        """Compare what was added: exact copies by their pixels, near ones by hash, confirmed by correlation."""
        joined = np.arange(len(self._hashes))  # of small pictures, by union-find
        for one, other in self._near():
            low, high = sorted((_root(joined, one), _root(joined, other)))
            joined[high] = low
        roots = np.array([_root(joined, each) for each in joined], dtype=np.int64)
        read = self._which >= 0
        groups = np.arange(self._n) + len(roots)
        groups[read] = roots[self._which[read]]
        copy = _again(self._which) & read
        near = _again(groups) & read & ~copy
        _, numbered = np.unique(groups, return_inverse=True)
        return Twins(numbered.astype(np.int64), copy, near, any(each is not None for each in self._hashes))

    def _keep(self, pixels: np.ndarray, side: int) -> None:
        place = len(self._hashes)
        if side < SIDE:
            self._hashes.append(None)
            return
        if place >= len(self._small):
            self._small = np.concatenate([self._small, np.zeros_like(self._small)])
        self._small[place] = _shrunk(pixels)
        self._hashes.append(perceptual_hash(pixels))

    def _near(self) -> list[tuple[int, int]]:
        """Pairs of different pictures that show the same."""
        large = [place for place, each in enumerate(self._hashes) if each is not None]
        hashes = np.array([self._hashes[place] for place in large], dtype=np.uint64)
        pairs = [(large[one], large[other]) for one, other in near_pairs(hashes)]
        return [pair for pair in pairs if (correlation(*self._small[list(pair)]) or 0.0) >= LEAST_CORRELATION]


def across(twins: Twins, which: np.ndarray, classes: Sequence[str | None]) -> int:
    """How many of the pictures chosen have an earlier twin of another class; a picture without a class has none.

    which  (n,) bool, `copy` or `near` of the twins
    """
    seen: dict[int, set[str]] = {}
    found = 0
    for row, name in enumerate(classes):
        if name is None:
            continue
        before = seen.setdefault(int(twins.groups[row]), set())
        found += bool(which[row] and before - {name})
        before.add(name)
    return found


def _again(values: np.ndarray) -> np.ndarray:
    """(n,) bool: whether a value has come before."""
    _, first = np.unique(values, return_index=True)
    again = np.ones(len(values), dtype=bool)
    again[first] = False
    return again


def _root(joined: np.ndarray, place: int) -> int:
    while joined[place] != place:
        joined[place] = joined[joined[place]]
        place = int(joined[place])
    return int(place)


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    """(64, 64) uint8 luma; the correlation of two such is that of their pictures to 3 digits."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))
