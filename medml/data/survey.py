"""One quick look at every byte of a text table: is it UTF-8, how many rows, is every row as wide as the header?"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import numpy as np

from medml.data.files import Material

LONG_FIELD = 131_072  # characters; the limit of Python's csv module and a sign of a quote never closed
_LF, _CR, _QUOTE = 10, 13, 34


@dataclass(slots=True)
class Survey:
    """Counts over the whole content. Separators and line ends inside quotes are not counted."""

    utf8: bool = True
    zeros: int = 0
    quotes: int = 0
    returns: int = 0
    line_ends: int = 0
    separators: int = 0
    blank_rows: bool = False
    longest_line: int = 0
    bytes: int = 0
    ends_open: bool = False  # the last line has no line end

    @property
    def rows(self) -> int:
        return self.line_ends + self.ends_open

    def regular(self, width: int) -> bool:
        """Whether every row has `width` fields, as far as totals tell, and nothing needs mending."""
        return (self.utf8 and not self.zeros and not self.blank_rows and self.quotes % 2 == 0
                and self.longest_line <= LONG_FIELD and self.separators == (width - 1) * self.rows)


def survey(material: Material, separator: str, width: int, start: int) -> Survey:
    """Look at everything from byte `start` on. Costs about one more read of the file, constant memory.

    width  fields a row should have: rows of nothing but separators count as blank
    """
    found, decoder, inside, last = Survey(), codecs.getincrementaldecoder("utf-8")(), False, 0
    bare = b"\n" + separator.encode() * (width - 1)
    empty = (b"\n\n", b"\n\r\n", bare + b"\n", bare + b"\r\n")
    before, skip = b"\n", start
    for chunk in material.chunks():
        chunk, skip = chunk[skip:], max(0, skip - len(chunk))
        if not chunk:
            continue
        found.utf8 = found.utf8 and _is_utf8(chunk, decoder)
        around = before + chunk
        found.blank_rows = found.blank_rows or any(each in around for each in empty)
        before = around[-(width + 3):]
        inside, last = _count(found, chunk, ord(separator), inside, last)
    found.ends_open = found.bytes > 0 and not before.endswith(b"\n")
    found.longest_line = max(found.longest_line, found.bytes - last)
    found.utf8 = found.utf8 and not decoder.getstate()[0]
    return found


def evenly_spread(content: bytes, separator: str, width: int) -> bool:
    """Whether every single row of this content has `width` fields (totals may hide a short row beside a long one)."""
    cells = np.frombuffer(content, dtype=np.uint8)
    marks = (cells == ord(separator)) | (cells == _LF)
    if _QUOTE in content:
        marks &= (np.cumsum(cells == _QUOTE, dtype=np.uint8) & 1) == 0
    order = cells[marks] == _LF
    whole = len(order) - len(order) % width
    ends = order[:whole].reshape(-1, width)
    return bool(ends[:, -1].all() and not ends[:, :-1].any() and not order[whole:].any())


def _is_utf8(chunk: bytes, decoder: codecs.IncrementalDecoder) -> bool:
    if chunk.isascii() and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _count(found: Survey, chunk: bytes, separator: int, inside: bool, last: int) -> tuple[bool, int]:
    """Add one chunk's counts; returns whether a quote is open at its end, and where the last line began."""
    cells = np.frombuffer(chunk, dtype=np.uint8)
    ends, marks = cells == _LF, cells == separator
    found.zeros += chunk.count(0)
    found.returns += int(np.count_nonzero(cells == _CR))
    quotes = chunk.count(_QUOTE)
    if quotes or inside:
        parity = np.cumsum(cells == _QUOTE, dtype=np.uint8) & 1
        outside = (parity == 1) if inside else (parity == 0)
        ends, marks = ends & outside, marks & outside
        inside ^= bool(quotes % 2)
    found.quotes += quotes
    found.line_ends += int(np.count_nonzero(ends))
    found.separators += int(np.count_nonzero(marks))
    last = _line_lengths(found, ends, last)
    found.bytes += len(chunk)
    return inside, last


def _line_lengths(found: Survey, ends: np.ndarray, last: int) -> int:
    """Keep the longest line (lines run over chunks); places count from the first byte looked at."""
    step = LONG_FIELD // 4
    blocks = len(ends) // step
    near = found.bytes - last < step
    if near and blocks and ends[:blocks * step].reshape(blocks, step).any(axis=1).all():
        tail = ends[blocks * step - step:]
        return found.bytes + blocks * step - step + int(np.flatnonzero(tail)[-1]) + 1  # no line is long here
    places = np.flatnonzero(ends)
    if not len(places):
        return last
    starts = np.concatenate([[last - found.bytes], places[:-1] + 1])
    found.longest_line = max(found.longest_line, int((places - starts).max()))
    return found.bytes + int(places[-1]) + 1
