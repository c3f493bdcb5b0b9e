"""How many different values, and how often each comes back, in memory that does not grow with the rows."""

from __future__ import annotations

import numpy as np

PRECISION = 14  # 2^14 registers: standard error 1.04 / sqrt(16384) = 0.8 %
KEPT = 1 << 17  # patients whose rows are counted exactly; beyond that a uniform share of them is
_LOW_BITS = (np.uint64(1) << np.arange(64, dtype=np.uint64)) - np.uint64(1)  # [m]: the lowest m bits


class HyperLogLog:
    """About how many distinct 64-bit hashes were added (Flajolet et al. 2007; linear counting when few).

    A register holds the longest run of leading zeros seen in its share of the hashes. Once every register holds at
    least m, only hashes that start with m zeros can change anything, so a long column costs one mask a batch.
    """

    def __init__(self) -> None:
        self.registers = np.zeros(1 << PRECISION, dtype=np.uint8)
        self._seen: np.ndarray | None = None  # of each register: the low bits that must be zero to change it; 128 KiB
        self._floor = 0

    def add(self, hashes: np.ndarray, *, but: int | None = None) -> None:
        """Add hashes, (n,) uint64, equal for equal values and otherwise uniform; all of them but one, where given."""
        if self._seen is None:
            self._seen = _LOW_BITS[self.registers]
        if self._floor:
            low_zeros = np.uint64((1 << self._floor) - 1)
            hashes = hashes[(hashes & low_zeros) == 0]
        place = (hashes >> np.uint64(64 - PRECISION)).view(np.int64)
        higher = np.flatnonzero((hashes & self._seen[place]) == 0)  # more zeros than the register has seen
        hashes, place = hashes[higher], place[higher]
        if but is not None:
            others = hashes != np.uint64(but)
            hashes, place = hashes[others], place[others]
        if not len(hashes):
            return
        lowest_bit = hashes & (~hashes + np.uint64(1))
        rank = np.frexp(lowest_bit.astype(np.float64))[1].astype(np.uint8)  # 1 + number of low zero bits; 0 for hash 0
        np.maximum.at(self.registers, place, np.minimum(rank, 64 - PRECISION + 1))
        self._seen[place] = _LOW_BITS[self.registers[place]]
        self._floor = int(self.registers.min())

    def estimate(self) -> int:
        """About how many distinct hashes were added; within 2.5 % in 99 of 100 cases."""
        m = len(self.registers)
        empty = int(np.count_nonzero(self.registers == 0))
        raw = 0.7213 / (1 + 1.079 / m) * m * m / float(np.ldexp(1.0, -self.registers.astype(np.int64)).sum())
        if raw <= 2.5 * m and empty:
            return round(m * np.log(m / empty))
        return round(raw)


class RowsPerValue:
    """How many rows each value of an id column has: exact up to KEPT values, then for a uniform share of them.

    Keeps the values whose hash lies below a limit, and lowers the limit when there are too many: each patient is kept
    or dropped as a whole, whatever the order of the rows.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self.limit = np.uint64(2**64 - 1)
        self._hashes = np.empty(0, dtype=np.uint64)
        self._counts = np.empty(0, dtype=np.int64)
        self._waiting: list[np.ndarray] = []
        self._n_waiting = 0

    def add(self, hashes: np.ndarray) -> None:
        """Add the hashes of one batch's values, (n,) uint64, missing cells left out."""
        below = hashes[hashes <= self.limit]
        self._waiting.append(below)
        self._n_waiting += len(below)
        if self._n_waiting > self.kept:
            self._merge()

    @property
    def counts(self) -> np.ndarray:
        """Rows of each value that is kept, (n,) int64."""
        self._merge()
        return self._counts

    def _merge(self) -> None:
        found, counts = np.unique(np.concatenate([*self._waiting, self._hashes[:0]]), return_counts=True)
        place = np.searchsorted(self._hashes, found)
        known = place < len(self._hashes)
        known[known] = self._hashes[place[known]] == found[known]
        self._counts[place[known]] += counts[known]
        fresh = ~known
        self._counts = np.insert(self._counts, place[fresh], counts[fresh])
        self._hashes = np.insert(self._hashes, place[fresh], found[fresh])  # both stay in order
        self._waiting, self._n_waiting = [], 0
        if len(self._hashes) > self.kept:
            self._hashes, self._counts = self._hashes[: self.kept], self._counts[: self.kept]
            self.limit = self._hashes[-1]

    @property
    def is_exact(self) -> bool:
        return bool(self.limit == np.uint64(2**64 - 1))

    def n_values(self) -> int:
        """How many distinct values: exact, or (kept - 1) / (share of hashes kept), Bar-Yossef et al. 2002."""
        self._merge()
        if self.is_exact:
            return len(self._hashes)
        return round((len(self._hashes) - 1) / (float(self.limit) / 2.0**64))
