"""The pages of a TIFF by their directories (TIFF 6.0, section 2), and the orientation in EXIF, written alike."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from medml.data.images.image_file import MOST_FRAMES, check_size, cut_off, damaged

_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}  # bytes of BYTE, SHORT, LONG, LONG8
_CODES = {1: "B", 3: "H", 4: "I", 16: "Q"}
_WANTED = frozenset({256, 257, 258, 262, 273, 274, 277, 279, 324, 325, 339})
_PHOTOMETRIC = {0: "MINISWHITE", 1: "L", 2: "RGB", 3: "P", 5: "CMYK", 6: "YCBCR", 8: "LAB"}
_MOST_VALUES = 1 << 20


@dataclass
class Page:
    """One page; `end` is where its last strip or tile ends in the file."""

    rows: int
    cols: int
    bits: int
    channels: int
    photometric: str
    orientation: int
    is_float: bool
    end: int


def pages(file: BinaryIO, size: int) -> list[Page]:
    """Every page, in order. Unreadable "damaged", "too_many_pixels"; struct.error where the file is cut off."""
    file.seek(0)
    start = file.read(8)
    order = "<" if start[:2] == b"II" else ">"
    at, seen, found, entries = struct.unpack_from(order + "I", start, 4)[0], set(), [], 0
    while at and len(found) < MOST_FRAMES:
        if at in seen or entries > _MOST_VALUES:
            raise damaged("This picture is damaged: its pages have no end.")
        if at + 6 > size:
            raise cut_off()
        seen.add(at)
        values, n, at = _directory(file, at, order, size)
        entries += n + sum(map(len, values.values()))
        found.append(_page(values))
    if not found:
        raise damaged()
    return found


def orientation(exif: bytes) -> int:
    """The EXIF orientation (1-8) in a TIFF block; 1 where it says none or is damaged."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        at = struct.unpack_from(order + "I", exif, 4)[0]
        for place in range(struct.unpack_from(order + "H", exif, at)[0]):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, at + 2 + 12 * place)
            if tag == 274 and kind == 3 and 1 <= value <= 8:
                return value
    except struct.error:
        return 1
    return 1


def _directory(file: BinaryIO, at: int, order: str, size: int
               ) -> tuple[dict[int, tuple[int, ...]], int, int]:
    """(tag -> values, number of entries, offset of the next directory)."""
    file.seek(at)
    n = struct.unpack(order + "H", file.read(2))[0]
    block = file.read(12 * n + 4)
    values = {}
    for place in range(n):
        tag, kind, count, _ = struct.unpack_from(order + "HHII", block, 12 * place)
        if tag in _WANTED and kind in _SIZES:
            values[tag] = _values(file, block[12 * place + 8:12 * place + 12], order, kind, count, size)
    return values, n, struct.unpack_from(order + "I", block, 12 * n)[0]


def _values(file: BinaryIO, inline: bytes, order: str, kind: int, count: int, size: int) -> tuple[int, ...]:
    length = _SIZES[kind] * count
    if length > 4:
        at = struct.unpack(order + "I", inline)[0]
        if at + length > size:
            raise cut_off()
        if count > _MOST_VALUES:
            raise damaged()
        file.seek(at)
        inline = file.read(length)
    return struct.unpack_from(f"{order}{count}{_CODES[kind]}", inline)


def _page(values: dict[int, tuple[int, ...]]) -> Page:
    def one(tag: int, otherwise: int) -> int:
        return values[tag][0] if values.get(tag) else otherwise

    rows, cols, channels, bits = one(257, 0), one(256, 0), one(277, 1), one(258, 1)
    check_size(rows, cols)
    offsets = values.get(273) or values.get(324) or ()
    lengths = values.get(279) or values.get(325) or ()
    end = max((at + length for at, length in zip(offsets, lengths, strict=False)), default=0)
    return Page(rows, cols, bits, channels, _PHOTOMETRIC.get(one(262, 1), ""), one(274, 1), one(339, 1) == 3, end)
