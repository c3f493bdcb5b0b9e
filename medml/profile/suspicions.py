"""What a reviewer would ask about a column on its own. No sentence quotes a cell; codes are those of the corpus."""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from medml.profile.evidence import Evidence
from medml.profile.kinds import ID_SHARE, Reading
from medml.profile.names import NAME_WORDS, outcome_weight, says
from medml.types import SMALL_GROUP, Suspicion

MOSTLY_MISSING = 0.4  # RIGOUR.md, M1
STRAY = 0.05  # share of cells of another sort that looks like a slip rather than a habit
ORDERED = 20  # distinct values from which an order of rows means something


def suspect(evidence: Evidence, reading: Reading, sentinel: np.ndarray, words: list[str]) -> list[Suspicion]:
    """Everything odd about one column by itself, the most serious first."""
    found = [each for look in (_empty, _constant, _identifier, _row_order, _missing, _dates)
             if (each := look(evidence, reading))]
    told = _sentinel(evidence, reading, sentinel, words)
    found += [told] if told else []
    found += [each for look in (_mixed, _strays, _censored, _units, _comma) if (each := look(evidence, reading))]
    return sorted(found, key=lambda each: ("stop", "caution", "note").index(each.severity))


def caution(code: str, what: str, fix: str, **figures: float) -> Suspicion:
    return Suspicion(code=code, severity="caution", what=what, fix=fix, figures=figures)


def note(code: str, what: str, fix: str, **figures: float) -> Suspicion:
    return Suspicion(code=code, severity="note", what=what, fix=fix, figures=figures)


def counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def counted_or_few(n: int, one: str, many: str) -> tuple[str, dict[str, float]]:
    """A count of cells that may have been measured, in words and as a figure: below k it is not told."""
    if n < SMALL_GROUP:
        return f"Fewer than {SMALL_GROUP} {many}", {}
    return counted(n, one, many), {"rows": n}


def listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " or " + items[-1]


def _empty(evidence: Evidence, reading: Reading) -> Suspicion | None:
    if reading.kind != "empty":
        return None
    return caution("empty", "Every cell of this column is empty.", "Leave it out; nothing is lost.")


def _constant(evidence: Evidence, reading: Reading) -> Suspicion | None:
    if evidence.distinct != 1 or not evidence.distinct_is_exact:
        return None
    if outcome_weight(evidence.name) and not evidence.missing:
        return caution("one_class", f"Every row has the same {evidence.name}, so there is nothing to learn from it.",
                       "Choose another outcome, or add rows with the other result.")
    return caution("constant", "Every row that has a value has the same one, so it tells patients apart in no way.",
                   "Leave it out; nothing is lost.")


def _identifier(evidence: Evidence, reading: Reading) -> Suspicion | None:
    if reading.kind != "identifier":
        return None
    if says(evidence.name, NAME_WORDS):
        return caution("identifier", "Its name says that it tells who somebody is or where they live.",
                       "Leave it out; it is never used to predict.")
    if evidence.unique_share > ID_SHARE:
        return note("identifier", "Nearly every row has a value of its own, so it names rows or persons.",
                    "It is never used to predict. If it names patients, choose it as the patient column.",
                    unique_share=round(evidence.unique_share, 2))
    return note("identifier", "It names persons, visits or files, and its values come back.",
                "It is never used to predict. If it names patients, choose it as the patient column.",
                unique_share=round(evidence.unique_share, 2))


def _row_order(evidence: Evidence, reading: Reading) -> Suspicion | None:
    """Numbers or dates that never fall (or never rise) from row to row (RIGOUR.md, L5)."""
    if reading.kind not in ("number", "date") or evidence.distinct <= ORDERED:
        return None
    numbers = in_order(evidence, reading)
    steps = np.diff(numbers[np.isfinite(numbers)])
    if len(steps) < ORDERED or not ((steps >= 0).all() or (steps <= 0).all()):
        return None
    return caution("row_order", "The rows are sorted by this column, as if it numbered them or marked time.",
                   "Ask how the file was put together. Leave the column out if it only says when a row was added.")


