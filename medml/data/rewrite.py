"""Mend an odd text table on the way to Polars: one pass, constant memory, into a private copy."""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from medml.data.dialect import read_rows
from medml.data.layout import MOST_FOOTER_ROWS, Row, blank, footer_size
from medml.data.notes import Note, count_words
from medml.data.short import ShortRows
from medml.data.survey import LONG_FIELD


@dataclass(slots=True)
class Mended:
    """What was mended. `ragged_rows` are the first places (from 1) of rows left out for having too many fields."""

    rows: int = 0
    ragged: int = 0
    ragged_rows: list[int] = field(default_factory=list)
    short: ShortRows = field(default_factory=ShortRows)
    empty: int = 0
    long_cells: int = 0
    footer: int = 0
    counts: Counter[str] = field(default_factory=Counter)  # lines by encoding

    def notes(self, columns: list[str]) -> list[Note]:
        """One note for each sort of mending."""
        notes = []
        if self.ragged:
            places = ", ".join(str(place) for place in self.ragged_rows) + (", ..." if self.ragged > 5 else "")
            word, verb, place = ("row", "has", "row") if self.ragged == 1 else ("rows", "have", "rows")
            left = "was" if self.ragged == 1 else "were"
            total = self.rows + self.ragged
            notes.append(Note("ragged", f"{self.ragged:,} of {total:,} {'rows' if total > 1 else word} {verb} too many "
                              f"fields and {left} left out ({place} {places}).", {"rows": self.ragged, "of": total}))
        notes += self.short.notes(columns, self.rows)
        if self.empty:
            notes.append(Note("empty_rows", f"{count_words(self.empty, 'row', 'rows', capital=True)} without any value "
                              f"{'was' if self.empty == 1 else 'were'} left out.", {"rows": self.empty}))
        if self.footer:
            notes.append(footer_note(self.footer))
        if self.long_cells:
            notes.append(Note("long_field", f"{count_words(self.long_cells, 'cell holds', 'cells hold', capital=True)} "
                              f"more than {LONG_FIELD:,} characters; a quotation mark may never have been closed.",
                              {"cells": self.long_cells}))
        return notes + encoding_notes(self.counts)


def footer_note(n: int) -> Note:
    """That rows at the end were no cases."""
    rows = count_words(n, "row", "rows", capital=True)
    left = "was" if n == 1 else "were"
    return Note("footer", f"{rows} below the table (such as a total) {left} left out.", {"rows": n})


def encoding_notes(counts: Counter[str]) -> list[Note]:
    """A note where some lines are not UTF-8 (`counts` as made by `dialect.decode_lines`)."""
    if not counts["other"]:
        return []
    figures = {"lines": counts["other"]}
    if counts["utf-8"]:
        return [Note("mixed_encoding", f"The letters are written in two ways: {counts['other']:,} lines were read as "
                     "Windows-1252, the others as UTF-8. Check names with accents.", figures)]
    lines = count_words(counts["other"], "line holds", "lines hold", capital=True)
    return [Note("encoding_guessed", f"{lines} letters that are not UTF-8; they were read as Windows-1252. "
                 "Check names with accents.", figures)]


def rewrite(lines: Iterable[str], separator: str, width: int, mended: Mended, *, quoted: bool = True
            ) -> Iterator[bytes]:
    """Rows of exactly `width` fields as UTF-8 CSV without a header, in pieces of about 1 MiB.

    Left out and counted in `mended`: rows with too many fields, rows without a value, footer rows at the end.
    """
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    waiting: deque[Row] = deque()  # the last rows, until it is known that they are no footer
    for row in _regular_rows(lines, separator, width, mended, quoted):
        waiting.append(row)
        if len(waiting) > MOST_FOOTER_ROWS:
            write(waiting.popleft())
            mended.rows += 1
        if text.tell() > 1 << 20:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    mended.footer = footer_size(list(waiting), width)
    for row in list(waiting)[:len(waiting) - mended.footer]:
        write(row)
        mended.rows += 1
    mended.short.end(mended.rows)
    yield text.getvalue().encode()


def _regular_rows(lines: Iterable[str], separator: str, width: int, mended: Mended, quoted: bool) -> Iterator[Row]:
    place = kept = 0
    for _, row in read_rows(lines, separator, quoted):
        if blank(row):
            mended.empty += bool(row) and width > 1
            continue
        place += 1
        if len(row) > width and not blank(row[width:]):
            mended.ragged += 1
            if len(mended.ragged_rows) < 5:
                mended.ragged_rows.append(place)
            continue
        if len(row) < width:
            mended.short.add(row, kept)
            row += [""] * (width - len(row))
        else:
            mended.short.add_whole(row[:width])
        kept += 1
        mended.long_cells += sum(1 for cell in row if len(cell) > LONG_FIELD)
        yield row[:width]
