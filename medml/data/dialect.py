"""How a text table is written: encoding, separator, quotes. Decided by its content, never by its name."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from medml.data.layout import Row, is_number

SEPARATORS = (",", ";", "\t", "|", "^", "~", ":")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
         (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SEP_LINE = re.compile(r'^"?sep=(.)"?\r?\n', re.IGNORECASE)
csv.field_size_limit(2**31 - 1)  # a note of 300,000 characters is long, not wrong


@dataclass(frozen=True, slots=True)
class Encoding:
    """bom  bytes to leave out at the start;  guessed  nothing in the file says so"""

    name: str
    bom: int = 0
    guessed: bool = False


def wide_encoding(head: bytes) -> Encoding | None:
    """UTF-8 by its mark, or UTF-16 and UTF-32 by their mark or their zeros; None for plain bytes."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Encoding(name, len(mark))
    even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
    half = max(1, min(len(head), 4096) // 2)
    if odd > 0.4 * half and even < 0.05 * half:
        return Encoding("utf-16-le", guessed=True)
    if even > 0.4 * half and odd < 0.05 * half:
        return Encoding("utf-16-be", guessed=True)
    return None


def looks_binary(head: bytes) -> bool:
    """Whether these bytes (no UTF-16 or UTF-32) are anything but text."""
    sample = head[:65536]
    if not sample:
        return False
    return b"\0" in sample or len(_CONTROL.findall(sample)) > 0.005 * len(sample) + 2


def decode_lines(chunks: Iterator[bytes], counts: Counter[str]) -> Iterator[str]:
    """Lines as text: UTF-8 where it is, else Windows-1252 line by line; `counts` learns how many were which."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).splitlines(keepends=True)
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            yield _decode(line, counts)
    if rest:
        yield _decode(rest, counts)


def _decode(line: bytes, counts: Counter[str]) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        counts["other"] += 1
        return line.decode("cp1252", errors="replace") if b"\x81" not in line else line.decode("latin-1")
    counts["utf-8" if len(text) < len(line) else "ascii"] += 1
    return text


@dataclass(frozen=True, slots=True)
class Dialect:
    """separator  one character, or " " for runs of blanks;  skip  lines before the table that only name the separator

    share  of the first rows that have the commonest number of fields, 0-1;  width  that number
    """

    separator: str
    skip: int
    share: float
    width: int
    quoted: bool = True


def find_dialect(text: str, whole: bool) -> Dialect | None:
    """The separator of a text's first lines; None where it is no table of two columns or more.

    text   the beginning of the file, decoded;  whole  it is all of it (else the last line is cut off and left out)
    """
    named = _SEP_LINE.match(text)
    if named:
        rows = split_rows(text[named.end():], named[1], whole)
        return Dialect(named[1], 1, *_regularity(rows))
    found, named_alike = [], {}
    for separator in SEPARATORS:
        if separator in text:
            rows = split_rows(text, separator, whole)
            share, width = _regularity(rows)
            found.append(Dialect(separator, 0, share, width))
            named_alike[separator] = len(next(filter(None, rows), [])) == width
    found = [each for each in found if each.width > 1]
    if found:  # decimal commas in every cell are as regular as the separator, but the line of names has none
        best = max(found, key=lambda each: (round(each.share, 1), each.separator not in "^~:",
                                            named_alike[each.separator], each.width, each.share))
        if best.share >= (0.5 if best.separator not in "^~:" else 0.95):
            return best
    return _blanks(text, whole)


def read_rows(lines: Iterable[str], separator: str, quoted: bool = True) -> Iterator[tuple[int, Row]]:
    """(lines read so far, fields) of each row; a row within quotes may take several lines."""
    if separator == " ":
        yield from enumerate((line.split() for line in lines), start=1)
        return
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=separator, quoting=quoting, skipinitialspace=True)
    for row in reader:
        yield reader.line_num, row


def split_rows(text: str, separator: str, whole: bool = True) -> list[Row]:
    """Rows of fields; where the text is cut off, without its last row. At most 400 rows."""
    rows = [row for _, row in islice(read_rows(io.StringIO(text, newline=""), separator), 401)]
    return rows if whole or len(rows) > 400 else rows[:-1]


def _regularity(rows: list[Row]) -> tuple[float, int]:
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return 0.0, 0
    several = {width: n for width, n in widths.items() if width > 1} or widths
    width = max(several, key=lambda each: (several[each], each))
    return widths[width] / widths.total(), width


def _blanks(text: str, whole: bool) -> Dialect | None:
    """Columns set apart by blanks: only where every row has as many fields and half of them are numbers."""
    rows = [row for row in split_rows(text, " ", whole) if row]
    share, width = _regularity(rows)
    numbers = sum(is_number(cell) for row in rows for cell in row)
    if len(rows) < 3 or width < 3 or share < 0.95 or numbers < 0.5 * sum(map(len, rows)):
        return None
    return Dialect(" ", 0, share, width)
