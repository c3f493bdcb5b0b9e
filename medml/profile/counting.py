"""Values already seen are counted by a look into a table: no table of hashes is made anew for each batch."""

from __future__ import annotations

import numpy as np
import polars as pl

SLOTS_PER_VALUE = 16  # few values then share a slot
FEWEST_BITS, MOST_BITS = 10, 14  # of a slot's number: a table of 8 to 128 KiB stays in the processor's cache
SHIFTS = range(0, 48, 3)  # parts of a hash that are tried as a slot's number


class KnownValues:
    """Distinct values, each in the slot of a table that a part of its hash names.

    A cell is one of them if its 64-bit hash stands in its slot: it is never looked at itself. Two of 1,000 values
    share a hash with probability 3e-14.
    """

    def __init__(self, values: pl.Series, seed: int) -> None:
        """values  the commonest first: of two that share a slot the first keeps it; null may be one"""
        hashes = values.hash(seed).to_numpy()
        bits = min(max((SLOTS_PER_VALUE * len(values)).bit_length(), FEWEST_BITS), MOST_BITS)
        self._mask, self._shift = np.uint64((1 << bits) - 1), np.uint64(0)
        self._shift = max((np.uint64(each) for each in SHIFTS), key=lambda each: self._apart(hashes, each))
        slots, first = np.unique(self._slots(hashes), return_index=True)
        self._table = np.zeros(1 << bits, dtype=np.uint64)
        self._place = np.zeros(1 << bits, dtype=np.int64)  # of a slot's value among `values`
        self._table[slots], self._place[slots] = hashes[first], first
        self._values = values
        self._rows = np.zeros(1 << bits, dtype=np.int64)  # counted so far, by slot

    def count(self, hashes: np.ndarray, room: np.ndarray | None = None) -> np.ndarray:
        """Count the cells that hold known values; which they are, (n,) bool.

        hashes  (n,) uint64
        room    (2, >= n) uint64 that is written over: used for every column it stays in the processor's cache, which
                fresh memory never is (a third of the work)
        """
        n = len(hashes)
        room = np.empty((2, n), dtype=np.uint64) if room is None else room
        slots = np.right_shift(hashes, self._shift, out=room[0, :n])
        slots = np.bitwise_and(slots, self._mask, out=slots).view(np.int64)
        known = np.take(self._table, slots, out=room[1, :n], mode="clip") == hashes  # clip: without a copy
        self._rows += np.bincount(slots if known.all() else slots[known], minlength=len(self._rows))
        return known

    def taken(self) -> tuple[list, list[int]]:
        """The known values that occurred and how often each; counting begins anew."""
        found = np.flatnonzero(self._rows)
        counts = self._rows[found].tolist()
        self._rows[:] = 0
        return self._values.gather(self._place[found]).to_list(), counts

    def _slots(self, hashes: np.ndarray) -> np.ndarray:
        return ((hashes >> self._shift) & self._mask).view(np.int64)

    def _apart(self, hashes: np.ndarray, shift: np.uint64) -> int:
        """How many slots the hashes take by this part of them."""
        return len(np.unique((hashes >> shift) & self._mask))
