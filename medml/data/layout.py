"""Where in a grid of cells the table is: lines above it, header, a row of units, a footer."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from medml.data.missing import MISSING_WORDS
from medml.data.notes import Note, count_words
from medml.data.numbers import UNITS

Row = list[str]
_NUMBER = re.compile(r"^[<>≤≥]?\s*[+-]?(\d[\d.,' ]*|[.,]\d+)([eE][+-]?\d+)?\s*%?$")
_TOTAL = re.compile(r"^(?:(?:grand |sub)?totals?|sums?|means?|averages?|medians?|summe|gesamt)\s*:?$", re.IGNORECASE)
_FOOTER = re.compile(
    r"^(grand |sub)?(total|sum|mean|average|median|std|count|summe|gesamt|moyenne)s?\b"
    r"|^(generated|printed|exported|created|source|note|footnote|legend|end of|report|page|confidential)\b|^[©*]",
    re.IGNORECASE)
MOST_FOOTER_ROWS = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """Row numbers count from 0 in the rows looked at. `header` is None where the table has no row of names."""

    width: int
    header: int | None
    first: int  # first row of data
    names: list[str]
    units: dict[str, str] = field(default_factory=dict)
    row_names: bool = False  # rows carry one field more than the header: a column of row names
    grouped: bool = False  # the names stand in two lines, the upper one over groups of columns


def blank(row: Row) -> bool:
    return not any(cell.strip() for cell in row)


def find_layout(rows: list[Row]) -> Layout | None:
    """The table in the first rows of a file (at most some hundred); None where no table can be made out."""
    widths = Counter(len(row) for row in rows if not blank(row))
    if not widths:
        return None
    width = max(widths, key=lambda n: (widths[n] * (1 if n > 1 else 0.5), n))
    start = _first_full(rows, width)
    if start is None:
        return None
    body = [row for row in rows[start + 1:] if not blank(row)][:200]
    if _is_data(rows[start], body):
        return Layout(width, None, start, [f"column {n + 1}" for n in range(width)])
    header, upper = rows[start], _line_of_groups(rows, start, body)
    if upper is not None:
        header, body = _under_groups(rows[upper], rows[upper + 1]), body[upper + 1 - start:]
        start = upper + 1
    width = _without_bare_end(header, body, width)
    row_names = len(header) == width - 1 and width > 2 and all(len(row) == width for row in body)
    names = (["row"] if row_names else []) + header
    first = start + 1
    while first < len(rows) and blank(rows[first]):
        first += 1
    units = _units(rows[first], rows[first + 1:], names) if first < len(rows) else {}
    if "".join(names[width:]).strip():
        width = len(names)  # more names than values: the columns without values are kept
    return Layout(width, start, first + bool(units), names, units, row_names, upper is not None)


def _line_of_groups(rows: list[Row], start: int, body: list[Row]) -> int | None:
    """The upper one of two lines of names, as cells that were merged leave them: "Person", "", "Laboratory", "" over
    "age", "sex", "crp", "hb". It may be the row taken for the header, or the one above; None where there is one line.
    """
    if body and body[0] is rows[start + 1] and _has_holes(rows[start], body[0]) and _names_values(body[0], body[1:]) \
            and not _units(body[0], body[1:], rows[start]):
        return start
    if start and _has_holes(rows[start], rows[start - 1]) and not any(map(is_number, rows[start - 1])):
        filled = [n for n, cell in enumerate(rows[start - 1]) if cell.strip()]
        holes = [n for n, cell in enumerate(rows[start]) if not cell.strip()]
        return start - 1 if len(filled) > 1 and set(holes) <= set(filled) else None
    return None


def _has_holes(row: Row, other: Row) -> bool:
    """Whether another row has a word where this one has nothing."""
    return len(row) == len(other) and any(mine.strip() == "" != its.strip() for mine, its in zip(row, other,
                                                                                                 strict=True))


def _names_values(row: Row, body: list[Row]) -> bool:
    """Whether a row can only be names: words, one of them over numbers at least, and none that comes back below."""
    filled = {n: cell.strip() for n, cell in enumerate(row) if cell.strip()}
    below = {n: [each[n].strip() for each in body if n < len(each) and not is_missing_word(each[n])] for n in filled}
    over_numbers = any(len(cells) > 1 and sum(map(is_number, cells)) >= 0.9 * len(cells) for cells in below.values())
    return over_numbers and not any(is_number(cell) or is_missing_word(cell) or cell in below[n]
                                    for n, cell in filled.items())


def _under_groups(upper: Row, lower: Row) -> Row:
    """One name a column: the lower line's, the upper one's where it has none, both where it comes more than once."""
    groups, group = [], ""
    for cell in upper:
        group = cell.strip() or group
        groups.append(group)
    often = Counter(cell.strip() for cell in lower)
    return [above if not name.strip() else f"{group} {name.strip()}" if often[name.strip()] > 1 else name
            for above, group, name in zip(upper, groups, lower, strict=True)]


def _without_bare_end(header: Row, body: list[Row], width: int) -> int:
    """The width without columns at the right that have neither name nor value (a separator at the end of each line)."""
    while width > 1 and body and not any("".join(row[width - 1:]).strip() for row in [header, *body]):
        width -= 1
    return width


def _first_full(rows: list[Row], width: int) -> int | None:
    """The first row that could be the header: about as wide as the table and at least half filled."""
    for n, row in enumerate(rows):
        filled = sum(1 for cell in row if cell.strip())
        if len(row) >= width - 1 and filled >= max(1, (width + 1) // 2) and (len(row) > 1 or width == 1):
            return n
    return None


def _is_data(row: Row, body: list[Row]) -> bool:
    """Whether the first row is already data: numbers stand where the column below holds numbers, names nowhere."""
    if all(is_number(cell) for cell in row if cell.strip()):
        return len(row) > 1 or not body or all(is_number(each[0]) for each in body[:20])
    number = False
    for n, cell in enumerate(row):
        below = [each[n] for each in body if n < len(each) and not is_missing_word(each[n])]
        if below and sum(map(is_number, below)) >= 0.9 * len(below) and not is_missing_word(cell):
            if not is_number(cell):
                return False  # one name is enough: the other columns are not looked at
            number = True
    return number and len(body) > 1


def is_number(cell: str) -> bool:
    return bool(_NUMBER.match(cell.strip()))


def is_missing_word(cell: str) -> bool:
    return cell.strip().lower() in MISSING_WORDS


def _units(row: Row, body: list[Row], names: list[str]) -> dict[str, str]:
    """Units by column name where the row under the header holds units alone; empty where it is data."""
    filled = {n: cell.strip() for n, cell in enumerate(row) if cell.strip()}
    if not filled or any(n >= len(names) or not _is_unit(cell) for n, cell in filled.items()):
        return {}
    numeric = 0
    for n in filled:
        below = [each[n] for each in body[:100] if n < len(each) and not is_missing_word(each[n])]
        numeric += bool(below) and sum(map(is_number, below)) >= 0.8 * len(below)
    return {names[n].strip(): cell.strip("()[] ") for n, cell in filled.items()} if numeric == len(filled) else {}


def _is_unit(cell: str) -> bool:
    plain = cell.lower().strip("()[] .").replace("μ", "µ")
    return plain in UNITS or bool(re.fullmatch(r"[a-zµ%°]{1,6}(/[a-z0-9.^²]{1,8})+", plain))


def footer_size(last: list[Row], width: int) -> int:
    """How many of the last rows (blank ones between them too) are a total, a source line or the like, not cases."""
    n, size = 0, 0
    for row in reversed(last[-MOST_FOOTER_ROWS:]):
        n += 1
        if blank(row):
            continue
        if not _is_footer(row, width):
            break
        size = n
    return size


def _is_footer(row: Row, width: int) -> bool:
    filled = [cell.strip() for cell in row if cell.strip()]
    if width < 2 or is_number(filled[0]):
        return False
    if _TOTAL.match(filled[0]):
        return True
    if _FOOTER.match(filled[0]) and len(filled) <= max(1, (width + 1) // 2):
        return True
    return len(filled) == 1 and width >= 3 and bool(row[0].strip()) and " " in filled[0]


def column_names(raw: list[str], width: int) -> tuple[list[str], list[Note]]:
    """Names that are unique and not empty, and notes on what had to be changed."""
    plain = [_without_marks(re.sub(r"[\s\x00-\x1f]+", " ", name).strip()) for name in raw[:width]]
    plain += [""] * (width - len(raw))
    unnamed = [n for n, name in enumerate(plain) if not name]
    taken, counts, names = set(plain), Counter(plain), []
    seen: Counter[str] = Counter()
    for n, name in enumerate(plain):
        name = name or f"column {n + 1}"
        seen[name] += 1
        fresh, number = name, seen[name]
        while number > 1 and (fresh := f"{name} ({number})") in taken:
            number += 1
        names.append(fresh)
        taken.add(fresh)
    return names, _name_notes([name for name in counts if name and counts[name] > 1], counts, len(unnamed))


def _without_marks(name: str) -> str:
    """`^x$` is read by Polars as "every column whose name looks so" and `*` as all of them, wherever a column is asked
    for by its name; the latter has no name here."""
    while len(name) > 1 and name[0] == "^" and name[-1] == "$":
        name = name[1:-1].strip()
    return "" if name == "*" else name


def _name_notes(repeated: list[str], counts: Counter[str], n_unnamed: int) -> list[Note]:
    notes = []
    if repeated:
        name = repeated[0]
        how_many = count_words(counts[name], "column is", "columns are", capital=True)
        numbered = ", ".join([name] + [f"{name} ({n})" for n in range(2, min(counts[name], 5) + 1)])
        more = f" {count_words(len(repeated) - 1, 'other name', 'other names', capital=True)} likewise." \
            if len(repeated) > 1 else ""
        notes.append(Note("duplicate_columns", f'{how_many} all called "{name}". They were numbered {numbered}.{more}',
                          {"names": len(repeated)}))
    if n_unnamed:
        how_many = count_words(n_unnamed, "column has", "columns have", capital=True)
        notes.append(Note("unnamed_columns", f"{how_many} no name and were called by their place.",
                          {"columns": n_unnamed}))
    return notes


def layout_notes(layout: Layout, lines_above: int) -> list[Note]:
    """What was left out above the data, and names that had to be made up."""
    notes = []
    lines_above -= layout.grouped  # that line is told by itself
    if lines_above or layout.units:
        parts = [count_words(lines_above, "line above the table", "lines above the table")] if lines_above else []
        parts += ["one row of units"] if layout.units else []
        text = " and ".join(parts) + (" was left out." if len(parts) == 1 and lines_above <= 1 else " were left out.")
        notes.append(Note("preamble" if lines_above else "units_row", text[:1].upper() + text[1:],
                          {"lines": lines_above, "units": len(layout.units)}))
    if layout.header is None:
        notes.append(Note("no_header",
                          "The first row holds data, not names, so the columns were called by their place."))
    if layout.grouped:
        notes.append(Note("two_lines_of_names", "The names stand in two lines, groups above; the lower line was used, "
                          "and the upper one where it has no name or the same one twice."))
    if layout.row_names:
        notes.append(Note("row_names",
                          'The rows have one field more than the header; the first column was called "row".'))
    return notes
