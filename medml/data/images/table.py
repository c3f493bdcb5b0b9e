"""The pictures of a folder as a table, a row each: what files, headers, folders and a label table say of them."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from medml.data import files
from medml.data.images.columns import CONTENT, PATIENT, PICTURE, columns_of, patients_of
from medml.data.images.decode import decode_all
from medml.data.images.image_file import WINDOWS, ImageFile, Unreadable, Window
from medml.data.images.labels import find_labels, joined
from medml.data.notes import Note, not_read
from medml.data.source import TableSource
from medml.errors import UserError
from medml.types import FileEntry, TableRef
from medml.value import PICTURES, PicturePlan
from medml.watch import Watch

_FRAME = "\x1fframe"
READERS = 2  # files hashed side by side; hashing leaves Python's lock


class ImageTable(TableSource):
    """Pictures under a folder, a row each in the order of their names; pixels are read when asked for.

    root    the folder that the column "picture" is relative to;   images  what their headers say, in the same order
    labels  the table whose columns were joined to them, if one lies beside them;   key  its column that names files,
            pictures or patients

    The column "content" (SHA-256 of each file) is only made where it is asked for: it needs every byte.
    """

    def __init__(self, ref: TableRef, source: Path, images: Sequence[ImageFile], content: pl.DataFrame,
                 notes: list[Note], labels: TableSource | None = None, key: str | None = None) -> None:
        self.root = source if source.is_dir() else source.parent
        self.images, self.labels, self.key = list(images), labels, key
        self._content, self._hashes, self._lock = content, None, threading.Lock()
        super().__init__(ref, source, PICTURES, _with_content(content.columns), content.height, notes)
        self._fingerprint = self._look()

    def frame(self, columns: list[str] | None = None, n_rows: int | None = None) -> pl.DataFrame:
        wanted = self.columns if columns is None else columns
        frame = self._content if n_rows is None else self._content.head(n_rows)
        if CONTENT in wanted:
            known = self.contents() if n_rows is None or self._hashes else self._hashed(self.images[:n_rows])
            frame = frame.with_columns(pl.Series(CONTENT, known[:frame.height], dtype=pl.String))
        return frame.select(wanted)

    def batches(self, chunk_rows: int = 100_000) -> Iterator[pl.DataFrame]:
        yield from self.frame().iter_slices(chunk_rows)

    def contents(self) -> list[str]:
        """SHA-256 of every file, in the order of the rows. UserError where a file has gone meanwhile."""
        with self._lock:  # a scan asks from two threads
            if self._hashes is None:
                self._hashes = self._hashed(self.images)
            return self._hashes

    def _hashed(self, images: Sequence[ImageFile]) -> list[str]:
        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(lambda each: files.sha256(self.root / each.path), images))

    def listed(self, name: str) -> str:
        """What the list of files calls one of the pictures."""
        return name

    def _pixels_of(self, images: Sequence[ImageFile], **how: Any) -> Iterator[tuple[int, np.ndarray | Unreadable]]:
        """As decode_all."""
        return decode_all(self.root, images, **how)

    def sha256(self) -> str:
        """SHA-256 over the names and contents of all pictures, and of the label table: any change shows."""
        if self._sha256 is None:
            digest = hashlib.sha256()
            for path, content in sorted(zip(self._content[PICTURE], self.contents(), strict=True)):
                digest.update(f"{path}\0{content}\n".encode())
            if self.labels is not None:
                digest.update(self.labels.sha256().encode())
            self._sha256 = digest.hexdigest()
        return self._sha256

    @property
    def entry(self) -> FileEntry:
        """The line of all pictures together in the list of files."""
        return super().entry.model_copy(update={"bytes": sum(each.bytes for each in self.images)})

    @property
    def channels(self) -> int:
        """3 where any picture may be coloured, else 1."""
        return 3 if any(_coloured(each) for each in self.images) else 1

    def each_frame(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with every frame of a file as a row of its own, named "file#1", "file#2" ... in `picture`.

        Their `content` is numbered too, for frames of one file are no copies; a file without a patient becomes one, so
        that its frames stay together.
        """
        n_frames = {each.path: each.frames for each in self.images}
        numbers = [list(range(1, n_frames[name] + 1)) if n_frames[name] > 1 else [0] for name in frame[PICTURE]]
        spread = frame.with_columns(pl.Series(_FRAME, numbers, dtype=pl.List(pl.Int64))).explode(_FRAME)
        whole = pl.col(_FRAME) == 0
        changed = [pl.when(whole).then(name).otherwise(pl.format("{}#{}", name, _FRAME)).alias(name)
                   for name in (PICTURE, CONTENT) if name in frame.columns]
        if PATIENT in frame.columns:
            changed.append(pl.when(whole).then(PATIENT).otherwise(pl.coalesce(PATIENT, PICTURE)).alias(PATIENT))
        return spread.with_columns(changed).drop(_FRAME)

    def decode(self, names: Sequence[str], plan: PicturePlan, watch: Watch | None = None, *,
               channels: int | None = None) -> Iterator[tuple[int, np.ndarray | Unreadable]]:
        """The pixels of the pictures named, as a person would see them, all of one size.

        names     as in the column "picture", or as `each_frame` made them
        channels  1 or 3; as the table's own `channels` where not given
        returns   (position in `names`, uint8 (size, size, channels), or why there is none), every position once, in the
                  order of first mention
        raises    Stopped if the watch asks to stop; UserError "window"; KeyError for a name that is none of the table
        """
        channels = channels or self.channels
        asked: dict[str, dict[int, list[int]]] = {}  # file -> frame from 0 (-1: as the plan says) -> positions
        known = {each.path: each for each in self.images}
        for position, name in enumerate(names):
            path, frame = (name, -1) if name in known else _frame_of(name)
            asked.setdefault(path, {}).setdefault(frame, []).append(position)
        wanted = [known[path] for path in asked]
        single = all(set(frames) == {-1} for frames in asked.values())
        found = self._pixels_of(wanted, size=plan.size, window=window_of(plan.window), channels=channels,
                                frames=plan.frames if single and plan.frames != "all" else "all", watch=watch)
        seen: Counter[int] = Counter()
        for place, pixels in found:
            frames = asked[wanted[place].path]
            chosen = [-1] if single else [seen[place], *_stands_for(wanted[place], plan, seen[place])]
            seen[place] += 1
            shaped = pixels if isinstance(pixels, Unreadable) else pixels.reshape(plan.size, plan.size, channels)
            for position in (each for frame in chosen for each in frames.get(frame, ())):
                yield position, shaped

    def whole(self, watch: Watch | None = None) -> Iterator[tuple[int, np.ndarray | Unreadable]]:
        """Every picture in its own size, grey, the middle frame: (row, uint8 (rows, cols), or why there is none).

        raises  Stopped if the watch asks to stop
        """
        yield from self._pixels_of(self.images, size=None, channels=1, frames="middle", watch=watch)

    def changed(self) -> bool:
        return self._look() != self._fingerprint

    def _look(self) -> tuple[int, int]:
        """(bytes of all pictures, time of the newest change in ns). UserError "gone" where one is missing."""
        seen = [files.fingerprint(self.root / each.path) for each in self.images]
        return sum(size for size, _ in seen), max((when for _, when in seen), default=0)


