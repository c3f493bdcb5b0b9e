"""Tables in JSON: records, lines, columns. Read strictly, with a guard against nesting."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from medml.data.columns import Builder
from medml.data.dialect import wide_encoding
from medml.data.files import Material
from medml.data.layout import column_names
from medml.data.notes import Note, count_words, not_read
from medml.data.source import FrameTable
from medml.types import TableRef

MOST_BYTES = 256 << 20  # of a .json file, which is read whole; JSON lines have no limit
MOST_LEVELS = 3  # {"lab": {"crp": 3}} becomes column "lab.crp"; deeper values stay JSON text
_BLANK = " \t\r\n"


class _Seen:
    """What the decoder met that the standard (RFC 8259) does not allow, or that a table cannot hold."""

    def __init__(self) -> None:
        self.constants = self.repeated = self.nested = self.bad_lines = self.lines = 0
        self.decoder = json.JSONDecoder(object_pairs_hook=self._pairs, parse_constant=self._constant)

    def _constant(self, _: str) -> None:
        self.constants += 1  # NaN, Infinity: missing

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self.repeated += len(made) < len(pairs)
        return made

    def notes(self) -> list[Note]:
        notes = []
        parts = (["values such as NaN, taken as missing"] if self.constants else []) + \
            (["names given twice in one record, of which the last was taken"] if self.repeated else [])
        if parts:
            notes.append(Note("json_nonstandard", f"This file holds {' and '.join(parts)}: that is not standard JSON.",
                              {"values": self.constants, "records": self.repeated}))
        if self.nested:
            notes.append(Note("nested_values", "Some values are lists; they were kept as text.",
                              {"values": self.nested}))
        if self.bad_lines:
            lines = count_words(self.bad_lines, "line is", "lines are", capital=True)
            left = "was" if self.bad_lines == 1 else "were"
            notes.append(Note("ragged", f"{lines} no JSON record and {left} left out.",
                              {"rows": self.bad_lines, "of": self.lines}))
        return notes


def open_records(ref: TableRef, path: Path, kind: str, material: Material) -> FrameTable:
    """A table from JSON or JSON lines.

    raises  UserError: "empty", "too_deep", "too_large", "damaged", "not_a_table"
    """
    seen, table = _Seen(), _Gathered()
    try:
        with material.open() as file:
            text = io.TextIOWrapper(file, encoding=_encoding(material), newline=None)
            if kind == "jsonl":
                _lines(text, seen, table)
            else:
                _document(text, material.size(), seen, table)
    except RecursionError:
        raise not_read("too_deep", "This file is nested far too deep to be a table.") from None
    except json.JSONDecodeError as error:
        raise not_read("damaged", f"This JSON file is damaged or cut off at line {error.lineno:,}.") from None
    except UnicodeDecodeError:
        raise not_read("damaged", "This JSON file holds bytes that are no letters.") from None
    if not table.rows:
        raise not_read("empty", "This file holds no records.")
    names, notes = column_names(list(table.places), len(table.places))
    table.seen_nested(seen)
    return FrameTable(ref, path, kind, table.builder.frame(names), notes + seen.notes())


def _encoding(material: Material) -> str:
    found = wide_encoding(material.head(4096))
    if found is None or found.name == "utf-8":
        return "utf-8-sig"
    return found.name.rsplit("-", 1)[0] if found.bom else found.name


class _Gathered:
    """Records become rows; new names become new columns."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.builder = Builder(0)
        self.rows = 0
        self.nested = 0

    def add(self, record: dict[str, Any]) -> None:
        row: dict[int, object] = {}
        for name, value in self._flat(record, "", 1):
            place = self.places.setdefault(name, len(self.places) + 1)
            row[place] = value
        self.builder.widen(len(self.places))
        self.builder.add(row)
        self.rows += 1

    def _flat(self, record: dict[str, Any], prefix: str, level: int) -> Iterator[tuple[str, object]]:
        for name, value in record.items():
            if isinstance(value, dict) and value and level < MOST_LEVELS:
                yield from self._flat(value, f"{prefix}{name}.", level + 1)
            else:
                yield f"{prefix}{name}", self._cell(value)

    def _cell(self, value: object) -> object:
        if isinstance(value, str):
            return value.strip() or None
        if isinstance(value, (list, dict)):
            self.nested += bool(value)
            return json.dumps(value, ensure_ascii=False) if value else None
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value

    def seen_nested(self, seen: _Seen) -> None:
        seen.nested = self.nested


