"""What a scan found, drawn: counts, files with their reasons, suspicions, columns."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from medml.types import Action, Column, FileEntry, Profile, Suspicion, Table, TableRef
from pages import _ui as ui

MOST_IN_HTML = 80  # columns beyond which the table is drawn by the grid that scrolls without cost
MOST_FILES = 200
KINDS = {"number": "Number", "category": "Category", "yes_no": "Yes / no", "date": "Date", "text": "Free text",
         "identifier": "Identifier", "empty": "Empty", "picture": "Picture"}
ACTIONS: dict[Action, tuple[str, str]] = {
    "read": ("Read", "teal"), "read_with_warning": ("Read, with a warning", "caution"), "skip": ("Skipped", "quiet"),
    "refuse": ("Refused", "stop"), "ignore": ("Not a table", "quiet")}
TABLES: tuple[Action, ...] = ("refuse", "read_with_warning", "read")  # the order of the list of files; others after

REMARKS = {
    "leak": "may give the outcome away", "outcome_proxy": "known too late?", "single_outcome": "one value, one outcome",
    "identifier": "names who it is", "row_order": "numbers the rows", "constant": "always the same",
    "one_class": "always the same", "rare_classes": "rare classes", "short_rows": "rows cut short",
    "empty": "empty", "mostly_missing": "often missing",
    "sentinel_missing": "codes for missing", "mixed_types": "words among numbers", "ambiguous_dates": "day or month?",
    "ambiguous_numbers": "comma unclear", "censored_values": "limits such as <5", "units_in_cells": "units in cells",
    "decimal_comma": "decimal comma", "graded_outcome": "grades from 0 up", "leading_zeros": "kept as text",
    "big_integers": "kept as text", "error_cells": "errors of Excel", "formulas_without_values": "formulas, no values"}
_RANK = {"stop": 0, "caution": 1, "note": 2}


def overview(profile: Profile) -> None:
    """What there is, in a few large counts."""
    one = profile.tables[0] if len(profile.tables) == 1 else None
    if one is not None and one.pictures is not None:
        rows = [("pictures", one.pictures.n)]
        ui.tiles(rows + ([("patients", one.repeats.n_patients)] if one.repeats else []))
        return
    read = sum(each.action in ("read", "read_with_warning") for each in profile.files)
    rows: list[tuple[str, object]] = [("file read" if read == 1 else "files read", read)]
    if one is None:
        rows += [("tables", len(profile.tables)), ("rows in all", sum(each.rows for each in profile.tables))]
    else:
        missing = sum(each.missing for each in one.columns) / max(1, one.rows * len(one.columns))
        rows += [("rows", one.rows), ("columns", len(one.columns)), _missing_tile(missing),
                 ("duplicate rows", one.duplicates)]
        if one.repeats:
            rows.append(("patients", one.repeats.n_patients))
    ui.tiles(rows)


def _missing_tile(share: float) -> tuple[str, str]:
    return ("of cells missing", ui.percent(share, 1)) if share else ("cells missing", "none")


def warnings(profile: Profile, table: Table | None) -> None:
    """What was noticed when the chosen table was read, or the only file; the others are in the list of files."""
    for each in profile.files:
        mine = table is not None and (each.path, each.sheet) == (table.ref.path, table.ref.sheet)
        if (mine or len(profile.files) == 1) and each.action in ("read_with_warning", "skip", "refuse"):
            ui.say("note", each.message or ACTIONS[each.action][0], about=[each.path])


def files(profile: Profile) -> None:
    """What became of every file, tables first; those that hold none are folded away. Nothing for a single file."""
    if len(profile.files) == 1:
        return
    counted = Counter(each.action for each in profile.files)
    words = "".join(ui.chip(f"{counted[action]:,} {ACTIONS[action][0].lower()}", ACTIONS[action][1])
                    for action in ACTIONS if counted[action])
    listed = sorted((each for each in profile.files if each.action in TABLES),
                    key=lambda each: TABLES.index(each.action))
    rest = [each for each in profile.files if each.action not in TABLES]
    with st.container(key="m_files", gap="small"):
        ui.section("Files")
        st.html(f"<p>{words}</p>")
        if listed:
            file_table(listed)
        if rest:
            with st.expander(f"{ui.count(len(rest), 'file')} without a table"):
                file_table(rest)


def file_table(entries: list[FileEntry]) -> None:
    """One line a file: what was done with it and why, in plain words."""
    rows = [(TableRef(path=each.path, sheet=each.sheet).label,
             ui.chip(*ACTIONS[each.action]), each.message or _size(each), ui.count(each.rows), ui.count(each.cols))
            for each in entries[:MOST_FILES]]
    more = f"The first {MOST_FILES} of {len(entries):,} files." if len(entries) > MOST_FILES else ""
    ui.table(("File", "Status", "What was found", "Rows", "Columns"), rows, right=(3, 4), raw=(1,), caption=more)


def _size(entry: FileEntry) -> str:
    return f"{entry.kind}, {ui.size(entry.bytes)}" if entry.bytes else entry.kind


def suspicions(table: Table) -> None:
    """What a reviewer would ask about, the gravest first; one remark names every column it holds for."""
    found = remarks(table)
    if not found:
        return
    ui.section("What to look at", "A reviewer would ask about these columns.")
    with st.container(key="m_suspicions", gap="small"):
        for names, each in found[:6]:
            ui.say(each.severity, each.what, each.fix, about=names)
        if len(found) > 6:
            with st.expander(ui.count(len(found) - 6, "more remark")):
                for names, each in found[6:60]:
                    ui.say(each.severity, each.what, each.fix, about=names)


def remarks(table: Table) -> list[tuple[list[str], Suspicion]]:
    """Suspicions with the columns they hold for, the gravest first."""
    together: dict[tuple[str, str, str], tuple[list[str], Suspicion]] = {}
    for column in table.columns:
        for each in column.suspicions:
            together.setdefault((each.severity, each.what, each.fix), ([], each))[0].append(column.name)
    return sorted(together.values(), key=lambda pair: _RANK[pair[1].severity])


def columns(table: Table) -> None:
    """Every column: kind, missing, distinct values, usual range, remarks."""
    ui.section("Columns", "Ranges are the 5th to 95th percentile. Groups of fewer than 10 rows are not named.")
    if len(table.columns) > MOST_IN_HTML:
        st.dataframe(_as_records(table), hide_index=True, height=560, width="stretch",
                     placeholder="–")
        return
    head = ("Column", "Kind", "Missing", "Distinct", "Usual range", "Remarks")
    rows = [(column.name, KINDS[column.kind], ui.Cell(_missing(column, table.rows), column.missing),
             ui.about(column.distinct, column.distinct_is_exact), _span_cell(column), _remarks(column))
            for column in table.columns]
    ui.table(head, rows, right=(3,), raw=(2, 5))


def _as_records(table: Table) -> list[dict[str, object]]:
    return [{"Column": ui.clean(each.name), "Kind": KINDS[each.kind], "Missing": each.missing,
             "Distinct": each.distinct, "Usual range": span(each),
             "Remarks": ", ".join(remark(one.code) for one in each.suspicions)} for each in table.columns]


def _missing(column: Column, rows: int) -> str:
    """A small bar with its share; the eye finds the column that is mostly empty."""
    doubtful = may_be_missing(column)
    if not column.missing:
        return f'<span class="m-quiet">{ui.html(doubtful or "none", 60)}</span>'
    share = column.missing / max(1, rows)
    more = f'<br><span class="m-quiet">{ui.html(doubtful, 60)}</span>' if doubtful else ""
    return (f'<span class="m-bar" title="{column.missing:,} of {rows:,} cells"><span style="width:{100 * share:.0f}%">'
            f"</span></span>{ui.percent(share, 1 if share < 0.1 else 0)}{more}")


def may_be_missing(column: Column) -> str:
    """"may be missing: 374 cells with 0", where the cleanup would take a value for a code; "" where there is none."""
    asked = next((each for each in column.suspicions if each.code == "sentinel_missing" and each.severity == "caution"),
                 None)
    if asked is None:
        return ""
    n, codes = asked.figures.get("rows"), ", ".join(column.sentinels[:2])
    return f"may be missing: {'some cells' if n is None else ui.count(int(n), 'cell')} with {codes}"


def _span_cell(column: Column) -> str:
    """Numbers are sorted by where they begin, categories by their words, empty columns last."""
    shown = span(column)
    return shown if column.low is None else ui.Cell(shown, column.low)


def span(column: Column) -> str:
    """The usual range of numbers and dates with its unit, or the most frequent categories."""
    if column.kind == "date" and column.low is not None and column.high is not None:
        return f"{_day(column.low)} to {_day(column.high)}"
    if column.low is not None and column.high is not None:
        return f"{ui.number(column.low)} to {ui.number(column.high)}{f' {column.unit}' if column.unit else ''}"
    shown = ", ".join(ui.clean(each.label, 24) for each in column.levels[:3])
    more = len(column.levels) + column.hidden_levels - 3
    return f"{shown} and {more:,} more" if shown and more > 0 else shown or "–"


def _day(days: float) -> str:
    from datetime import date, timedelta

    return f"{date(1970, 1, 1) + timedelta(days=round(days)):%Y-%m}"


def _remarks(column: Column) -> str:
    tones = {"stop": "stop", "caution": "caution", "note": "quiet"}
    return "".join(ui.chip(remark(each.code), tones[each.severity], f"{each.what} {each.fix}")
                   for each in column.suspicions[:3])


def remark(code: str) -> str:
    """A suspicion in two or three plain words."""
    return REMARKS.get(code, code.replace("_", " "))
