"""Excel workbooks from before 2007 (.xls), by the calamine library in a child process.

Other old or binary kinds of workbook are told apart and left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl

from medml.data.excel import LeftOut
from medml.data.files import open_regular
from medml.data.layout import MOST_FOOTER_ROWS, column_names, find_layout, footer_size, layout_notes
from medml.data.missing import strip
from medml.data.notes import not_read
from medml.data.rewrite import footer_note
from medml.data.source import FrameTable
from medml.errors import UserError
from medml.types import TableRef

MOST_BYTES = 200 << 20
MOST_SECONDS = 10  # a damaged file can send the library round in circles
_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"
_FULL_NAMES = {"xlsb": "Excel's binary format (.xlsb)", "ods": "OpenDocument format (.ods)"}


def open_old_excel(shown: str, path: Path, kind: str, wanted: str | None = None) -> list[FrameTable | LeftOut]:
    """The sheets of an .xls workbook; every column is String.

    raises  UserError: "password", "unsupported_type", "too_large", "damaged", "not_a_table", "no_sheet"
    """
    if kind in _FULL_NAMES:  # their readers fill in every cell up to the farthest one
        raise not_read("unsupported_type", f"This workbook is in {_FULL_NAMES[kind]}. Save it as .xlsx and scan again.")
    with open_regular(path) as file:
        content = file.read(MOST_BYTES + 1)
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise _locked()
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        if path.suffix.lower() in (".xls", ".xlt"):
            raise _damaged()
        raise not_read("not_a_table", "This file is an old Office file, which MedML does not read as a table.")
    if len(content) > MOST_BYTES:
        raise not_read("too_large", f"This workbook is larger than {MOST_BYTES >> 20} MB. Save it as .xlsx or CSV.")
    return _sheets(content, shown, path, wanted)


def _sheets(content: bytes, shown: str, path: Path, wanted: str | None) -> list[FrameTable | LeftOut]:
    cells = _in_a_child(content)
    names = [name for name in cells if wanted is None or name == wanted]
    if not names:
        raise not_read("no_sheet", "This workbook has no sheet of that name.", "Choose one of its sheets.")
    found: list[FrameTable | LeftOut] = []
    for name in names:
        ref = TableRef(path=shown, sheet=name if len(cells) > 1 else None)
        try:
            found.append(_table(cells[name], ref, path))
        except UserError as error:
            found.append(LeftOut(name, error))
    if len(found) == 1 and isinstance(found[0], LeftOut):
        raise found[0].error
    return found


def _in_a_child(content: bytes) -> dict[str, list[list[str | None]] | None]:
    """Sheets by name, each a list of columns of text; None for one that cannot be read."""
    child = Path(__file__).with_name("calamine_child.py")
    try:  # -I: neither this folder nor the environment adds modules to the child
        done = subprocess.run([sys.executable, "-I", str(child)], input=content, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=MOST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise _damaged() from None
    if done.returncode == 3:
        raise _locked()
    if done.returncode != 0:
        raise _damaged()
    return json.loads(done.stdout)["sheets"]


def _table(columns: list[list[str | None]] | None, ref: TableRef, path: Path) -> FrameTable:
    """The table among a sheet's cells (all text, by column)."""
    if columns is None:
        raise _damaged()
    cells = pl.DataFrame([strip(pl.Series(str(n), column, dtype=pl.String).str.replace(_MIDNIGHT, "$1"))
                          for n, column in enumerate(columns)])
    first = [[cell or "" for cell in row] for row in cells.head(100).iter_rows()]
    layout = find_layout(first)
    if layout is None:
        raise not_read("empty", "This sheet is empty.")
    names, notes = column_names(layout.names, layout.width)
    body = cells[layout.first:, :layout.width]
    last = [[cell or "" for cell in row] for row in body.tail(MOST_FOOTER_ROWS).iter_rows()]
    footer = footer_size(last, layout.width)
    body = body.head(body.height - footer).filter(~pl.all_horizontal(pl.all().is_null()))
    if not body.height:
        raise not_read("empty", "This sheet has names of columns, but no rows.")
    body.columns = names
    notes = layout_notes(layout, layout.header or 0) + notes + ([footer_note(footer)] if footer else [])
    return FrameTable(ref, path, "xls", body, notes, layout.units)


def _locked() -> UserError:
    return not_read("password", "This workbook is protected with a password. Remove the password and try again.")


def _damaged() -> UserError:
    return not_read("damaged", "This workbook is damaged or cut off.")
