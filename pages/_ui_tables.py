"""Tables on the screen that sort by any column and, where they are long, search; `static/tables.js` does it in the
browser, at once and without the server. What opens a term's entry inside a table goes on doing so.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from pages._ui_plain import html
from pages._ui_terms import draw, linked
from pages._ui_words import breakable

FEW, MANY = 4, 8  # rows from which a table sorts, and from which it is searched too
SCRIPT = Path(__file__).with_name("static") / "tables.js"
_SCALE = {"": 1.0, "%": 1.0, "s": 1.0, "min": 60.0, "h": 3600.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}
_NUMBER = re.compile(r"(?:about |under |over )?[<>≤≥]?\s?([-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s?"
                     rf"({'|'.join(filter(None, _SCALE))})?")


class Cell(str):
    """The HTML of a cell that is sorted by something else than it says: a date, a figure with its interval.

    by  a number or words; None stays last, whichever way it is sorted
    """

    by: float | str | None

    def __new__(cls, shown: str, by: float | str | None) -> Cell:
        made = super().__new__(cls, shown)
        made.by = by
        return made


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[int] = (), raw: Iterable[int] = (),
          caption: str = "", most: int = 400, fixed: bool = False, search: bool = True) -> None:
    """A quiet table for up to some hundred lines; longer ones belong into `st.dataframe`.

    right  positions of columns set to the right (figures); raw  positions whose cells are HTML already (chips, marks)
    fixed  its order is its meaning (points of a score, names with their values): it neither sorts nor searches
    search  False where the page has a search of its own
    """
    draw(table_html(head, rows, right=right, raw=raw, caption=caption, most=most, fixed=fixed, search=search))


def table_html(head: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[int] = (),
               raw: Iterable[int] = (), caption: str = "", most: int = 400, fixed: bool = False,
               search: bool = True) -> str:
    """The HTML of `table`."""
    right, raw, rows = set(right), set(raw), list(rows)[:most]
    sorts = not fixed and len(rows) >= FEW
    side = [' class="m-right"' if place in right else "" for place in range(len(head))]
    top = "".join(f"<th{side[place]} scope='col'>{_sorting(each) if sorts and each else linked(each)}</th>"
                  for place, each in enumerate(head))
    body = "".join(f"<tr>{''.join(_cell(each, side[i], i in raw, sorts) for i, each in enumerate(row))}</tr>"
                   for row in rows)
    words = f"<caption>{linked(caption, 300)}</caption>" if caption else ""
    known = f' data-table="{zlib.crc32(repr((*head, caption)).encode()):08x}"' if sorts else ""
    return (f'<div class="m-table"{known}>{_search() if sorts and search and len(rows) >= MANY else ""}'
            f"<table>{words}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>")


def _sorting(title: str) -> str:
    """A heading that sorts; a term in it goes on opening its entry, with the button beside it."""
    shown = linked(title)
    if "<button" not in shown:
        return f'<button type="button" class="m-sort">{shown}</button>'
    return f'{shown}<button type="button" class="m-sort" aria-label="Sort by {html(title, 120)}"></button>'


def _search() -> str:
    return ('<div class="m-search"><input type="search" placeholder="Search this table" '
            'aria-label="Search this table" autocomplete="off" spellcheck="false">'
            '<span class="m-rows-left" role="status"></span></div>')


def _cell(said: object, side: str, is_html: bool, sorts: bool) -> str:
    by = key_of(said) if sorts else None
    known = "" if by is None else f' data-by="{html(by, 120)}"'
    return f"<td{side}{known}>{said if is_html else breakable(said)}</td>"


def key_of(said: object) -> float | str | None:
    """What a cell is sorted by where that is not simply what it says: a number behind "1,234", "12 %" or "about 3 min",
    what a `Cell` was given ("" of None); None where its words will do."""
    if isinstance(said, Cell):
        return "" if said.by is None else said.by
    if isinstance(said, int | float):
        return said
    found = _NUMBER.fullmatch(said.strip()) if isinstance(said, str) else None
    return float(found[1].replace(",", "").replace("−", "-")) * _SCALE[found[2] or ""] if found else None


@cache
def script() -> tuple[str, bytes]:
    """(address, content) of what sorts and searches; a sum of the content is in its name, so that it may be kept."""
    content = SCRIPT.read_bytes()
    return f"/static/tables.{sha256(content).hexdigest()[:12]}.js", content


def loaded() -> str:
    """HTML that has the browser load it, once a window."""
    return f'<script type="module" src="{script()[0]}"></script>'

