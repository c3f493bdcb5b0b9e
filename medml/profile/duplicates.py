"""Exact repeats of whole rows, by a keyed 64-bit hash; the hashes go to a file without a name where rows are many.

Two different rows share a hash with probability n^2 / 2^65: one pair in 370,000 files of 10,000,000 rows.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import numpy as np
import polars as pl

from medml.home import ensure, home

IN_MEMORY = 5_000_000  # hashes, 40 MB
PARTS = 256
AHEAD = 8  # parts in memory at once
LARGEST_PART = 1 << 18  # hashes; the counts of their slots then take 8 MiB
RUN = 1 << 17  # hashes that are dealt to the parts together on their way to the file: they fit the processor's cache


class DuplicateCounter:
    """Counts rows equal to an earlier row. At most IN_MEMORY hashes are held, whatever the number of rows."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._held = np.empty(in_memory, dtype=np.uint64)  # memory is used as it fills, not before
        self._n = 0
        self._file: IO[bytes] | None = None
        self._segments: list[np.ndarray] = []  # (PARTS + 1,) where each part of a segment starts in the file

    def add(self, hashes: np.ndarray) -> None:
        """Add the row hashes of one batch, (n,) uint64."""
        while len(hashes):
            if self._n == len(self._held):
                self._spill()
            taken = hashes[: len(self._held) - self._n]
            self._held[self._n: self._n + len(taken)] = taken
            self._n += len(taken)
            hashes = hashes[len(taken):]

    def count(self) -> int:
        """Rows equal to an earlier row; call once, at the end."""
        if self._file is None:
            return count_repeated(self._held[: self._n])
        self._spill()
        self._held = np.empty(0, dtype=np.uint64)
        with self._file as file, ThreadPoolExecutor(os.cpu_count() or 1) as aside:  # sorting leaves Python's lock
            waiting, found = deque(), 0
            for number in range(PARTS):
                waiting.append(aside.submit(count_repeated, self._part(file, number)))
                if len(waiting) > AHEAD:
                    found += waiting.popleft().result()
            return found + sum(each.result() for each in waiting)

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=ensure(home() / "work"))  # unlinked as soon as it is open
        for start in range(0, self._n, RUN):
            hashes = self._held[start: min(start + RUN, self._n)]
            part = (hashes >> np.uint64(56)).astype(np.uint8)  # a stable sort of bytes is by counting: 15 x cheaper
            self._segments.append(self._file.tell() + 8 * np.append(0, np.bincount(part, minlength=PARTS).cumsum()))
            self._file.write(memoryview(hashes[part.argsort(kind="stable")]).cast("B"))
        self._n = 0

    def _part(self, file: IO[bytes], number: int) -> np.ndarray:
        pieces = []
        for starts in self._segments:
            file.seek(int(starts[number]))
            pieces.append(np.frombuffer(file.read(int(starts[number + 1] - starts[number])), dtype=np.uint64))
        return np.concatenate(pieces)


def count_repeated(hashes: np.ndarray) -> int:
    """How many of the hashes, (n,) uint64, equal one before them. Polars sorts 5,000,000 in a third of numpy's time.

    Of a part only hashes that share their lowest bits with another one are sorted: a third where rows differ.
    """
    if len(hashes) <= LARGEST_PART:
        slots = 1 << (len(hashes).bit_length() + 1)
        slot = (hashes & np.uint64(slots - 1)).view(np.int64)
        hashes = hashes[np.bincount(slot, minlength=slots)[slot] > 1]
    return repeated(pl.Series(hashes).sort().to_numpy())


def repeated(ordered: np.ndarray) -> int:
    """How many of the sorted hashes equal the one before them."""
    return int(np.count_nonzero(ordered[1:] == ordered[:-1]))
