"""The header of a PNG, JPEG, TIFF, GIF or BMP: its size, its kind of pixels, and whether it is whole.

Read by hand so that no decoder sees a file before its size is known to be sensible: PNG (ISO/IEC 15948 5), JPEG
(ITU-T T.81 B), TIFF 6.0 (2), GIF 89a, BMP (BITMAPINFOHEADER). Texts and camera details are passed over.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from medml.data.images import tiff_header
from medml.data.images.image_file import ImageFile, Unreadable, check_size, cut_off, damaged

_PNG_COLOURS = {0: (1, "L"), 2: (3, "RGB"), 3: (1, "P"), 4: (2, "LA"), 6: (4, "RGBA")}
_JPEG_COLOURS = {1: "L", 3: "RGB", 4: "CMYK"}
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_MUCH_TEXT = 4096  # bytes, as they lie in the file
_UPRIGHT = (1, 2, 3, 4)  # EXIF orientations that do not swap rows and columns
_LONGEST_CHUNK = 1 << 31
_BLOCK = 1 << 16
_MOST_PARTS = 100_000  # chunks or segments
_LARGEST_GIF = 1 << 26  # bytes


@dataclass
class Figures:
    """What a header says, before it is checked."""

    rows: int = 0
    cols: int = 0
    channels: int = 1
    bits: int = 8
    photometric: str = "L"
    frames: int = 1
    orientation: int = 1
    whole: bool = True
    notes: list[str] = field(default_factory=list)


def read_picture_header(shown: str, kind: str, file: BinaryIO, size: int) -> ImageFile:
    """The header of one picture of a kind found by its content.

    raises  Unreadable: "damaged", "too_many_pixels"
    """
    try:
        found = {"png": _png, "jpeg": _jpeg, "tiff": _tiff, "gif": _gif, "bmp": _bmp}[kind](file, size)
    except (struct.error, IndexError):
        raise cut_off() from None
    check_size(found.rows, found.cols, found.frames)
    rows, cols = (found.rows, found.cols) if found.orientation in _UPRIGHT else (found.cols, found.rows)
    notes = found.notes + ["several_frames"] * (found.frames > 1)
    return ImageFile(path=shown, kind=kind, bytes=size, rows=rows, cols=cols, frames=found.frames,
                     channels=found.channels, bits=found.bits, photometric=found.photometric,
                     truncated=not found.whole, notes=tuple(notes))


def _png(file: BinaryIO, size: int) -> Figures:
    """Every chunk is looked at and its checksum tried: bit rot is found here, at a tenth of the cost of decoding."""
    found, at, text = Figures(whole=False), 8, 0
    for _ in range(_MOST_PARTS):
        if at + 12 > size:
            break
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if length >= _LONGEST_CHUNK or at + 12 + length > size:
            break
        _png_chunk(found, name, _checked(file, name, length))
        text += length if name in _TEXT_CHUNKS else 0
        at += 12 + length
        if name == b"IEND":
            found.whole = True
            break
    if text > _MUCH_TEXT:
        found.notes.append("text_chunk_dropped")
    return found


def _checked(file: BinaryIO, name: bytes, length: int) -> bytes:
    """The first 64 KB of a chunk, all of which fits its checksum. Unreadable "damaged" where it does not."""
    first, checksum = b"", zlib.crc32(name)
    while length:
        block = file.read(min(length, _BLOCK))
        if not block:
            raise cut_off()
        checksum, length, first = zlib.crc32(block, checksum), length - len(block), first or block
    if checksum != int.from_bytes(file.read(4), "big"):
        raise damaged("This picture is damaged: its checksum is wrong.")
    return first


def _png_chunk(found: Figures, name: bytes, content: bytes) -> None:
    if name == b"IHDR":
        found.cols, found.rows, found.bits, colour = struct.unpack_from(">IIBB", content)
        check_size(found.rows, found.cols)
        if colour not in _PNG_COLOURS:
            raise damaged()
        found.channels, found.photometric = _PNG_COLOURS[colour]
        if found.bits == 16:
            found.notes.append("16bit")
    elif not found.rows:
        raise damaged()
    elif name == b"eXIf":
        _exif(found, content)
    elif name == b"acTL":
        found.frames = struct.unpack_from(">I", content)[0]


def _jpeg(file: BinaryIO, size: int) -> Figures:
    """The segments up to the first scan, then the end mark (EOI)."""
    found, at = Figures(), 2
    for _ in range(_MOST_PARTS):
        file.seek(at)
        mark, length = struct.unpack(">HH", file.read(4))
        marker = mark & 0xFF
        if mark >> 8 != 0xFF:
            raise damaged()
        if marker == 0xFF:  # a filling byte
            at += 1
            continue
        if at + 2 + length > size:
            raise cut_off()
        if marker == 0xDA:
            break
        _jpeg_segment(found, marker, file.read(min(length - 2, 1 << 16)) if length >= 2 else b"")
        at += 2 + length
    if not found.rows:
        raise damaged()
    found.whole = _has_end(file, at, size)
    return found


def _jpeg_segment(found: Figures, marker: int, content: bytes) -> None:
    if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
        found.bits, found.rows, found.cols, found.channels = struct.unpack_from(">BHHB", content)
        check_size(found.rows, found.cols)
        found.photometric = _JPEG_COLOURS.get(found.channels, "")
    elif marker == 0xE1 and content[:6] == b"Exif\0\0":
        _exif(found, content[6:])


def _exif(found: Figures, content: bytes) -> None:
    """Camera details: nothing is kept of them but which side is up."""
    found.orientation = tiff_header.orientation(content)
    found.notes.append("exif" if found.orientation != 1 else "exif_dropped")


def _has_end(file: BinaryIO, scan: int, size: int) -> bool:
    """Whether the end mark is there: in the last bytes, else anywhere after the first scan (cameras append things)."""
    file.seek(max(scan, size - 64))
    if b"\xff\xd9" in file.read():
        return True
    file.seek(scan)
    before = b""
    while block := file.read(1 << 20):
        if b"\xff\xd9" in before + block:
            return True
        before = block[-1:]
    return False


def _tiff(file: BinaryIO, size: int) -> Figures:
    pages = tiff_header.pages(file, size)
    first = pages[0]
    notes = (["exif"] if first.orientation != 1 else []) + (["float"] if first.is_float else [])
    return Figures(first.rows, first.cols, first.channels, first.bits, first.photometric, len(pages),
                   first.orientation, first.end <= size, notes)


def _gif(file: BinaryIO, size: int) -> Figures:
    """The logical screen; frames are counted by passing over their blocks."""
    if size > _LARGEST_GIF:
        raise Unreadable("too_large", f"This picture (GIF) is larger than {_LARGEST_GIF >> 20} MB. It was not opened.")
    file.seek(0)
    content = file.read(size)
    cols, rows, flags = struct.unpack_from("<HHB", content, 6)
    check_size(rows, cols)
    at, frames, whole = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0), 0, False
    while at < len(content):
        mark = content[at]
        if mark == 0x3B:
            whole = True
            break
        if mark == 0x2C:
            frames += 1
            local = content[at + 9]
            at = _past_blocks(content, at + 11 + (3 << (local & 7) + 1 if local & 0x80 else 0))
        elif mark == 0x21:
            at = _past_blocks(content, at + 2)
        else:
            raise damaged()
    return Figures(rows, cols, 1, 8, "P", max(frames, 1), whole=whole)


def _past_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += 1 + content[at]
    return at + 1


def _bmp(file: BinaryIO, size: int) -> Figures:
    file.seek(0)
    head = file.read(54)
    offset, header = struct.unpack_from("<II", head, 10)
    if header < 40:
        raise damaged("This picture (BMP) is of an old kind that MedML does not read.")
    cols, rows, _, bits, packing = struct.unpack_from("<iiHHI", head, 18)
    rows = abs(rows)
    needed = offset + (cols * bits + 31) // 32 * 4 * rows if packing == 0 else 0
    return Figures(rows, cols, 1 if bits <= 8 else 3, 8, "P" if bits <= 8 else "RGB", whole=needed <= size)


_DAY_IN_NAME = re.compile(r"(?<!\d)(?:(?:19|20)\d\d([-._]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])|"
                          r"(?:0[1-9]|[12]\d|3[01])([-._])(?:0[1-9]|1[0-2])\2(?:19|20)\d\d)(?!\d)")


def has_day_in_name(name: str) -> bool:
    """Whether a file's name holds a date, as of birth or of a visit."""
    return ("19" in name or "20" in name) and _DAY_IN_NAME.search(name) is not None
