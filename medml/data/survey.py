"""One quick look at every byte of a text table: is it UTF-8, how many rows, is every row as wide as the header?"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import numpy as np

from medml.data.files import Material

LONG_FIELD = 131_072  # characters; the limit of Python's csv module and a sign of a quote never closed
_LONG = LONG_FIELD // 2  # bytes: any longer field fills one such stretch
_PIECE = 1 << 18  # bytes read and looked at at once; with what is made of them they fit the cache
_LF, _QUOTE, _BLANK = np.uint8(10), np.uint8(34), np.uint8(32)


@dataclass(slots=True)
class Survey:
    """What all bytes together tell. Separators and line ends inside quotes are not counted."""

    utf8: bool = True
    ascii: bool = True
    zeros: bool = False
    quotes: int = 0
    line_ends: int = 0
    separators: int = 0
    stray_quotes: bool = False  # a quote opens in the middle of a value: readers disagree on what that means
    blank_rows: bool = False
    long_fields: bool = False  # a stretch of 64 KiB without a separator or line end
    padded: bool = False  # white space or quotes may stand around values
    bytes: int = 0
    ends_open: bool = False  # the last line has no line end
    inside: bool = False  # a quote is open at the end

    @property
    def rows(self) -> int:
        return self.line_ends + self.ends_open

    def regular(self, width: int) -> bool:
        """Whether every row has `width` fields, as far as totals tell, and nothing needs mending."""
        return (self.utf8 and not self.zeros and not self.blank_rows and self.quotes % 2 == 0
                and not self.stray_quotes
                and not self.long_fields and self.separators == (width - 1) * self.rows)


def survey(material: Material, separator: str, width: int, start: int) -> Survey:
    """Look at everything from byte `start` on, in constant memory; cheaper than one more read of the file.

    Two threads that look at a half each take longer than one: they wait for Python's lock between any two steps.

    width  fields a row should have: rows of nothing but separators count as blank
    """
    found, decoder = Survey(), codecs.getincrementaldecoder("utf-8")()
    bare = b"\n" + separator.encode() * (width - 1)
    empty = [bare + b"\n", bare + b"\r\n", b"\n\r\n"]
    room = np.empty((3, _PIECE + 1), dtype=bool)  # used again and again: fresh memory costs more than the work
    kept = width + 2  # bytes before a piece that are looked at with it
    content = bytearray(b"\xff" * (kept - 1) + b"\n").ljust(kept + _PIECE)
    with material.open() as file:
        file.seek(start)
        while n := file.readinto(memoryview(content)[kept:]):
            if not found.bytes and content.find(b"\r\n", kept, kept + n) < 0:
                empty = empty[:1]
            starts = _count(found, content, kept, n, ord(separator), room)
            if found.zeros:
                return found  # no text table: the rest, which may be ten empty gigabytes, changes nothing
            if starts or width == 1:
                found.blank_rows = found.blank_rows or any(content.find(each, 0, kept + n) >= 0 for each in empty)
            found.utf8 = found.utf8 and (found.ascii or _is_utf8(bytes(content[kept: kept + n]), decoder))
            found.bytes += n
            content[:kept] = content[n: n + kept]
    found.ends_open = found.bytes > 0 and content[kept - 1] != _LF
    found.padded = found.padded or (found.ends_open and content[kept - 1] <= _BLANK)
    found.utf8 = found.utf8 and not decoder.getstate()[0]
    return found


def _count(found: Survey, content: bytearray, kept: int, n: int, separator: int, room: np.ndarray) -> bool:
    """Add one piece, `n` bytes of `content` from place `kept` on; `room` is (3, > n).

    returns whether a row begins with a separator: it may hold nothing else. (Blank lines show in the totals.)
    """
    cells = np.frombuffer(content, np.uint8, count=n + 1, offset=kept - 1)  # and the last byte of the piece before
    found.ascii = found.ascii and int(cells[1:].max()) < 128
    ends, marks, spare = room[:, :n + 1]
    np.equal(cells, _LF, out=ends)
    np.equal(cells, np.uint8(separator), out=marks)
    if found.inside or content.find(b'"', kept, kept + n) >= 0:
        _leave_out_quoted(found, cells, ends, marks)
    n_ends, n_marks = int(np.count_nonzero(ends[1:])), int(np.count_nonzero(marks[1:]))
    found.line_ends += n_ends
    found.separators += n_marks
    found.long_fields = found.long_fields or _long_field(ends[1:], marks[1:])
    blanks = int(np.count_nonzero(np.less_equal(cells, _BLANK, out=spare)))
    if blanks > n_ends + int(ends[0]):  # a line end is a blank too, by its code, and so is a zero
        found.zeros = found.zeros or content.find(b"\0", kept, kept + n) >= 0
        found.padded = found.padded or _padded(ends, marks, spare)
    found.padded = found.padded or bool(found.quotes) or not found.ascii
    return bool(np.logical_and(ends[:-1], marks[1:], out=spare[1:]).any())


def _long_field(ends: np.ndarray, marks: np.ndarray) -> bool:
    """Whether a whole stretch of _LONG bytes holds neither a separator nor a line end."""
    return any(not marks[place: place + _LONG].any() and not ends[place: place + _LONG].any()
               for place in range(0, len(ends) - _LONG + 1, _LONG))


def _leave_out_quoted(found: Survey, cells: np.ndarray, ends: np.ndarray, marks: np.ndarray) -> None:
    """Count the quotes and unmark what stands inside them."""
    quoting = cells[1:] == _QUOTE
    quotes = int(np.count_nonzero(quoting))
    found.quotes += quotes
    outside = (np.cumsum(quoting, dtype=np.uint8) & 1) == (1 if found.inside else 0)
    opened = quoting & ~outside & ~(ends | marks | (cells == _QUOTE))[:-1]
    found.stray_quotes = found.stray_quotes or bool(opened.any())
    ends[1:] &= outside
    marks[1:] &= outside
    found.inside ^= bool(quotes % 2)


def _padded(ends: np.ndarray, marks: np.ndarray, blank: np.ndarray) -> bool:
    """Whether white space (a carriage return too) stands beside a separator or a line end."""
    blank &= ~ends
    edge = ends | marks
    return bool((blank[1:] & edge[:-1]).any() or (blank[:-1] & edge[1:]).any())


def evenly_spread(content: bytes, separator: str, width: int) -> bool:
    """Whether every single row of this content has `width` fields (totals may hide a short row beside a long one)."""
    cells = np.frombuffer(content, dtype=np.uint8)
    marks = (cells == np.uint8(ord(separator))) | (cells == _LF)
    if b'"' in content:
        marks &= (np.cumsum(cells == _QUOTE, dtype=np.uint8) & 1) == 0
    order = cells[marks] == _LF
    whole = len(order) - len(order) % width
    ends = order[:whole].reshape(-1, width)
    return bool(ends[:, -1].all() and not ends[:, :-1].any() and not order[whole:].any())


def _is_utf8(piece: bytes, decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(piece)
    except UnicodeDecodeError:
        return False
    return True