def _lines(text: Iterable[str], seen: _Seen, table: _Gathered) -> None:
    """One record a line; a bad line is left out and counted, unless most are bad."""
    for line in text:
        line = line.strip(_BLANK)
        if not line:
            continue
        seen.lines += 1
        try:
            record = seen.decoder.decode(line)
        except json.JSONDecodeError:
            record = None
        if isinstance(record, dict):
            table.add(record)
        else:
            seen.bad_lines += 1
        if seen.bad_lines > 100 and seen.bad_lines > table.rows:
            break
    if seen.bad_lines > table.rows:
        raise _no_table()


def _document(text: io.TextIOWrapper, size: int, seen: _Seen, table: _Gathered) -> None:
    """One JSON value: a list is taken apart record by record, an object as a whole."""
    if size > MOST_BYTES:
        raise not_read("too_large",
                       f"This JSON file is larger than {MOST_BYTES >> 20} MB. Save it as JSON lines or CSV.")
    content = text.read()
    start = _skip(content, 0)
    if start == len(content):
        raise not_read("empty", "This file is empty.")
    if content[start] == "[":
        _list(content, start + 1, seen, table)
    else:
        _object(seen.decoder.decode(content), table)


def _skip(content: str, place: int) -> int:
    while place < len(content) and content[place] in _BLANK:
        place += 1
    return place


def _list(content: str, place: int, seen: _Seen, table: _Gathered) -> None:
    header: list[str] = []
    while True:
        place = _skip(content, place)
        if content[place:place + 1] == "]":
            return
        value, place = seen.decoder.raw_decode(content, place)
        if isinstance(value, dict):
            table.add(value)
        elif isinstance(value, list) and not header and not table.rows and all(isinstance(v, str) for v in value):
            header = column_names(value, len(value))[0]  # rows as lists under a list of names
        elif isinstance(value, list) and header and len(value) <= len(header):
            table.add(dict(zip(header, value, strict=False)))
        else:
            raise _no_table()
        place = _skip(content, place)
        mark = content[place:place + 1]
        if mark not in (",", "]"):
            raise json.JSONDecodeError("no end of list", content, place)
        place += mark == ","


def _object(value: object, table: _Gathered) -> None:
    """The shapes in which programs write a table as one object."""
    if not isinstance(value, dict) or not value:
        raise _no_table()
    for shape in (_split, _one_list, _columns_of_lists, _columns_of_cells, _records_by_key):
        records = shape(value)
        if records is not None:
            for record in records:
                table.add(record)
            return
    raise _no_table()


def _split(value: dict[str, Any]) -> Iterable[dict[str, Any]] | None:
    """{"columns": [...], "data": [[...], ...]}"""
    names, rows = value.get("columns"), value.get("data")
    if not (isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows)):
        return None
    names = column_names([str(name) for name in names], len(names))[0]
    return (dict(zip(names, row, strict=False)) for row in rows)


def _one_list(value: dict[str, Any]) -> Iterable[dict[str, Any]] | None:
    """{"patients": [{...}, ...], "version": 3}: the one list of records in it"""
    lists = [each for each in value.values() if isinstance(each, list) and each
             and all(isinstance(record, dict) for record in each)]
    return lists[0] if len(lists) == 1 else None


def _columns_of_lists(value: dict[str, Any]) -> Iterable[dict[str, Any]] | None:
    """{"age": [40, 41], "sex": ["F", "M"]}"""
    columns = list(value.values())
    if not all(isinstance(each, list) for each in columns) or len({len(each) for each in columns}) != 1:
        return None
    return (dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True))


def _columns_of_cells(value: dict[str, Any]) -> Iterable[dict[str, Any]] | None:
    """{"age": {"0": 40, "1": 41}, ...}"""
    columns = list(value.values())
    if not all(isinstance(each, dict) for each in columns) or not all(key.isdigit() for key in columns[0]):
        return None
    keys = list(columns[0])
    if any(list(each) != keys for each in columns):
        return None
    return ({name: value[name][key] for name in value} for key in keys)


def _records_by_key(value: dict[str, Any]) -> Iterable[dict[str, Any]] | None:
    """{"P1": {...}, "P2": {...}}: three records or more that share names"""
    records = list(value.values())
    if len(records) < 3 or not all(isinstance(each, dict) and each for each in records):
        return None
    shared = set(records[0]).intersection(*records[1:50])
    return ({"key": key, **record} for key, record in value.items()) if shared else None


def _no_table() -> Exception:
    return not_read("not_a_table", "This JSON file is not a table: it is no list of records.")

