"""The header of a DICOM file: its figures, its allowed tags, hashes of its identifiers, and whether it is whole.

DICOM PS3.10 7 (file meta information), PS3.5 7 and annex A (transfer syntaxes), PS3.3 C.7.6.3 (image pixel module).
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import BinaryIO

from medml.data.files import expands_too_much
from medml.data.images import fragments
from medml.data.images.elements import Elements, Odd
from medml.data.images.image_file import ImageFile, Unreadable, check_size, damaged
from medml.data.images.tags import ALLOWED, IN_EVERY_FILE, INSTANCE_UID, PATIENT_TAGS
from medml.data.images.words import in_order

IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
EXPLICIT, DEFLATED_JPIP = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.95"
NATIVE = frozenset({"", IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})
_DIRECTORY = "1.2.840.10008.1.3.10"
_SYNTAX, _FRAMES, _CLASS = 0x00020010, 0x00280008, 0x00080016
_MOST_UNPACKED = 512 << 20  # bytes of a deflated data set, which has to lie in memory whole
_CODE = re.compile(r"[0-9.]{1,64}|[A-Za-z0-9 _]{0,16}(?:\\[A-Za-z0-9 _]{0,16}){0,7}")  # UI, or CS of PS3.5 6.2
_NUMBER = re.compile(r"[-+0-9.eE \\]{1,120}")
_MAKER = re.compile(r"[A-Za-z0-9 .,&_/()+-]{1,64}")
_TEXTS = [(keyword, tag, {"code": _CODE, "number": _NUMBER, "maker": _MAKER}[kind])
          for keyword, (tag, kind) in ALLOWED.items() if kind != "short"]
_SHORTS = [(keyword, tag) for keyword, (tag, kind) in ALLOWED.items() if kind == "short"]
_GROUP_LENGTH = re.compile(rb"\x02\0\0\0UL\x04\0(....)", re.DOTALL)
_SYNTAX_ELEMENT = re.compile(rb"\x02\0\x10\0UI(..)", re.DOTALL)
_VR = re.compile(rb"[A-Z]{2}")


class DicomSource:
    """A DICOM file ready for the walk: unpacked where it is deflated.

    source, size  what follows holds the data set (the file itself, or its unpacked copy in memory)
    at            where the data set begins in it;  syntax  its transfer syntax ("" where the file does not say)
    """

    def __init__(self, file: BinaryIO, head: bytes, size: int) -> None:
        self.source, self.size, self.preamble = file, size, head[128:132] == b"DICM"
        self.elements = Elements(file, head, size)
        self.at, self.order = 132 if self.preamble else 0, "<"
        first = head[self.at:self.at + 2]
        if first == b"\x02\0":
            self.at = self._past_meta(head)
        elif not self.preamble and first[:1] == b"\0":
            self.order = ">"
        self.syntax = _text(self.elements.values.get(_SYNTAX, b""))
        self.explicit = True
        if self.syntax in (DEFLATED, DEFLATED_JPIP):
            self._unpack(file, size)
        elif self.syntax == BIG_ENDIAN:
            self.order = ">"
        start = self.elements.peek(self.at, 8)
        if self.syntax == IMPLICIT or self.at < self.size and not _VR.match(start, 4):
            # also where a file says explicit and is not; damaged ones are told by lengths that make no sense
            length = start[4:8]
            self.explicit = self.syntax != IMPLICIT and length.count(0) < 2 and length != b"\xff\xff\xff\xff"

    def _past_meta(self, head: bytes) -> int:
        """Where the file meta information ends (PS3.10 7.1); its transfer syntax is kept.

        It is searched for where the group says its length and that is so, which saves a walk; else walked through.
        """
        length = _GROUP_LENGTH.match(head, self.at)
        end = length.end() + int.from_bytes(length[1], "little") if length else len(head)
        found = _SYNTAX_ELEMENT.search(head, self.at, end)
        if found and end + 2 <= len(head) and head[end:end + 2] != b"\x02\0":
            start, n = found.end(), int.from_bytes(found[1], "little")
            self.elements.values[_SYNTAX] = head[start:start + n]
            return end
        return self.elements.walk(self.at, explicit=True, order="<")

    def _unpack(self, file: BinaryIO, size: int) -> None:
        """Replace the source by its unpacked copy. Unreadable "expands_too_much" (refuse) or "damaged"."""
        file.seek(self.at)
        content = inflate(file, size)
        values = self.elements.values
        self.source, self.size, self.at = io.BytesIO(content), len(content), 0
        self.elements = Elements(self.source, content[:1 << 16], len(content))
        self.elements.values = values


def inflate(file: BinaryIO, packed: int) -> bytes:
    """What a deflated data set holds. Unreadable "expands_too_much" (refuse), "too_large" or "damaged"."""
    unpacker, content = zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    try:
        while block := unpacker.unconsumed_tail or file.read(1 << 20):
            content += unpacker.decompress(block, 1 << 22)
            if expands_too_much(packed, len(content)):
                raise Unreadable("expands_too_much", "This file would grow more than 100 times when unpacked, which "
                                 "real images never do. It was not opened.", refuse=True)
            if len(content) > _MOST_UNPACKED:
                raise Unreadable("too_large", f"This file holds more than {_MOST_UNPACKED >> 20} MB once unpacked. It "
                                 "was not opened.")
            if unpacker.eof:
                break
    except zlib.error:
        raise damaged() from None
    return bytes(content)


def read_dicom_header(shown: str, file: BinaryIO, head: bytes, size: int, hashed: Callable[[str, str], str],
                      patient_tag: str = "PatientID") -> ImageFile:
    """The header of one DICOM file.

    hashed       (kind of identifier, value) -> its keyed hash
    patient_tag  what says whose it is, of PATIENT_TAGS
    raises  Unreadable: "damaged", "no_pixels", "too_deep", "too_many_pixels", "expands_too_much", "dicomdir",
            "unsafe_path"
    """
    try:
        opened = DicomSource(file, head, size)
        elements = opened.elements
        elements.walk(opened.at, explicit=opened.explicit, order=opened.order)
    except Odd:
        raise damaged("This DICOM file is damaged.") from None
    except struct.error:
        raise damaged("This DICOM file is cut off.") from None
    if elements.files or _text(elements.values.get(_CLASS, b"")) == _DIRECTORY:
        raise _directory(elements.files)
    if elements.pixels is None:
        raise _no_picture()
    return _image(shown, opened, size, hashed, patient_tag)


def _no_picture() -> Unreadable:
    return Unreadable("no_pixels", "This DICOM file holds no picture.")


@dataclass(frozen=True, slots=True)
class Told:
    """What the allowed tags of a header say. The files of a series say the same: it is worked out once."""

    tags: dict[str, str]
    rows: int
    cols: int
    frames: int
    channels: int
    bits: int
    native_bytes: int  # of all frames, where they are not compressed
    notes: tuple[str, ...]


@lru_cache(maxsize=4096)
def _told(numbers: tuple[int, ...], contents: tuple[bytes, ...], order: str) -> Told:
    """The meaning of these elements. Unreadable "damaged", "no_pixels", "too_many_pixels"."""
    values = dict(zip(numbers, contents, strict=True))
    tags = _tags(values, order)
    if "Rows" not in tags:
        raise _no_picture()
    rows, cols, frames = int(tags["Rows"]), int(tags.get("Columns", 0)), _frames(values)
    check_size(rows, cols, frames)
    channels, allocated = int(tags.get("SamplesPerPixel", 1)), int(tags.get("BitsAllocated", 8))
    bits = rows * cols * frames * channels * allocated
    if tags.get("PhotometricInterpretation") == "YBR_FULL_422":
        bits = bits * 2 // 3
    return Told(tags, rows, cols, frames, channels, int(tags.get("BitsStored", allocated)), (bits + 7) // 8,
                _notes(values, tags, frames))


@lru_cache(maxsize=4096)
def _named(identifiers: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(identifiers))


def _image(shown: str, opened: DicomSource, size: int, hashed: Callable[[str, str], str], patient_tag: str
           ) -> ImageFile:
    elements = opened.elements
    values = elements.values
    patient, uid = _text(values.get(PATIENT_TAGS[patient_tag], b"")), _text(values.pop(INSTANCE_UID, b""))
    study, accession = (_text(values.get(PATIENT_TAGS[each], b"")) for each in ("StudyInstanceUID", "AccessionNumber"))
    for tag in PATIENT_TAGS.values():
        values.pop(tag, None)
    told = _told(tuple(values), tuple(values.values()), opened.order)
    notes = told.notes
    if not elements.identifiers <= IN_EVERY_FILE:
        notes = (*notes, "identifiers")
    if not opened.preamble:
        notes = (*notes, "no_preamble")
    return ImageFile(
        shown, "dicom", size, told.rows, told.cols, told.frames, told.channels, told.bits,
        told.tags.get("PhotometricInterpretation", ""), told.tags, hashed("patient", patient) if patient else None,
        hashed("uid", uid) if uid else None, _named(frozenset(elements.identifiers)), _is_cut_off(opened, told),
        in_order(notes) if len(notes) > 1 else notes, _shared(hashed, "study", study),
        _shared(hashed, "accession", accession))


@lru_cache(maxsize=256)
def _shared(hashed: Callable[[str, str], str], kind: str, value: str) -> str | None:
    """The keyed hash of what many files say, one after the other; worked out and kept in memory once."""
    return intern(hashed(kind, value)) if value else None


def _is_cut_off(opened: DicomSource, told: Told) -> bool:
    """Whether the pixels are fewer than the header says; compressed ones are followed from fragment to fragment.

    raises  Unreadable "damaged" where the pixels are not what the transfer syntax says
    """
    assert opened.elements.pixels is not None
    _, at, length, _ = opened.elements.pixels
    if opened.syntax not in NATIVE:
        return fragments.check(opened.source, at, opened.size, opened.syntax, (told.rows, told.cols))
    if length == 0xFFFFFFFF:
        raise damaged("The pixels of this DICOM file are not written as its header says.")
    return at + length > opened.size or length < told.native_bytes


def _notes(values: dict[int, bytes], tags: dict[str, str], frames: int) -> tuple[str, ...]:
    """What is worth telling."""
    holds = {"burned_in_text": tags.get("BurnedInAnnotation") == "YES", "several_frames": frames > 1,
             "invalid_value": any(kind is _NUMBER and _has_bad_numbers(values, tag) for _, tag, kind in _TEXTS)}
    return tuple(code for code, held in holds.items() if held)


def _has_bad_numbers(values: dict[int, bytes], tag: int) -> bool:
    raw = values.get(tag)
    if raw is None:
        return False
    for part in _text(raw).split("\\"):
        try:
            float(part or 0)
        except ValueError:
            return True
    return False


def _frames(values: dict[int, bytes]) -> int:
    try:
        return int(_text(values.get(_FRAMES, b"")) or 1)
    except ValueError:
        raise damaged("The number of frames in this DICOM file cannot be read.") from None


def _tags(values: dict[int, bytes], order: str) -> dict[str, str]:
    """The allowed tags as text; a value that does not look like its kind is left out."""
    found = {}
    for keyword, tag, kind in _TEXTS:
        raw = values.get(tag)
        if raw:
            text = _text(raw)
            if kind.fullmatch(text):
                found[keyword] = text
    short = struct.Struct(order + "H")
    for keyword, tag in _SHORTS:
        raw = values.get(tag)
        if raw and len(raw) >= 2:
            found[keyword] = str(short.unpack_from(raw)[0])
    return found


def _text(raw: bytes) -> str:
    return raw.decode("latin-1").strip(" \0")


def _directory(files: list[bytes]) -> Unreadable:
    """What to say of a DICOMDIR: nothing in it is ever followed, the files beside it are found by themselves."""
    for each in files:
        parts = _text(each).split("\\")
        if any(part.strip() in ("..", ".", "") or set(part) & set("/:") for part in parts):
            return Unreadable("unsafe_path", "This DICOM table of contents (DICOMDIR) points out of its folder. "
                              "It was not followed.", refuse=True)
    return Unreadable("dicomdir", "This is a DICOM table of contents (DICOMDIR); the images beside it are read "
                      "themselves.")
