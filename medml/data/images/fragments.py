"""Compressed pixels of DICOM: a value in items (PS3.5 annex A.4), one or more a frame, each checked by its first bytes.

The size that a codestream claims is compared with the header's here, before any decoder sees it.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from medml.data.images.image_file import damaged

_ITEM, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_UNDEFINED = 0xFFFFFFFF
_MOST = 1_000_000  # fragments
RLE = "1.2.840.10008.1.2.5"
_JPEG = "1.2.840.10008.1.2.4."
_JPEG2000 = tuple(f"{_JPEG}{n}" for n in (90, 91, 201, 202, 203))  # the last three are High-Throughput (ISO 15444-15)
_NOT_JPEG = tuple(f"{_JPEG}{n}" for n in range(92, 116)) + _JPEG2000  # part 2, MPEG, H.264, HEVC, JPEG XL


def check(source: BinaryIO, at: int, size: int, syntax: str, shape: tuple[int, int]) -> bool:
    """Whether the fragments end before they should. Unreadable "damaged", also where a stream claims another size."""
    first, n = True, 0
    while at + 8 <= size:
        source.seek(at)
        block = source.read(8 if n > 1 else 64)
        group, element, length = struct.unpack_from("<HHI", block)
        if (group, element) == _END:
            return first
        if (group, element) != _ITEM or length == _UNDEFINED or n > _MOST:
            raise damaged("The compressed pixels of this DICOM file are damaged.")
        if n > 0 and first and length:
            check_stream(_start_of(source, at + 8, length), syntax, shape)
            first = False
        at, n = at + 8 + length, n + 1
    return at != size or first  # without a delimiter, but whole


def _start_of(source: BinaryIO, at: int, length: int) -> bytes:
    source.seek(at)
    return source.read(min(length, 1 << 16))


def check_stream(stream: bytes, syntax: str, shape: tuple[int, int]) -> None:
    """Whether a codestream begins as its transfer syntax says and claims the size that the header claims.

    shape   (rows, columns) of the header, known to be sensible: so no decoder is sent after more memory than that
    raises  Unreadable "damaged"
    """
    good = True
    if syntax == RLE:
        good = len(stream) >= 64 and 1 <= struct.unpack_from("<I", stream)[0] <= 15
    elif syntax in _JPEG2000:
        good = jpeg2000_size(_bare_codestream(stream)) == shape
    elif syntax.startswith(_JPEG) and syntax not in _NOT_JPEG:
        good = stream[:2] == b"\xff\xd8" and jpeg_size(stream) in (shape, None)
    if not good:
        raise damaged("The compressed pixels of this DICOM file are damaged.")


def _bare_codestream(stream: bytes) -> bytes:
    """The codestream, where somebody stored a whole JP2 file (against PS3.5 A.4.4)."""
    if stream[4:8] == b"jP  ":
        start = stream.find(b"\xff\x4f\xff\x51")
        return stream[start:] if start >= 0 else b""
    return stream


def jpeg_size(stream: bytes) -> tuple[int, int] | None:
    """(rows, columns) of a JPEG or JPEG-LS stream by its frame header (ITU-T T.81 B.2.2); None where it has none."""
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) or marker == 0xF7:
            return struct.unpack_from(">HH", stream, at + 5)
        at += 2 + struct.unpack_from(">H", stream, at + 2)[0]
    return None


def jpeg2000_size(stream: bytes) -> tuple[int, int] | None:
    """(rows, columns) of a JPEG 2000 codestream by its SIZ marker (ISO 15444-1 A.5.1); None where it has none."""
    if stream[:4] != b"\xff\x4f\xff\x51" or len(stream) < 24:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", stream, 8)
    return bottom - top, right - left
