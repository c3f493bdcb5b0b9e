"""What the cells of a table tell about it: mixed types, sentinels, limits, units, two-way dates, small groups."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from medml.data.notes import Note
from medml.data.source import TableSource
from medml.data.values import (
    Numbers,
    is_numeric,
    missing_words,
    numeric_sentinels,
    present,
    read_booleans,
    read_dates,
    read_numbers,
    rows_per_value,
)
from medml.types import SMALL_GROUP

BESIDE = 2  # columns looked at at once
MOST_CELLS = 400_000  # looked at; larger tables are judged by their first rows here, and whole by the profile
LEAST_ROWS = 2_000
MOST_BYTES = 48 << 20  # of text, however few the cells: looking takes about six times this memory
PATIENT_NAME = re.compile(
    r"^(?:patient|pat|person|subject|subj|participant|mrn|pid|nhs|proband|pt)[ _\-.]?(?:id|nr|nbr|no|num|number|key"
    r"|code|uid|identifier|hash)?$|^case[ _\-.]?(?:id|nr|no|number)$|^id[ _\-.]?(?:patient|pat|subject|person)$",
    re.IGNORECASE)
OUTCOME_NAME = re.compile(
    r"outcome|target|label|^class$|^y$|died|death|dead|mortality|surviv|event|status|diagnosis|disease|response|relapse"
    r"|recur|readmi|complication|result", re.IGNORECASE)
_CLEAN = r"^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?$"
_MARKUP = r"(?i)<\s*(?:script|img|iframe|svg|a|object|embed|link|style)\b|!\[[^\]]*\]\(|\]\(\s*(?:javascript|https?):"
_ORDERS = (r"(?i)ignore (?:all |any |the )?(?:previous|prior|above)|^\s*(?:system|assistant)\s*:"
           r"|disregard .{0,20}instructions")


@dataclass(frozen=True, slots=True)
class Look:
    """What one text column turned out to be; figures in cells."""

    column: str
    n: int  # cells present
    numbers: Numbers | None = None
    words: int = 0  # cells holding a word for "missing"
    longest_word: str = ""
    sentinels: tuple[float, ...] = ()
    n_sentinels: int = 0


def content_notes(table: TableSource) -> list[Note]:
    """Notes on the cells of a table that has just been opened; costs at most about a second.

    A table of more than 400,000 cells or 48 MiB is judged by its first rows. No note quotes a cell, but for words and
    numbers that stand for "missing", and the one class that every row has.
    """
    rows = table.rows_within(MOST_BYTES, most=max(LEAST_ROWS, MOST_CELLS // max(1, len(table.columns))))
    frame = table.frame(n_rows=rows)
    whole = table.rows is not None and table.rows <= rows
    notes = _shape(table) + _names(table) + _repeats(table, frame)
    notes += _one_class(frame) if whole else []
    with ThreadPoolExecutor(BESIDE) as beside:  # most of it is Polars' work, which leaves Python's lock
        looks = [look for look in beside.map(_looker(frame), frame.columns) if look is not None]
        notes += _missing(looks)
        for look in looks:
            notes += _number_notes(look, frame)
        for found in beside.map(lambda name: _text_notes(frame[name], whole), _texts(frame, looks)):
            notes += found
    return notes + _extremes(frame, looks)


def _shape(table: TableSource) -> list[Note]:
    n, rows = len(table.columns), table.rows or 0
    if n <= rows:
        return []
    only = f"{rows:,} row" if rows == 1 else f"{rows:,} rows"
    return [Note("more_columns_than_rows", f"{n:,} columns but only {only}: results would not be trustworthy.",
                 {"columns": n, "rows": rows})]


def _names(table: TableSource) -> list[Note]:
    names = pl.Series(table.columns, dtype=pl.String)
    notes = []
    if names.str.contains(_MARKUP).any():
        notes.append(Note("markup", "Names of columns hold HTML or Markdown; they are shown as plain text."))
    if names.str.contains(_ORDERS).any():
        notes.append(Note("prompt_injection",
                          "Names of columns hold orders to a language model; they are not followed."))
    return notes


def _repeats(table: TableSource, frame: pl.DataFrame) -> list[Note]:
    """Patients with several rows, where a column's name says that it holds patients."""
    notes = []
    for name in table.columns:
        if not PATIENT_NAME.match(name):
            continue
        column = present(frame[name]).drop_nulls()
        n = column.n_unique()
        if n >= 3 and len(column) >= 1.02 * n and len(column) >= 0.5 * frame.height:
            notes.append(Note("repeated_subjects", f'Patients repeat in column "{name}" (about {len(column) / n:.1f} '
                              "rows each), so the split will be by patient.",
                              {"rows": len(column), "patients": n}, name))
    return notes


