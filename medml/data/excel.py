"""Tables in Excel workbooks: one a sheet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from xml.parsers import expat

import polars as pl

from medml.data.cells import Cell, Seen, read_cells
from medml.data.columns import Builder, as_text
from medml.data.files import open_regular
from medml.data.layout import MOST_FOOTER_ROWS, Layout, column_names, find_layout, footer_size, layout_notes
from medml.data.notes import Note, count_words, not_read
from medml.data.rewrite import footer_note
from medml.data.source import FrameTable
from medml.data.workbook import Sheet, Workbook, damaged, open_workbook
from medml.errors import UserError
from medml.types import TableRef

LOOKED_AT = 100  # rows from which the header is decided


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sheet that is no table, and why."""

    sheet: str
    error: UserError


def open_excel(path_shown: str, path: Path, kind: str, wanted: str | None = None) -> list[FrameTable | LeftOut]:
    """The sheets of a workbook. With one sheet alone the reference names none.

    raises  UserError where the workbook cannot be read or holds nothing
    """
    with open_regular(path) as file:
        book = open_workbook(file)
        chosen = [sheet for sheet in book.sheets if wanted is None or sheet.name == wanted]
        if not chosen:
            raise not_read("no_sheet", "This workbook has no sheet of that name." if book.sheets else
                           "This workbook has no sheets.", "Choose one of its sheets.")
        found = [_try_sheet(book, sheet, path_shown, path, kind, wanted) for sheet in chosen]
    if len(found) == 1 and isinstance(found[0], LeftOut):
        raise found[0].error
    return found


def _try_sheet(book: Workbook, sheet: Sheet, shown: str, path: Path, kind: str, wanted: str | None
               ) -> FrameTable | LeftOut:
    ref = TableRef(path=shown, sheet=sheet.name if len(book.sheets) > 1 else None)
    try:
        if sheet.hidden and wanted is None:
            raise not_read("hidden_sheet", "This sheet is hidden in the workbook and was left out.")
        return _sheet(book, sheet, ref, path, kind)
    except UserError as error:
        if error.detail == "refuse":
            raise
        return LeftOut(sheet.name, error)


def _sheet(book: Workbook, sheet: Sheet, ref: TableRef, path: Path, kind: str) -> FrameTable:
    seen = Seen()
    try:
        rows = read_cells(book, sheet, seen)
        first = list(islice(rows, LOOKED_AT))
        layout, left = _layout(first, seen)
        builder, footer = _build(first, rows, layout, left)
    except (ValueError, IndexError, KeyError, expat.ExpatError):
        raise damaged() from None
    if not builder.rows:
        raise not_read("empty", "This sheet has names of columns, but no rows.")
    names, notes = column_names(layout.names, layout.width)
    content = builder.frame(names)
    notes = layout_notes(layout, layout.header or 0) + notes + _notes(book, seen, names, left, footer)
    content, notes = _without_bare(content, layout, notes, seen, left)
    return FrameTable(ref, path, kind, content, notes, {k: v for k, v in layout.units.items() if k in content.columns})


def _layout(first: list[dict[int, Cell]], seen: Seen) -> tuple[Layout, int]:
    """The layout of a sheet's first rows, and how many empty columns lie left of the table."""
    if not any(first):
        raise not_read("empty", "This sheet is empty.")
    left = min(column for row in first for column in row) - 1
    width = max(max((column for row in first for column in row), default=0), *seen.unsaved, 0) - left
    texts = [[as_text(row.get(n + left + 1)) or "" for n in range(width)] if row else [] for row in first]
    layout = find_layout(texts)
    if layout is None:
        raise not_read("not_a_table", "This sheet is not a table.")
    return layout, left


def _build(first: list[dict[int, Cell]], rest: Iterator[dict[int, Cell]], layout: Layout, left: int
           ) -> tuple[Builder, int]:
    """Columns of values without the footer; returns how many footer rows there were."""
    builder = Builder(layout.width)
    waiting: deque[dict[int, Cell]] = deque()
    for source in (first[layout.first:], rest):
        for row in source:
            if not row:
                continue
            waiting.append(row)
            if len(waiting) > MOST_FOOTER_ROWS:
                builder.add(waiting.popleft(), left)
    last = [[as_text(row.get(n + left + 1)) or "" for n in range(layout.width)] for row in waiting]
    footer = footer_size(last, layout.width)
    for row in list(waiting)[:len(waiting) - footer]:
        builder.add(row, left)
    return builder, footer


def _without_bare(content: pl.DataFrame, layout: Layout, notes: list[Note], seen: Seen, left: int
                  ) -> tuple[pl.DataFrame, list[Note]]:
    """Leave out columns that have neither a name nor a value (formatted, then emptied)."""
    bare = [name for n, name in enumerate(content.columns)
            if (n >= len(layout.names) or not layout.names[n].strip()) and layout.header is not None
            and content[name].null_count() == content.height and n + left + 1 not in seen.unsaved]
    if not bare:
        return content, notes
    unnamed = sum(1 for n in range(content.width) if n >= len(layout.names) or not layout.names[n].strip())
    notes = [note for note in notes if note.code != "unnamed_columns" or unnamed > len(bare)]
    return content.drop(bare), notes


def _notes(book: Workbook, seen: Seen, names: list[str], left: int, footer: int) -> list[Note]:
    notes = []
    unsaved = [names[column - left - 1] for column in sorted(seen.unsaved) if 0 <= column - left - 1 < len(names)]
    if unsaved:
        which = f'Column "{unsaved[0]}" holds' if len(unsaved) == 1 else \
            f'Columns {", ".join(f"{chr(34)}{name}{chr(34)}" for name in unsaved[:3])} and others hold' \
            if len(unsaved) > 3 else f'Columns {", ".join(f"{chr(34)}{name}{chr(34)}" for name in unsaved)} hold'
        notes.append(Note("formulas_without_values", f"{which} formulas without saved results. Open the file in Excel, "
                          "save it and try again.", {"cells": sum(seen.unsaved.values())}))
    if seen.errors:
        cells = count_words(seen.errors, "cell holds", "cells hold", capital=True)
        notes.append(Note("error_cells", f"{cells} an Excel error such as #DIV/0!, taken as missing.",
                          {"cells": seen.errors}))
    if seen.far:
        cells = count_words(seen.far, "cell lies", "cells lie", capital=True)
        notes.append(Note("far_cells", f"{cells} far away from the table and took no part.", {"cells": seen.far}))
    if book.macros:
        notes.append(Note("macros", "This workbook holds macros. They were not run; the table was read."))
    if footer:
        notes.append(footer_note(footer))
    return notes

