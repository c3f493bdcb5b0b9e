"""Pictures in one .npz file as MedMNIST lays them out: {train,val,test}_{images,labels} (Yang et al. 2023)."""

from __future__ import annotations

import hashlib
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from medml.data import files
from medml.data.images.columns import PICTURE, SPLIT
from medml.data.images.fit import fit
from medml.data.images.image_file import ImageFile, Unreadable, check_size
from medml.data.images.table import ImageTable
from medml.data.notes import not_read
from medml.errors import Stopped
from medml.types import FileEntry, TableRef
from medml.value import PICTURES, PicturePlan
from medml.watch import Silent, Watch

PARTS = ("train", "val", "test")
MOST_CELLS = 1 << 28  # of labels
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the split: where its pictures lie in the archive, and its labels (n, labels a picture)."""

    name: str
    shape: tuple[int, ...]  # (n, rows, cols) or (n, rows, cols, channels)
    labels: np.ndarray

    @property
    def picture_bytes(self) -> int:
        return math.prod(self.shape[1:])


class NpzTable(ImageTable):
    """Pictures of one archive with the split that they came with. Its pixels are read one after the other."""

    def __init__(self, ref: TableRef, path: Path, parts: Sequence[Part]) -> None:
        self._archive, self._parts = path, list(parts)
        images = [ImageFile(path=f"{part.name}/{n}", kind="npz", bytes=part.picture_bytes, rows=part.shape[1],
                            cols=part.shape[2], channels=part.shape[3] if len(part.shape) == 4 else 1)
                  for part in parts for n in range(part.shape[0])]
        super().__init__(ref, path, images, _columns(self._parts), [])

    def contents(self) -> list[str]:
        """SHA-256 of the pixels of every picture, in the order of the rows."""
        with self._lock:
            if self._hashes is None:
                self._hashes = self._hashed(self.images)
            return self._hashes

    def _hashed(self, images: Sequence[ImageFile]) -> list[str]:
        """images  the first ones of the table"""
        every = (pixels for part in self._parts for pixels in self._pixels(part))
        return [hashlib.sha256(pixels).hexdigest() for pixels, _ in zip(every, images, strict=False)]

    def sha256(self) -> str:
        """SHA-256 of the file."""
        if self._sha256 is None:
            self._sha256 = files.sha256(self._archive)
        return self._sha256

    @property
    def entry(self) -> FileEntry:
        return super().entry.model_copy(update={"kind": "npz", "sheet": None, "bytes": self._fingerprint[0]})

    def decode(self, names: Sequence[str], plan: PicturePlan, watch: Watch | None = None, *,
               channels: int | None = None) -> Iterator[tuple[int, np.ndarray | Unreadable]]:
        """As ImageTable.decode; part by part, so positions come in the order of the file."""
        watch, channels = watch or Silent(), channels or self.channels
        wanted = {name: [] for name in names}
        for position, name in enumerate(names):
            wanted[name].append(position)
        done = 0
        for part in self._parts:
            for n, pixels in enumerate(self._pixels(part)):
                positions = wanted.get(f"{part.name}/{n}", ())
                if done % 100 == 0 and positions and watch.stopping():
                    raise Stopped
                for position in positions:
                    watch.say("decoding", done / max(1, len(names)), f"{done:,} of {len(names):,} pictures")
                    done += 1
                    yield position, fit(pixels, plan.size, channels).reshape(plan.size, plan.size, channels)

    def whole(self, watch: Watch | None = None) -> Iterator[tuple[int, np.ndarray | Unreadable]]:
        watch, row = watch or Silent(), 0
        for part in self._parts:
            for pixels in self._pixels(part):
                if row % 100 == 0 and watch.stopping():
                    raise Stopped
                watch.say("decoding", row / len(self.images), f"{row:,} of {len(self.images):,} pictures")
                yield row, fit(pixels, None, 1)
                row += 1

    def _look(self) -> tuple[int, int]:
        return files.fingerprint(self._archive)

    def _pixels(self, part: Part) -> Iterator[np.ndarray]:
        """The pictures of one part, (rows, cols) or (rows, cols, 3) uint8, one in memory at a time."""
        shape = part.shape[1:3] if len(part.shape) == 3 or part.shape[3] == 1 else part.shape[1:]
        try:
            with files.open_regular(self._archive) as file, zipfile.ZipFile(file) as archive, \
                    archive.open(f"{part.name}_images.npy") as member:
                _header(member)
                for _ in range(part.shape[0]):
                    yield np.frombuffer(member.read(part.picture_bytes), np.uint8).reshape(shape)
        except _BROKEN:
            raise _damaged() from None


def open_npz(shown: str, path: Path) -> NpzTable:
    """The pictures of an archive.

    raises  UserError "not_medmnist" where it holds something else, "damaged", "expands_too_much", "too_many_pixels"
    """
    try:
        with files.open_regular(path) as file, zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            here = [part for part in PARTS if {f"{part}_images.npy", f"{part}_labels.npy"} <= names]
            if not here:
                raise not_read("not_medmnist", "This file of NumPy arrays holds no pictures as MedMNIST lays them out.")
            _refuse_bomb(archive, path)
            parts = [_part(archive, name) for name in here]
    except _BROKEN:
        raise _damaged() from None
    if len({part.shape[1:] for part in parts}) > 1 or len({part.labels.shape[1:] for part in parts}) > 1:
        raise not_read("not_medmnist", "The parts of this file hold pictures or labels of different shapes.")
    return NpzTable(TableRef(path=shown, sheet=PICTURES), path, parts)


def _refuse_bomb(archive: zipfile.ZipFile, path: Path) -> None:
    unpacked = sum(each.file_size for each in archive.infolist())
    if files.expands_too_much(path.stat().st_size, unpacked):
        raise not_read("expands_too_much", "This file would grow more than 100 times when unpacked, which real "
                       "pictures never do. It was not opened.", refuse=True)


def _part(archive: zipfile.ZipFile, name: str) -> Part:
    with archive.open(f"{name}_images.npy") as member:
        shape, kind = _header(member)
    flat = len(shape) == 3 or len(shape) == 4 and shape[3] in (1, 3)
    if kind != np.uint8 or not flat or shape[0] < 1:
        raise not_read("not_medmnist", "The pictures in this file are not flat pictures of 8 bits.")
    check_size(shape[1], shape[2])
    with archive.open(f"{name}_labels.npy") as member:
        rows, of = _header(member)
        if of.kind not in "iub" or math.prod(rows) > MOST_CELLS or rows[:1] != shape[:1] or len(rows) > 2:
            raise not_read("not_medmnist", "The labels in this file do not belong to its pictures.")
        labels = np.frombuffer(member.read(math.prod(rows) * of.itemsize), of).reshape(shape[0], -1)
    if archive.getinfo(f"{name}_images.npy").file_size < math.prod(shape):
        raise _damaged()
    return Part(name, shape, labels)


def _header(member: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array; the next byte is its first. ValueError where it is no plain array."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, kind = read(member)
    if by_columns and len(shape) > 1 or kind.hasobject:
        raise ValueError("not an array of plain rows")
    return shape, kind


def _columns(parts: Sequence[Part]) -> pl.DataFrame:
    names = [f"{part.name}/{n}" for part in parts for n in range(part.shape[0])]
    labels = np.concatenate([part.labels for part in parts]).astype(np.int64)
    titles = ["label"] if labels.shape[1] == 1 else [f"label {n + 1}" for n in range(labels.shape[1])]
    return pl.DataFrame({PICTURE: names, SPLIT: [name.partition("/")[0] for name in names]} |
                        {title: labels[:, n] for n, title in enumerate(titles)})


def _damaged() -> Exception:
    return not_read("damaged", "This file of pictures is damaged or cut off.")