def _one_class(frame: pl.DataFrame) -> list[Note]:
    for name in frame.columns:
        if not OUTCOME_NAME.search(name):
            continue
        column = present(frame[name].cast(pl.String, strict=False)).drop_nulls()
        if len(column) and column.n_unique() == 1:
            shown = column[0] if len(column) >= SMALL_GROUP and len(column[0]) <= 40 else "of one kind"
            return [Note("one_class", f"Every row has {name} {shown}, so there is nothing to learn.", {}, name)]
    return []


def _looker(frame: pl.DataFrame) -> Callable[[str], Look | None]:
    """Looks at a column, by its name. Clean numbers, by far the commonest, are told apart in one pass over all."""
    clean = _clean(frame)

    def look(name: str) -> Look | None:
        if name not in clean:
            return _text_look(frame[name]) if frame.schema[name] == pl.String else None
        values = clean[name]
        found, n = numeric_sentinels(values), len(values) - values.null_count()
        return Look(name, n, Numbers(values, 1.0), sentinels=tuple(found), n_sentinels=sum(found.values()))
    return look


def _clean(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """The columns that hold clean numbers alone, as Float64."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    good = []
    if texts:
        rule = pl.col(texts).str.contains(_CLEAN).all() & pl.col(texts).is_not_null().any()
        row = frame.select(rule).row(0)
        good = [name for name, each in zip(texts, row, strict=True) if each]
    numeric = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    chosen = frame.select(pl.col(good + numeric).cast(pl.Float64))
    return {name: chosen[name] for name in chosen.columns}


def _text_look(column: pl.Series) -> Look:
    words = missing_words(column)
    longest = max((word for word in words), key=lambda word: (sum(map(str.isalpha, word)), len(word)), default="")
    if read_booleans(column).readable == 1.0:
        return Look(column.name, len(column) - column.null_count(), None, sum(words.values()), longest)
    numbers = read_numbers(column)
    known = is_numeric(numbers, at_least=0.5)
    found = numeric_sentinels(numbers.values) if known else {}
    return Look(column.name, len(column) - numbers.n_missing, numbers, sum(words.values()), longest, tuple(found),
                sum(found.values()))


def _missing(looks: list[Look]) -> list[Note]:
    """Words and numbers that stand for "missing", over all columns."""
    numbers = sorted({value for look in looks for value in look.sentinels})
    words = [look.longest_word for look in looks if look.words]
    if not numbers and not words:
        return []
    word = max(words, key=lambda each: (sum(map(str.isalpha, each)), len(each)), default="")
    first = f"{numbers[0]:.0f}" if numbers and numbers[0] < 0 else f"{numbers[-1]:.0f}" if numbers else ""
    shown = " and ".join(part for part in (first, f'"{word}"' if word else "") if part)
    cells = sum(look.words + look.n_sentinels for look in looks)
    columns = sum(1 for look in looks if look.words or look.sentinels)
    return [Note("sentinel_missing", f'Values such as {shown} look like "missing". They were treated as missing; '
                 "you can change this.", {"cells": cells, "columns": columns})]


def _number_notes(look: Look, frame: pl.DataFrame) -> list[Note]:
    """What is odd about the numbers of one text column."""
    numbers, name = look.numbers, look.column
    if numbers is None or not look.n:
        return []
    if numbers.stays_text == "leading_zeros":
        return [Note("leading_zeros", f'Column "{name}" holds digits with leading zeros; it stays text.', {}, name)]
    if numbers.stays_text or numbers.readable < 0.3:
        return []
    if not is_numeric(numbers):
        return _mixed(look, frame[name])
    notes = []
    for code, n, words in (
            ("censored_values", numbers.n_censored, "hold a limit such as < or >; the limit itself is taken"),
            ("units_in_cells", numbers.n_units, f"carry the unit {numbers.unit}; the number alone is taken"),
            ("ambiguous_numbers", numbers.n_ambiguous, "could be read two ways; the comma was read as grouping digits"),
            ("unreadable_cells", numbers.n_unreadable, "are no numbers and are taken as missing")):
        if n:
            notes.append(Note(code, f'{n:,} cells of column "{name}" {words}.', {"cells": n}, name))
    if numbers.decimal_comma:
        notes.append(Note("decimal_comma", f'Column "{name}" is written with decimal commas.', {}, name))
    return notes


def _mixed(look: Look, column: pl.Series) -> list[Note]:
    """Numbers and words in one column; codes such as C50 beside 250 are no mixture."""
    numbers, name = look.numbers, look.column
    odd = numbers.n_unreadable
    if numbers.n_codes >= 0.8 * odd or read_dates(column).readable > 0.5:
        return []
    return [Note("mixed_types", f'Column "{name}" mixes numbers and words ({odd:,} of {look.n:,} cells are words).',
                 {"numbers": look.n - odd, "texts": odd}, name)]


def _texts(frame: pl.DataFrame, looks: list[Look]) -> list[str]:
    """Text columns that are not numbers."""
    numeric = {look.column for look in looks if look.numbers is not None and look.numbers.readable >= 0.3
               and look.numbers.n_codes < 0.8 * max(1, look.numbers.n_unreadable)}
    return [name for name, kind in frame.schema.items() if kind == pl.String and name not in numeric]


def _text_notes(column: pl.Series, whole: bool) -> list[Note]:
    name, notes = column.name, []
    if column.str.contains(_MARKUP).any():
        notes.append(Note("markup", f'Cells of column "{name}" hold HTML or Markdown; they are shown as plain text.',
                          {}, name))
    if column.str.contains(_ORDERS).any():
        notes.append(Note("prompt_injection", f'Cells of column "{name}" hold orders to a language model; they '
                          "are not followed.", {}, name))
    yes_no = read_booleans(column)
    if yes_no.readable == 1.0:
        if yes_no.n_spellings > 2:
            notes.append(Note("booleans", f'Column "{name}" writes yes and no in {yes_no.n_spellings} ways; they are '
                              "read as one.", {"ways": yes_no.n_spellings}, name))
        return notes
    dates = read_dates(column)
    if dates.readable >= 0.5:
        if dates.n_ambiguous:
            notes.append(Note("ambiguous_dates", "Some dates could be read two ways. Choose day first or month first.",
                              {"cells": dates.n_ambiguous}, name))
        if dates.n_short:
            notes.append(Note("short_years", f'Years of two digits in column "{name}" were read as 1950 to 2049.',
                              {"cells": dates.n_short}, name))
        return notes
    return notes + (_small_groups(column) if whole else [])


def _small_groups(column: pl.Series) -> list[Note]:
    """A category column with groups below k beside larger ones; which they are is told nowhere."""
    text = present(column).drop_nulls()
    if text.is_empty() or text.n_unique() > max(20, 0.05 * len(text)):
        return []
    counts = rows_per_value(text).values()
    if min(counts) >= SMALL_GROUP or max(counts) < SMALL_GROUP:
        return []
    return [Note("small_cells", f'Column "{column.name}" has groups of fewer than {SMALL_GROUP}; they are never shown '
                 "by name.", {}, column.name)]


def _extremes(frame: pl.DataFrame, looks: list[Look]) -> list[Note]:
    """Numbers so far out that they could point at a person (5 interquartile ranges; fewer than k cells)."""
    values = {look.column: look.numbers.values for look in looks if look.numbers is not None and
              is_numeric(look.numbers) and look.n >= 20 and not look.sentinels}
    if not values:
        return []
    table = pl.DataFrame(list(values.values()))
    low, high = table.quantile(0.25), table.quantile(0.75)
    notes = []
    for name in table.columns:
        q1, q3 = low[name][0], high[name][0]
        if q1 is None or q3 <= q1:
            continue
        far = int(((table[name] > q3 + 5 * (q3 - q1)) | (table[name] < q1 - 5 * (q3 - q1))).sum())
        if 0 < far < SMALL_GROUP:
            notes.append(Note("extreme_values", f'Column "{name}" has a few values far from all others; they are '
                              "never shown exactly.", {}, name))
    return notes
