"""One quick look at every byte of a text table: is it UTF-8, how many rows, is every row as wide as the header?"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import numpy as np

from medml.data.files import Material

LONG_FIELD = 131_072  # characters; the limit of Python's csv module and a sign of a quote never closed
_PIECE = LONG_FIELD // 2  # bytes; fits the cache: six times faster than pieces of 4 MiB (page faults)
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

    @property
    def rows(self) -> int:
        return self.line_ends + self.ends_open

    def regular(self, width: int) -> bool:
        """Whether every row has `width` fields, as far as totals tell, and nothing needs mending."""
        return (self.utf8 and not self.zeros and not self.blank_rows and self.quotes % 2 == 0
                and not self.stray_quotes
                and not self.long_fields and self.separators == (width - 1) * self.rows)


def survey(material: Material, separator: str, width: int, start: int) -> Survey:
    """Look at everything from byte `start` on, in constant memory; about as dear as one more read of the file.

    width  fields a row should have: rows of nothing but separators count as blank
    """
    found, decoder, inside = Survey(), codecs.getincrementaldecoder("utf-8")(), False
    bare = b"\n" + separator.encode() * (width - 1)
    empty, before = [bare + b"\n", bare + b"\r\n", b"\n\r\n"], b"\n"
    with material.open() as file:
        file.seek(start)
        while piece := file.read(_PIECE):
            if not found.bytes and b"\r\n" not in piece:
                empty = empty[:1]
            around = before + piece
            found.blank_rows = found.blank_rows or any(each in around for each in empty)
            inside = _count(found, np.frombuffer(around[len(before) - 1:], dtype=np.uint8), ord(separator), inside)
            found.utf8 = found.utf8 and (found.ascii or _is_utf8(piece, decoder))
            found.bytes += len(piece)
            before = around[-(width + 2):]
    found.ends_open = found.bytes > 0 and not before.endswith(b"\n")
    found.utf8 = found.utf8 and not decoder.getstate()[0]
    return found


def _count(found: Survey, cells: np.ndarray, separator: int, inside: bool) -> bool:
    """Add one piece (behind the last byte of the piece before); returns whether a quote is open at its end."""
    new = cells[1:]
    found.ascii = found.ascii and bool(new.max() < 128)
    found.zeros = found.zeros or bool(new.min() == 0)
    ends, marks, quoting = cells == _LF, cells == np.uint8(separator), new == _QUOTE
    quotes = int(np.count_nonzero(quoting))
    found.quotes += quotes
    if quotes or inside:
        outside = (np.cumsum(quoting, dtype=np.uint8) & 1) == (1 if inside else 0)
        opened = quoting & ~outside & ~(ends | marks | (cells == _QUOTE))[:-1]
        found.stray_quotes = found.stray_quotes or bool(opened.any())
        ends[1:] &= outside
        marks[1:] &= outside
        inside ^= bool(quotes % 2)
    n_ends, n_marks = int(np.count_nonzero(ends[1:])), int(np.count_nonzero(marks[1:]))
    found.line_ends += n_ends
    found.separators += n_marks
    found.blank_rows = found.blank_rows or bool((ends[1:] & ends[:-1]).any())
    found.long_fields = found.long_fields or (not n_ends and not n_marks and len(new) == _PIECE)
    found.padded = found.padded or bool(found.quotes) or not found.ascii or _padded(cells, ends, marks)
    return inside


def _padded(cells: np.ndarray, ends: np.ndarray, marks: np.ndarray) -> bool:
    """Whether white space (a carriage return too) stands beside a separator or a line end."""
    blank = (cells <= _BLANK) & ~ends
    if not blank.any():
        return False
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
