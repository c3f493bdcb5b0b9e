"""The cells of one sheet, row by row, as Python values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from medml.data.workbook import Sheet, Workbook, parse, unescape

Cell = str | float | bool | datetime
FAR_ROWS, FAR_COLUMNS = 1000, 256  # a gap of this size: what lies beyond is not part of the table
_LAST_DAY = 2_958_466  # 9999-12-31 as a serial number


@dataclass(slots=True)
class Seen:
    """What a sheet holds besides values, by column number where it matters."""

    errors: int = 0
    far: int = 0
    unsaved: dict[int, int] = field(default_factory=dict)  # formulas without a saved result
    last_row: int = 0  # rows and columns with content, from 1
    last_column: int = 0


class _Reader:
    """Handlers for the XML parser; whole rows wait in `rows` until they are fetched."""

    def __init__(self, book: Workbook, seen: Seen) -> None:
        self.book, self.seen = book, seen
        self.rows: list[tuple[int, dict[int, Cell]]] = []
        self.row: dict[int, Cell] = {}
        self.number = self.column = 0
        self.kind, self.style, self.formula = "n", 0, False
        self.pieces: list[str] = []
        self.collecting = self.hint = False
        self.epoch = datetime(1904, 1, 1) if book.from_1904 else datetime(1899, 12, 30)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            place = attributes.get("r", "")
            self.column = column_number(place) if place else self.column + 1
            self.kind, self.style = attributes.get("t", "n"), int(attributes.get("s", "0"))
            self.formula = False
            self.pieces.clear()
        elif tag == "row":
            self.number = int(attributes.get("r", self.number + 1))
            self.row, self.column = {}, 0
        elif tag in ("v", "t"):
            self.collecting = not self.hint
        elif tag == "f":
            self.formula = True
        elif tag == "rPh":
            self.hint = True

    def text(self, piece: str) -> None:
        if self.collecting:
            self.pieces.append(piece)

    def end(self, tag: str) -> None:
        if tag in ("v", "t"):
            self.collecting = False
        elif tag == "c":
            self._cell()
        elif tag == "row":
            self.rows.append((self.number, self.row))
        elif tag == "rPh":
            self.hint = False

    def _cell(self) -> None:
        raw = "".join(self.pieces)
        value = self._value(raw) if raw else None
        seen = self.seen
        near = self.number <= seen.last_row + FAR_ROWS and self.column <= seen.last_column + FAR_COLUMNS
        if self.formula and not raw:
            seen.unsaved[self.column] = seen.unsaved.get(self.column, 0) + 1
        elif value is None:
            seen.far += not near
            return
        if not near and seen.last_row and seen.last_column > 1:
            seen.far += 1
            return
        seen.last_row, seen.last_column = max(seen.last_row, self.number), max(seen.last_column, self.column)
        if value is not None:
            self.row[self.column] = value

    def _value(self, raw: str) -> Cell | None:
        kind = self.kind
        if kind == "s":
            return self.book.strings[int(raw)].strip() or None
        if kind == "n":
            return self._number(raw)
        if kind == "e":
            self.seen.errors += 1
            return None
        if kind == "b":
            return raw.strip() == "1"
        if kind == "d":
            return datetime.fromisoformat(raw.strip().removesuffix("Z"))
        return unescape(raw).strip() or None

    def _number(self, raw: str) -> Cell:
        value = float(raw)
        formats = self.book.formats
        meaning = formats[self.style] if self.style < len(formats) else ""
        if not meaning or not 0 <= value < _LAST_DAY:
            return value
        if meaning == "time":
            seconds = round(value * 86400)
            return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        days = value + (1 if value < 60 and not self.book.from_1904 else 0)  # 29 February 1900 never was
        return self.epoch + timedelta(milliseconds=round(days * 86_400_000))


def column_number(place: str) -> int:
    """"BC12" -> 55."""
    number = 0
    for letter in place:
        if not letter.isalpha():
            break
        number = number * 26 + ord(letter.upper()) - 64
    return number


def read_cells(book: Workbook, sheet: Sheet, seen: Seen) -> Iterator[dict[int, Cell]]:
    """Rows in order, blank ones (up to a gap of 1,000) as {}; a row is {column number from 1: value}.

    Cells far from all others are left out and counted in `seen`. Raises ValueError or ExpatError where damaged.
    """
    reader, expected = _Reader(book, seen), 1
    for _ in parse(book.read(sheet.part), reader.start, reader.end, reader.text):
        for number, row in reader.rows:
            if not row:
                continue
            for _ in range(number - expected if number > expected else 0):
                yield {}
            yield row
            expected = number + 1
        reader.rows.clear()
