"""Decoded pictures of one training, uint8, filled once: in memory, or in a file that has no name while it is in use.

Nothing of them is ever found in a folder afterwards: the file is unlinked as soon as it is opened (on Windows it is
deleted on close), so the system takes it back even after kill -9.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil

from medml import room
from medml.errors import UserError

CHUNK = 1 << 22  # bytes written at once where a disk cannot be asked for room
SHARE = 0.25  # of the memory that is free: above it, pixels go to a file without a name


class Store:
    """Pictures (n, height, width, channels) uint8 of one size, and what was computed from all of them once.

    in_memory  False where they lie in a file without a name
    """

    def __init__(self, n: int, height: int, width: int, channels: int, *, free: int | None = None) -> None:
        shape = (n, height, width, channels)
        free = psutil.virtual_memory().available if free is None else free
        self.in_memory = math.prod(shape) <= SHARE * free
        self.pixels: np.ndarray = np.zeros(shape, np.uint8) if self.in_memory else _without_a_name(shape)
        self.computed: dict[str, np.ndarray] = {}  # features by the name of what computed them

    def __len__(self) -> int:
        return len(self.pixels)

    def first(self, n: int) -> Store:
        """The first n pictures, where fewer came than there was room for; the same memory."""
        if n < len(self):
            self.pixels, self.computed = self.pixels[:n], {}
        return self

    @classmethod
    def of(cls, pictures: np.ndarray) -> Store:
        """A store of pictures (n, height, width) or (n, height, width, channels) uint8 that are there already."""
        made = cls(0, *pictures.shape[1:3], 1)
        made.pixels = pictures if pictures.ndim == 4 else pictures[..., None]
        return made


def _without_a_name(shape: tuple[int, ...]) -> np.ndarray:
    """Zeros in a file that no folder lists; the mapping holds it open by a handle of its own.

    The room is taken at once: a file that only claims its length ends the process (SIGBUS) when its disk is full.

    raises  UserError "no_room_for_pictures"
    """
    n_bytes, full = math.prod(shape), False
    with tempfile.TemporaryFile(prefix="pixels-") as file:
        try:
            _take(file.fileno(), n_bytes)
        except OSError as error:
            if not room.is_full(error):
                raise
            full = True
        if not full:
            return np.memmap(file, np.uint8, "r+", shape=shape)
    raise UserError(what=f"The decoded pictures take {n_bytes / 1e9:.1f} GB: more than a quarter of the memory that is "
                         "free, and more than there is room for on the disk of temporary files.",
                    fix="Choose fewer pixels a side, close other programs, or free some space on that disk; then "
                        "train again.", code="no_room_for_pictures")


def _take(handle: int, n_bytes: int) -> None:
    """Have so many zeros on the disk. OSError where there is no room for them."""
    with contextlib.suppress(AttributeError):  # not every system can be asked
        os.posix_fallocate(handle, 0, n_bytes)
        return
    zeros = bytes(min(n_bytes, CHUNK))
    while n_bytes:
        n_bytes -= os.write(handle, zeros[:n_bytes])


@dataclass(frozen=True, slots=True)
class Picture:
    """A cell that stands for one picture of a store. Its text says nothing about the patient."""

    store: Store = field(repr=False, compare=False)
    at: int = field(repr=False)

    def __str__(self) -> str:
        return "picture"


class Pictures:
    """Some pictures of one store, in an order, read when asked for: what a family of images is given as X.

    shape  (n, height, width, channels), as of a matrix; `pictures[positions]` are other Pictures of the same store
    """

    def __init__(self, store: Store, positions: np.ndarray) -> None:
        self.store, self.positions = store, np.asarray(positions, dtype=np.int64)

    @classmethod
    def of(cls, cells: Any) -> Pictures:
        """From a column of Picture; ValueError where they belong to different stores."""
        cells = list(cells)
        if not cells:
            raise ValueError("no picture at all")
        store = cells[0].store
        if any(cell.store is not store for cell in cells):
            raise ValueError("pictures of several stores in one column")
        return cls(store, np.array([cell.at for cell in cells]))

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.positions), *self.store.pixels.shape[1:]

    def __getitem__(self, which: Any) -> Pictures:
        return Pictures(self.store, self.positions[which])

    def read(self, which: Any = slice(None)) -> np.ndarray:
        """The pixels (n, height, width, channels) uint8; a copy."""
        return self.store.pixels[self.positions[which]]

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """All pixels in order, `size` pictures at a time."""
        for first in range(0, len(self), size):
            yield self.read(slice(first, first + size))

    def digest(self) -> np.ndarray:
        """(1,) what these very pictures, in this order, hash to."""
        found = hashlib.sha256(self.positions.tobytes())
        for part in self.batches(64):
            found.update(np.ascontiguousarray(part))
        return np.frombuffer(found.digest()[:8], np.uint64)

    def thumbnails(self, side: int = 8) -> np.ndarray:
        """(n, side * side) float64: mean grey of each field of a side x side grid, 0-1."""
        name = f"thumbnails {side}"
        if name not in self.store.computed:
            whole = Pictures(self.store, np.arange(len(self.store)))
            self.store.computed[name] = np.vstack([_shrunk(part, side) for part in whole.batches(256)])
        return self.store.computed[name][self.positions]


def _shrunk(pictures: np.ndarray, side: int) -> np.ndarray:
    """(n, height, width, channels) uint8 -> (n, side * side), each field the mean of its pixels."""
    grey = pictures.mean(axis=3, dtype=np.float32) / 255.0
    for axis in (1, 2):
        borders = np.linspace(0, grey.shape[axis], side + 1).round().astype(int)
        widths = np.maximum(1, np.diff(borders))
        starts = np.minimum(borders[:-1], grey.shape[axis] - 1)
        grey = np.add.reduceat(grey, starts, axis=axis) / widths.reshape([-1 if at == axis else 1 for at in range(3)])
    return grey.reshape(len(grey), side * side).astype(np.float64)
