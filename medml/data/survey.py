"""One quick look at every byte of a text table: is it UTF-8, how many rows, is every row as wide as the header?"""

from __future__ import annotations

import codecs
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from medml.data.files import Material

LONG_FIELD = 131_072  # characters; the limit of Python's csv module and a sign of a quote never closed
_PIECE = LONG_FIELD // 2  # bytes; fits the cache: six times faster than pieces of 4 MiB (page faults)
_APART = 8 << 20  # bytes from which two halves are looked at side by side
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

    def joined(self, later: Survey) -> Survey:
        """This stretch and the one behind it as one."""
        either = {name: getattr(self, name) or getattr(later, name)
                  for name in ("zeros", "stray_quotes", "blank_rows", "long_fields", "padded")}
        total = {name: getattr(self, name) + getattr(later, name)
                 for name in ("quotes", "line_ends", "separators", "bytes")}
        return Survey(utf8=self.utf8 and later.utf8, ascii=self.ascii and later.ascii, ends_open=later.ends_open,
                      inside=later.inside, **either, **total)


def survey(material: Material, separator: str, width: int, start: int) -> Survey:
    """Look at everything from byte `start` on, in constant memory; cheaper than one more read of the file.

    width  fields a row should have: rows of nothing but separators count as blank
    """
    middle = _middle(material, start)
    if middle is None:
        return _stretch(material, separator, width, start)
    with ThreadPoolExecutor(1) as aside:  # numpy leaves Python's lock
        later = aside.submit(_stretch, material, separator, width, middle)
        first = _stretch(material, separator, width, start, middle)
        second = later.result()
    if first.inside:  # the line end in the middle stands inside quotes
        second = _stretch(material, separator, width, middle, inside=True)
    return first.joined(second)


def _middle(material: Material, start: int) -> int | None:
    """Behind a line end about in the middle of a large file; None where it is small or its lines are very long."""
    size = material.size()
    if size - start < _APART:
        return None
    with material.open() as file:
        file.seek((start + size) // 2)
        line = file.readline(LONG_FIELD)
        return file.tell() if line.endswith(b"\n") else None


def _stretch(material: Material, separator: str, width: int, start: int, stop: int | None = None,
             inside: bool = False) -> Survey:
    """The bytes from `start`, where a line begins, to `stop`. `inside`: a quote is open at the start."""
    found, decoder = Survey(inside=inside), codecs.getincrementaldecoder("utf-8")()
    bare = b"\n" + separator.encode() * (width - 1)
    empty, before = [bare + b"\n", bare + b"\r\n", b"\n\r\n"], b"\n"
    room = np.empty((3, _PIECE + 1), dtype=bool)  # used again and again: fresh memory costs more than the work
    with material.open() as file:
        file.seek(start)
        while piece := file.read(_PIECE if stop is None else min(_PIECE, stop - start - found.bytes)):
            if not found.bytes and b"\r\n" not in piece:
                empty = empty[:1]
            around = before + piece
            cells = np.frombuffer(around, np.uint8, offset=len(before) - 1)
            if _count(found, piece, cells, ord(separator), room) or width == 1:
                found.blank_rows = found.blank_rows or any(each in around for each in empty)
            found.utf8 = found.utf8 and (found.ascii or _is_utf8(piece, decoder))
            found.bytes += len(piece)
            before = around[-(width + 2):]
    found.ends_open = found.bytes > 0 and not before.endswith(b"\n")
    found.utf8 = found.utf8 and not decoder.getstate()[0]
    return found


def _count(found: Survey, piece: bytes, cells: np.ndarray, separator: int, room: np.ndarray) -> bool:
    """Add one piece; `cells` are its bytes behind the last byte of the piece before, `room` is (3, >= len(cells)).

    returns whether a row begins with a separator: it may hold nothing else. (Blank lines show in the totals.)
    """
    found.ascii = found.ascii and piece.isascii()
    ends, marks, spare = room[:, :len(cells)]
    np.equal(cells, _LF, out=ends)
    np.equal(cells, np.uint8(separator), out=marks)
    if found.inside or b'"' in piece:
        _leave_out_quoted(found, cells, ends, marks)
    n_ends, n_marks = int(np.count_nonzero(ends[1:])), int(np.count_nonzero(marks[1:]))
    found.line_ends += n_ends
    found.separators += n_marks
    found.long_fields = found.long_fields or (not n_ends and not n_marks and len(piece) == _PIECE)
    blanks = int(np.count_nonzero(np.less_equal(cells, _BLANK, out=spare)))
    if blanks > n_ends + int(ends[0]):  # a line end is a blank too, by its code, and so is a zero
        found.zeros = found.zeros or b"\0" in piece
        found.padded = found.padded or _padded(ends, marks, spare)
    found.padded = found.padded or bool(found.quotes) or not found.ascii
    return bool(np.logical_and(ends[:-1], marks[1:], out=spare[1:]).any())


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
