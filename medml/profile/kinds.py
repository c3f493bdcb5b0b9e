"""What sort of thing a column holds, judged by its values first and its name second."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from medml.data.values import read_booleans, read_dates, read_numbers
from medml.profile.evidence import Evidence
from medml.profile.names import (
    CODED_WORDS,
    COUNT_WORDS,
    FILE_WORDS,
    NAME_WORDS,
    PERSON_WORDS,
    SEX_NAMES,
    VISIT_WORDS,
    is_age,
    lists_codes,
    looks_like_id,
    outcome_weight,
    says,
    unit_of,
    words,
)
from medml.types import Kind

READABLE = 0.5  # share of rows that must read as numbers or dates; the rest is mentioned
FEW_CODES = 5  # whole numbers with at most this many values are codes, unless the name counts something
GAPPED_CODES = 10  # or this many, where numbers are left out in between (3, 6, 7)
ID_SHARE = 0.95  # distinct values by rows, above which a column is id-like (RIGOUR.md, L5)
REGISTER = 1_000_000  # numbers of one length from here on number people; platelets stay below
FEWEST_ROWS = 20  # below this nothing is called an identifier by its values alone
MOST_SPELLINGS = 8  # ways of writing yes and no in one column: "Y", "y", "TRUE", "1" ...
CODE = r"^[A-Za-z]{1,3}[\d.\-]{1,8}$"
ICD_9 = r"^(?:[Vv]\d\d(?:\.\d{1,2})?|[Ee][89]\d\d(?:\.\d)?)$"  # no measurement is written so
LONG_TEXT = 40  # characters on average


@dataclass(frozen=True, slots=True)
class Reading:
    """A column understood: its kind, and its values as numbers where they are.

    numbers     (len(evidence.values),) float64, NaN where a value is none; dates as days since 1970-01-01
    """

    kind: Kind
    numbers: np.ndarray | None = None
    unit: str | None = None
    unreadable: np.ndarray | None = None  # (len(values),) bool: values that are neither a number nor a date
    censored: np.ndarray | None = None  # (len(values),) bool: "<0.01"
    units: np.ndarray | None = None  # (len(values),) bool: "10 mg"
    decimal_comma: bool = False
    ambiguous: bool = False  # dates that could be read two ways


def read(evidence: Evidence, *, rated: bool = False) -> Reading:
    """Decide what a column is.

    A column of numbers with a few words among them is a number; one of two values is yes/no where they are 0 and 1 or
    words for it, else a category; whole numbers with very few values are codes of a category, unless they are grades
    on a scale that other columns share (`rated`).
    """
    values = evidence.values
    if not len(values):
        return Reading("empty")
    if values.dtype == pl.Boolean:
        return Reading("yes_no")
    if values.dtype.is_temporal():
        return Reading("date", days(values))
    if values.dtype.is_numeric():
        return _of_numbers(evidence, Reading("number", values.cast(pl.Float64).to_numpy()), rated)
    return _of_text(evidence, rated)


def _of_text(evidence: Evidence, rated: bool) -> Reading:
    if len(evidence.values) <= MOST_SPELLINGS and read_booleans(evidence.values).readable == 1:
        return Reading("yes_no")
    found = read_numbers(evidence.values)
    numbers = found.values.to_numpy()
    unreadable = np.isnan(numbers)
    if evidence.counts[~unreadable].sum() > READABLE * evidence.counts.sum() and not is_code_list(evidence, unreadable):
        marked = evidence.values.str.contains(r"^\s*[<>≤≥]").to_numpy() & ~unreadable
        lettered = evidence.values.str.contains(r"\p{L}|[°%]").to_numpy() & ~unreadable & ~exponent(evidence.values)
        return _of_numbers(evidence, Reading("number", numbers, found.unit, unreadable, marked, lettered,
                                             found.decimal_comma), rated)
    dates = read_dates(evidence.values)
    moments = days(dates.values)
    unreadable = np.isnan(moments)
    if evidence.counts[~unreadable].sum() > READABLE * evidence.counts.sum():
        return Reading("date", moments, unreadable=unreadable, ambiguous=dates.n_ambiguous > 0)
    return Reading(_words(evidence))


def _of_numbers(evidence: Evidence, reading: Reading, rated: bool) -> Reading:
    numbers = reading.numbers
    known = numbers[np.isfinite(numbers)]
    whole = bool((known == np.round(known)).all())
    kind: Kind = "number"
    if whole and is_identifier(evidence, known):
        kind = "identifier"
    elif known.size <= 2 and set(known.tolist()) <= {0.0, 1.0}:
        kind = "category" if says(evidence.name, SEX_NAMES) else "yes_no"
    elif reading.unit is None and lists_codes(evidence.name):
        kind = "category"
    elif whole and not rated and reading.unit is None and is_coded(evidence.name, np.unique(known)):
        kind = "category"
    unit = reading.unit or unit_of(evidence.name)
    return replace(reading, kind=kind, unit=unit)


def is_coded(name: str, levels: np.ndarray) -> bool:
    """True for whole numbers that name groups (1-4 for a kind of pain; 3, 6, 7) rather than measure something."""
    if is_age(name) or len(levels) < 2 or np.abs(levels).max() > 100:
        return False
    named_code = looks_like_id(name) or bool(outcome_weight(name))
    if says(name, COUNT_WORDS) and len(words(name)) > 1 and not outcome_weight(name):
        return False  # "num_procedures"
    gapped = levels[-1] - levels[0] + 1 > len(levels)
    most = 30 if named_code else GAPPED_CODES if gapped and levels[-1] <= 20 else FEW_CODES
    return len(levels) <= most


def is_code_list(evidence: Evidence, unreadable: np.ndarray) -> bool:
    """True where some of the values that are no numbers are codes such as V57 or E909: a list of codes (ICD-9).

    One is enough where the column's name says that it holds codes, or where nothing else is among the numbers.
    """
    odd = evidence.values.filter(pl.Series(unreadable))
    n = int(odd.str.contains(CODE).sum())
    return n >= FEW_CODES or n > 0 and (says(evidence.name, CODED_WORDS) is not None
                                        or bool(odd.str.contains(ICD_9).all()))


def is_identifier(evidence: Evidence, numbers: np.ndarray | None = None) -> bool:
    """True for a column that names rows or persons: by a name and many values, or by values that hardly repeat."""
    name, share = evidence.name, evidence.unique_share
    person = says(name, PERSON_WORDS) is not None
    named = looks_like_id(name) or person or says(name, NAME_WORDS) is not None or says(name, FILE_WORDS) is not None
    if named and evidence.distinct > GAPPED_CODES and (share > 0.5 or evidence.distinct > 100 and share > 0.05):
        return True
    if named and person and share < 1 and evidence.distinct > GAPPED_CODES and evidence.known >= 2 * evidence.distinct:
        return says(name, VISIT_WORDS) is None or looks_like_id(name)
    if share <= ID_SHARE or evidence.known < FEWEST_ROWS or is_age(name):
        return False
    if numbers is None:
        return True
    same_length = len({len(f"{each:.0f}") for each in (numbers.min(), numbers.max())}) == 1
    return counts_rows(evidence.cells) or same_length and float(numbers.min()) >= REGISTER


def counts_rows(cells: pl.Series) -> bool:
    """True where whole numbers only ever rise, or only ever fall, from row to row."""
    steps = cells.drop_nulls().cast(pl.Float64, strict=False).drop_nulls().diff().drop_nulls()
    return len(steps) > 0 and bool((steps > 0).all() or (steps < 0).all())


def _words(evidence: Evidence) -> Kind:
    """A column of words: free text, identifier or category."""
    lengths = evidence.values.str.len_chars().to_numpy()
    blanks = evidence.values.str.count_matches(r"\s").to_numpy()
    long = float(np.average(lengths, weights=evidence.counts)) > LONG_TEXT
    if long and evidence.distinct > FEW_CODES and float(np.average(blanks, weights=evidence.counts)) >= 3:
        return "text"
    if is_identifier(evidence):
        return "text" if float(np.average(blanks, weights=evidence.counts)) >= 3 else "identifier"
    if evidence.distinct > 50 and evidence.unique_share > 0.5:
        return "text" if float(np.average(blanks, weights=evidence.counts)) >= 1 else "identifier"
    return "category"


def exponent(values: pl.Series) -> np.ndarray:
    """True where a text is a number with an exponent, whose "e" is no unit."""
    return values.str.contains(r"^\s*[-+]?[\d.,]+[eE][-+]?\d+\s*$").to_numpy()


def days(values: pl.Series) -> np.ndarray:
    """Dates or times as days since 1970-01-01, NaN where missing."""
    if values.dtype == pl.Date:
        return values.cast(pl.Int32).cast(pl.Float64).fill_null(np.nan).to_numpy()
    if values.dtype == pl.Datetime:
        return (values.dt.epoch("s").cast(pl.Float64) / 86400).fill_null(np.nan).to_numpy()
    return np.full(len(values), np.nan)
