"""Files that are the same in every byte, found without reading most of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path

from medml.data.files import open_regular, sha256
from medml.data.images.elements import HEAD
from medml.data.images.image_file import ImageFile
from medml.errors import UserError

_BLOCK = 1 << 18


def exact_duplicates(source: Path, files: Sequence[ImageFile]) -> list[list[int]]:
    """Groups of places in `files` of equal files, as find_images found them under `source`, in order."""
    source = Path(source)
    return copies([(each, source / each.path if source.is_dir() else source) for each in files])


def copies(files: Sequence[tuple[ImageFile, Path]], starts: Sequence[int | None] | None = None) -> list[list[int]]:
    """Groups of places of equal files: same size (and DICOM instance), then same first 8 KB, then the same whole.

    starts   hashes of their first 8 KB as this process made them; None where they were not kept
    returns  in order; a file that has gone meanwhile is equal to none
    """
    def size(place: int) -> Hashable:
        return files[place][0].bytes, files[place][0].uid

    def start(place: int) -> Hashable:
        known = starts[place] if starts is not None else None
        return _start(files[place][1]) if known is None else known

    return sorted(group for sized in _groups(range(len(files)), size)
                  for started in _groups(sized, start)
                  for group in _equal(started, files))


def _equal(places: list[int], files: Sequence[tuple[ImageFile, Path]]) -> list[list[int]]:
    """Those whose every byte is the same: two are compared with one another, more by their SHA-256."""
    if len(places) > 2:
        return _groups(places, lambda place: _whole(files[place][1]))
    return [places] if _same(*(files[place][1] for place in places)) else []


def _groups(places: Iterable[int], key: Callable[[int], Hashable]) -> list[list[int]]:
    """Those that share a key with another; None is shared by nobody."""
    same: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place in places:
        same[key(place)].append(place)
    same.pop(None, None)
    return [group for group in same.values() if len(group) > 1]


def _start(path: Path) -> bytes | None:
    try:
        with open_regular(path, buffered=False) as file:
            return file.read(HEAD)
    except (OSError, UserError):
        return None


def _same(a: Path, b: Path) -> bool:
    try:
        with open_regular(a, buffered=False) as one, open_regular(b, buffered=False) as other:
            while block := one.read(_BLOCK):
                if block != other.read(_BLOCK):
                    return False
            return not other.read(1)
    except (OSError, UserError):
        return False


def _whole(path: Path) -> str | None:
    try:
        return sha256(path)
    except (OSError, UserError):
        return None
