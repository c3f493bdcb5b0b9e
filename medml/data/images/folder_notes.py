"""What only shows when the images of a folder are compared: duplicates, masks, mixed series."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from medml.data.images.copies import copies
from medml.data.images.image_file import ImageFile
from medml.data.images.words import in_order
from medml.types import FileEntry

if TYPE_CHECKING:
    from medml.data.images.header import Looked

_MASK_OF = re.compile(r"(?:(?P<stem>.+)[ _.-])?mask(?:[ _.-]?\d+)?")  # "mask", "benign (3)_mask_1"
_SLICED = frozenset({"CT", "MR", "PT"})


def compare(looked: Sequence[Looked], same: Callable[[Sequence[Looked]], list[list[int]]] | None = None
            ) -> tuple[list[ImageFile], list[FileEntry]]:
    """The images with their notes on one another, and the entries of those left out as masks (or beside one).

    same  groups of places of equal files, for those that do not lie on the disk
    """
    left_out = _masks([each.image for each in looked])
    gone = {entry.path for entry in left_out}
    kept = [each for each in looked if each.image.path not in gone]
    notes: defaultdict[str, set[str]] = defaultdict(set)
    for group in (same or _copies)(kept):
        for place in group:
            notes[kept[place].image.path].add("duplicate_images")
    for path in _mixed_series([each.image for each in kept]):
        notes[path].add("mixed_series")
    return [_noted(each.image, notes.get(each.image.path)) for each in kept], left_out


def _copies(looked: Sequence[Looked]) -> list[list[int]]:
    return copies([(each.image, each.full) for each in looked], [each.start for each in looked])


def _noted(image: ImageFile, more: set[str] | None) -> ImageFile:
    if not more:
        return image
    return replace(image, notes=in_order(more.union(image.notes)))


def _masks(images: Sequence[ImageFile]) -> list[FileEntry]:
    """Entries of masks beside their pictures; where the two differ in size, of both."""
    pictures = {}
    for image in images:
        if image.kind != "dicom":
            place = PurePosixPath(image.path)
            pictures[place.parent, place.stem.lower()] = image
    left_out = {}
    for (folder, stem), mask in pictures.items():
        of = _MASK_OF.fullmatch(stem)
        picture = of and pictures.get((folder, of["stem"] or "image"))
        if not picture:
            continue
        if (picture.rows, picture.cols) == (mask.rows, mask.cols):
            left_out[mask.path] = _left_out(mask, "ignore", "mask", "This is the outline (mask) of the picture beside "
                                            "it, not a picture of its own.")
            continue
        for each in (mask, picture):
            left_out[each.path] = _left_out(each, "skip", "mask_size", "This picture and the outline (mask) beside it "
                                            "have different sizes, so one of the two is wrong.")
    return list(left_out.values())


def _left_out(image: ImageFile, action: str, code: str, message: str) -> FileEntry:
    return FileEntry(path=image.path, kind=image.kind, action=action, reason_code=code, message=message,
                     bytes=image.bytes)


def _mixed_series(images: Sequence[ImageFile]) -> list[str]:
    """Slices of one patient in one folder that differ in size."""
    stacks: defaultdict[tuple[str, str, str | None], list[ImageFile]] = defaultdict(list)
    for image in images:
        modality = image.tags.get("Modality", "")
        if modality in _SLICED and image.patient:
            stacks[image.path.rpartition("/")[0], modality, image.patient].append(image)
    return [image.path for stack in stacks.values() if len({(each.rows, each.cols) for each in stack}) > 1
            for image in stack]
