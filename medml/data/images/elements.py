"""Walk over the data elements of a DICOM file up to its pixels, reading as little as possible (DICOM PS3.5, 7).

Nothing is built for what is not wanted, and nesting is followed without recursion: a file of 20,000 nested sequences
costs no stack. What this walk does not understand is `Odd`; pydicom may have a try at it.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from medml.data.images.image_file import Unreadable, damaged
from medml.data.images.tags import ALLOWED, IDENTIFYING, INSTANCE_UID, PATIENT_TAGS, PIXELS, PRIVATE, REFERENCED_FILE

DEEPEST = 64  # sequences in sequences; a structured report has about 10
MOST_ELEMENTS = 1_000_000
HEAD = 8192  # bytes of the first read: holds the whole header of most files
_BLOCK = 1 << 16
_LONGEST_VALUE = 1024
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_SHORT = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_SHORT_NUMBERS = frozenset(int.from_bytes(vr, "little") for vr in _SHORT)
_BLANKS = b" \0^"
_TWO, _FOUR = struct.Struct("<HH2sH"), struct.Struct("<HHI")
_FAST = struct.Struct("<IHH")  # group and element as one number, VR as a number, length
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_KEPT = frozenset(tag for tag, _ in ALLOWED.values()) | {INSTANCE_UID, *PATIENT_TAGS.values()}
_KNOWN = _KEPT | frozenset(IDENTIFYING)
# tag as little-endian bytes give it -> (tag, whether its value is kept, keyword if it identifies)
_FAST_KNOWN = {(tag & 0xFFFF) << 16 | tag >> 16: (tag, tag in _KEPT, IDENTIFYING.get(tag)) for tag in _KNOWN}


class Odd(Exception):
    """Not written as the standard says; carries no data."""


class Elements:
    """The elements in front of the pixels of one file.

    values       tag -> raw bytes of the wanted top-level elements
    identifiers  keywords of identifying tags that hold something, at any depth
    files        ReferencedFileID values (a DICOMDIR's)
    pixels       (tag, offset of the value, length, VR) or None where the file holds none
    """

    def __init__(self, source: BinaryIO, head: bytes, size: int) -> None:
        self.values: dict[int, bytes] = {}
        self.identifiers: set[str] = set()
        self.files: list[bytes] = []
        self.pixels: tuple[int, int, int, bytes] | None = None
        self._source, self._size = source, size
        self._block, self._at = head, 0  # bytes in hand, and where in the file they begin
        self._explicit, self._order = True, "<"
        self._two, self._four = _TWO, _FOUR
        self._count = 0

    def walk(self, at: int, *, explicit: bool, order: str) -> int:
        """Read elements from a place of the file on, up to the pixels, the end, or a change of group 2.

        at       offset in the file;  order  "<" or ">"
        returns  where the walk ended
        raises   Odd, or Unreadable "too_deep" (refuse), "damaged"
        """
        if explicit != self._explicit or order != self._order:
            self._explicit, self._order = explicit, order
            self._two, self._four = struct.Struct(order + "HH2sH"), struct.Struct(order + "HHI")
        meta = self._group(at) == 2
        fast = explicit and order == "<" and not meta
        while True:
            if fast:
                began, at = at, self._plain(at)
                self._count += (at - began) >> 3  # as many elements as fit
            if at >= self._size or meta and self._group(at) != 2:
                return at
            tag, vr, length, value = self._header(at)
            if tag in PIXELS:
                self.pixels = (tag, value, length, vr)
                return at
            if vr == b"SQ" or length == _UNDEFINED:
                at = self._nested(tag, vr, length, value)
                continue
            at = value + length
            if at > self._size:
                raise damaged("This DICOM file is cut off or damaged.")
            self._top_level(tag, value, length)

    def _plain(self, at: int) -> int:
        """The same for plain little-endian elements in hand, which is nearly all of a header: no call an element.

        Returns where something else comes. (Half of the time of a scan is spent here: 0.3 microseconds an element.)
        """
        block, values, identifiers, known_as = self._block, self.values, self.identifiers, _FAST_KNOWN.get
        place, last, unpack, short = at - self._at, len(self._block) - 8, _FAST.unpack_from, _SHORT_NUMBERS
        while 0 <= place <= last:
            tag, vr, length = unpack(block, place)
            end = place + 8 + length
            if vr not in short or end > last:
                break
            if length:
                known = known_as(tag)
                if known is not None:
                    number, kept, keyword = known
                    if kept:
                        values[number] = block[place + 8:end]
                    if keyword and (block[place + 8] not in _BLANKS or block[place + 8:end].strip(_BLANKS)):
                        identifiers.add(keyword)
                elif tag & 1:  # an odd group
                    identifiers.add(PRIVATE)
            place = end
        return place + self._at

    def _top_level(self, tag: int, value: int, length: int) -> None:
        if tag in _KNOWN and length:
            if tag in _KEPT and length <= _LONGEST_VALUE:
                self.values[tag] = self.peek(value, length)
            if tag in IDENTIFYING:
                self._identifies(tag, value, length)
        elif tag >> 16 & 1 and length:
            self.identifiers.add(PRIVATE)

    def _room(self, at: int, n_bytes: int) -> int:
        """Have n_bytes of the file from `at` on in hand (zeros after the end); returns where in the block they are."""
        place = at - self._at
        if place < 0 or place + n_bytes > len(self._block):
            self._source.seek(at)
            block = self._source.read(max(_BLOCK, n_bytes))
            self._block, self._at = block.ljust(n_bytes, b"\0") if len(block) < n_bytes else block, at
            return 0
        return place

    def peek(self, at: int, length: int) -> bytes:
        place = self._room(at, length)
        return self._block[place:place + length]

    def _group(self, at: int) -> int:
        place = self._room(at, 2)
        return int.from_bytes(self._block[place:place + 2], "little" if self._order == "<" else "big")

    def _header(self, at: int) -> tuple[int, bytes, int, int]:
        """(tag, VR or b"" where it is not said, length, offset of the value) of the element at this offset."""
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise Unreadable("too_deep", "This DICOM file has far too many elements to be real.", refuse=True)
        place = at - self._at
        if place + 12 > len(self._block) or place < 0:
            place = self._room(at, 12)
        group, element, vr, length = self._two.unpack_from(self._block, place)
        if self._explicit and group != 0xFFFE:
            if vr in _SHORT:
                return group << 16 | element, vr, length, at + 8
            if vr in _LONG:
                return group << 16 | element, vr, self._length(place + 8), at + 12
            if vr.isalpha() and vr.isupper():  # a kind nobody knows
                return group << 16 | element, vr, length, at + 8
            # no kind at all: private elements are sometimes left in the implicit form
        group, element, length = self._four.unpack_from(self._block, place)
        return group << 16 | element, self._implied(group, length, at + 8), length, at + 8

    def _length(self, place: int) -> int:
        return int.from_bytes(self._block[place:place + 4], "little" if self._order == "<" else "big")

    def _implied(self, group: int, length: int, value: int) -> bytes:
        """SQ where an element without a VR holds items, else b""."""
        if group == 0xFFFE or length < 8:
            return b""
        if length == _UNDEFINED:
            return b"SQ"
        first, second = struct.unpack(self._order + "HH", self.peek(value, 4))
        return b"SQ" if (first, second) == (0xFFFE, 0xE000) else b""

    def _nested(self, tag: int, vr: bytes, length: int, value: int) -> int:
        """Walk through a sequence (or a value in items) without recursion; returns where it ends."""
        if vr == b"UN":
            return self._unknown(value)
        if vr not in (b"SQ", b""):
            return self._fragments(value)
        ends, at = [self._end(value, length)], value  # an end, or -1 where a delimiter tells it
        while ends:
            if ends[-1] == at:
                ends.pop()
                continue
            if at >= self._size or ends[-1] != -1 and at > ends[-1]:
                raise damaged("This DICOM file is cut off or damaged.")
            at = self._inner(at, ends)
            if len(ends) > 2 * DEEPEST:
                raise Unreadable("too_deep", "This DICOM file is nested far too deep to be real.", refuse=True)
        return at

    def _unknown(self, value: int) -> int:
        """A sequence whose kind was unknown to whoever passed it on: implicit VRs inside (PS3.5 6.2.2, note 2).

        Nothing inside names a kind, so this never comes twice in one another.
        """
        before, self._explicit = self._explicit, False
        try:
            return self._nested(0, b"SQ", _UNDEFINED, value)
        finally:
            self._explicit = before

    def _inner(self, at: int, ends: list[int]) -> int:
        """One element inside a sequence: opens or closes a level, or is passed over."""
        tag, vr, length, value = self._header(at)
        if tag in (_ITEM_END, _SEQUENCE_END):
            if ends.pop() != -1:
                raise Odd
            return value
        if tag == _ITEM or vr == b"SQ":
            ends.append(self._end(value, length))
            return value
        if length == _UNDEFINED:
            return self._unknown(value) if vr == b"UN" else self._fragments(value)
        if tag in IDENTIFYING and length:
            self._identifies(tag, value, length)
        elif tag == REFERENCED_FILE:
            self.files.append(self.peek(value, min(length, _LONGEST_VALUE)))
        return value + length

    def _end(self, value: int, length: int) -> int:
        if length == _UNDEFINED:
            return -1
        if value + length > self._size:
            raise damaged("This DICOM file is cut off or damaged.")
        return value + length

    def _fragments(self, at: int) -> int:
        """Pass over the fragments of a value in items, as of a compressed icon."""
        while at < self._size:
            tag, _, length, value = self._header(at)
            if tag == _SEQUENCE_END:
                return value
            if tag != _ITEM or length == _UNDEFINED:
                raise Odd
            at = value + length
        raise damaged("This DICOM file is cut off or damaged.")

    def _identifies(self, tag: int, value: int, length: int) -> None:
        """Remember the name of a tag that holds more than blanks."""
        if self.peek(value, min(length, _LONGEST_VALUE)).strip(_BLANKS):
            self.identifiers.add(IDENTIFYING[tag])