def in_order(evidence: Evidence, reading: Reading) -> np.ndarray:
    """The sample's cells as numbers in the order of the table, (n_sampled,) float64, NaN where none."""
    if reading.numbers is None or not len(evidence.values):
        return np.full(len(evidence.cells), np.nan)
    return evidence.cells.replace_strict(evidence.values, pl.Series(reading.numbers), default=None,
                                         return_dtype=pl.Float64).to_numpy()


def _missing(evidence: Evidence, reading: Reading) -> Suspicion | None:
    share = evidence.missing / evidence.rows if evidence.rows else 0.0
    if share <= MOSTLY_MISSING or reading.kind == "empty":
        return None
    return note("mostly_missing", f"{share:.0%} of the rows have no value here.",
                "Ask why: if sicker patients were measured more often, the gap itself tells the outcome.",
                share=round(share, 3))


def _dates(evidence: Evidence, reading: Reading) -> Suspicion | None:
    if not reading.ambiguous:
        return None
    return caution("ambiguous_dates", "Some dates could be read two ways. They were read with the day first.",
                   "Write dates as year-month-day and scan again, or check that the day comes first.")


def _sentinel(evidence: Evidence, reading: Reading, sentinel: np.ndarray, words: list[str]) -> Suspicion | None:
    if sentinel.any():
        n, shown = evidence.n_rows(sentinel), listed(sorted(f"{each:.15g}" for each in reading.numbers[sentinel]))
        said, figures = counted_or_few(n, "row holds", "rows hold")
        return caution("sentinel_missing", f"{said} {shown}, which looks like \"missing\".",
                       "The cleanup turns it into a missing value; switch that step off if it was measured.", **figures)
    if words and reading.kind != "empty":
        shown = listed([json.dumps(each, ensure_ascii=False) for each in words])
        return note("sentinel_missing", f"Cells with {shown} look like \"missing\". They were treated as missing.",
                    "Nothing to do, unless it is a finding of its own.")
    return None


def _mixed(evidence: Evidence, reading: Reading) -> Suspicion | None:
    n = evidence.odd + (evidence.n_rows(reading.unreadable) if reading.unreadable is not None else 0)
    if not n:
        return None
    what = "dates" if reading.kind == "date" else "numbers"
    verb = "is a word" if n == 1 else "are words"
    return caution("mixed_types", f"{n:,} of {evidence.known + evidence.odd:,} cells {verb} among {what}.",
                   f"They count as missing. Correct them in the file if they are {what}.", rows=n)


def _strays(evidence: Evidence, reading: Reading) -> Suspicion | None:
    """Numbers in a column of words: a sign of rows that are shifted by a column."""
    if reading.kind not in ("category", "text") or evidence.values.dtype != pl.String or reading.numbers is not None:
        return None
    is_number = evidence.values.str.contains(r"^[-+]?\d+(?:[.,]\d+)?$").to_numpy()
    n = evidence.n_rows(is_number)
    if not n or n > STRAY * evidence.known:
        return None
    return caution("mixed_types", f"{counted(n, 'cell is a number', 'cells are numbers')} among words.",
                   "Look whether rows of the file are shifted by a column.", rows=n)


def _censored(evidence: Evidence, reading: Reading) -> Suspicion | None:
    if reading.censored is None or not reading.censored.any():
        return None
    n = evidence.n_rows(reading.censored)
    limits, figures = counted_or_few(n, "cell is a limit", "cells are limits")
    return note("censored_values", f"{limits} of the laboratory (less than, or more than).",
                "They are read as the limit itself.", **figures)


def _units(evidence: Evidence, reading: Reading) -> Suspicion | None:
    if reading.units is None or not reading.units.any():
        return None
    n = evidence.n_rows(reading.units)
    return note("units_in_cells", f"{counted(n, 'cell holds', 'cells hold')} a unit beside the number.",
                "The number is read and the unit is dropped; check that all cells use the same one.", rows=n)


def _comma(evidence: Evidence, reading: Reading) -> Suspicion | None:
    if not reading.decimal_comma:
        return None
    return note("decimal_comma", "A comma stands before its decimals.",
                "Nothing to do; check the range if numbers look a thousand times too large.")