def picture_table(source: Path, images: Sequence[ImageFile], tables: Sequence[TableSource] = (),
                  key: str | None = None, patient_tag: str | None = None) -> ImageTable:
    """The table of these pictures, joined with the one of `tables` that names most of them, if any does.

    source       the folder (or single file) that the pictures were found under
    key          the column that names the pictures, where a person said so
    patient_tag  the tag that their patients were read from, where a person said so
    raises       UserError "no_pictures" where there is none
    """
    content, notes, labels, column = described(images, tables, key)
    path = "." if labels is None else labels.ref.path
    ref = TableRef(path=path, sheet=PICTURES, key=None if labels is None else key, patient_tag=patient_tag)
    return ImageTable(ref, source, images, content, notes, labels, column)


def described(images: Sequence[ImageFile], tables: Sequence[TableSource], key: str | None
              ) -> tuple[pl.DataFrame, list[Note], TableSource | None, str | None]:
    """What is known of these pictures: their columns, what did not fit, the table that labels them and its column.

    key     the column that names the pictures, where a person said so
    raises  UserError "no_pictures" where there is none
    """
    if not images:
        raise not_read("no_pictures", "There are no pictures here that can be read.")
    own = columns_of(images)
    match = find_labels(tables, images, patients_of(images), key)
    if match is None:
        return own, [], None, None
    content, column, notes = joined(own, match, own_patient_is_told=any(each.patient for each in images))
    return content, notes, match.table, column


def window_of(text: str | None) -> Window | None:
    """A window from a preset's name or "centre,width"; None for the file's own. UserError "window"."""
    if not text:
        return None
    if text.strip().lower() in WINDOWS:
        return WINDOWS[text.strip().lower()]
    try:
        centre, width = (float(each) for each in text.split(","))
        if width >= 1 and math.isfinite(centre + width):
            return Window(centre, width)
    except ValueError:
        pass
    raise UserError(what=f"“{text}” is no window of grey.", code="window",
                    fix=f"Give one of {', '.join(WINDOWS)}, or centre,width such as 40,80 (a width of at least 1).")


def _frame_of(name: str) -> tuple[str, int]:
    """File and frame from 0 of a name that `each_frame` made."""
    path, _, number = name.rpartition("#")
    return path, int(number) - 1 if number.isdigit() else -1


def _stands_for(image: ImageFile, plan: PicturePlan, frame: int) -> list[int]:
    """[-1] for the frame that is meant where only the file is named."""
    meant = image.frames // 2 if plan.frames == "middle" else 0
    return [-1] if frame == meant else []


def _coloured(image: ImageFile) -> bool:
    return image.channels >= 3 or image.photometric in ("PALETTE COLOR", "P")


def _with_content(names: Sequence[str]) -> list[str]:
    """Names of all columns: "content" stands behind what the headers say, before what may be the outcome."""
    return [names[0], CONTENT, *names[1:]]
