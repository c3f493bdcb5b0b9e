"""One column as aggregates: what may be stored of it, and what a reviewer would ask about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from medml import privacy
from medml.data.values import read_booleans
from medml.profile import sentinels
from medml.profile.evidence import Evidence
from medml.profile.kinds import Reading, read
from medml.profile.names import is_age
from medml.profile.suspicions import suspect
from medml.types import Column

LONGEST_LABEL = 120  # characters of a category's name that are kept


@dataclass(frozen=True, slots=True)
class Seen:
    """A column while its table is being scanned: evidence and reading, not to be stored, beside what is."""

    evidence: Evidence
    reading: Reading
    sentinel: np.ndarray  # (len(evidence.values),) bool: values that stand for "missing"
    words: list[str]  # words for "missing" that occur
    column: Column


def describe(evidence: Evidence, words: list[str], k: int, *, rated: bool = False) -> Seen:
    """Read one column and keep what may be kept of it. `rated`: it shares a scale of grades with other columns."""
    reading = read(evidence, rated=rated)
    sentinel = np.zeros(len(evidence.values), dtype=bool)
    if reading.kind == "number":
        sentinel = sentinels.stand_for_missing(evidence.name, reading.numbers, evidence.counts)
    figures = spread(evidence, reading, sentinel, k)
    named = privacy.suppress(levels(evidence, reading), k)
    column = Column(
        name=evidence.name, kind=reading.kind, unit=reading.unit, missing=evidence.missing,
        distinct=evidence.distinct, distinct_is_exact=evidence.distinct_is_exact,
        low=figures.low, median=figures.median, high=figures.high, high_is_open=figures.open_high,
        levels=named.levels, hidden_levels=named.hidden_levels, hidden_rows=named.hidden_rows,
        sentinels=[*words, *(sentinels.text_of(each) for each in sorted(marked(reading, sentinel)))],
        suspicions=suspect(evidence, reading, sentinel, words))
    return Seen(evidence, reading, sentinel, words, column)


def marked(reading: Reading, sentinel: np.ndarray) -> list[float]:
    return [] if reading.numbers is None else reading.numbers[sentinel].tolist()


def spread(evidence: Evidence, reading: Reading, sentinel: np.ndarray, k: int) -> privacy.Range:
    """The robust range of a number or a date, without the values that stand for "missing"."""
    if reading.numbers is None or reading.kind not in ("number", "date"):
        return privacy.Range()
    kept = ~sentinel
    return privacy.robust_range(reading.numbers[kept], evidence.counts[kept], k=k, age=is_age(evidence.name))


def levels(evidence: Evidence, reading: Reading) -> list[tuple[str, int]]:
    """The categories of a column with their rows: numbers in their shortest form ("1", not "1.0").

    Yes/no written in more than two ways ("Y", "y", "TRUE") is counted as "yes" and "no". A column of more than 1,000
    distinct values has none: they could not be counted exactly.
    """
    if reading.kind not in ("category", "yes_no") or not evidence.whole:
        return []
    counts: dict[str, int] = {}
    for label, n in zip(labels(evidence, reading), evidence.counts.tolist(), strict=True):
        counts[label] = counts.get(label, 0) + n
    return list(counts.items())


def labels(evidence: Evidence, reading: Reading) -> list[str]:
    """What each of the evidence's values is called as a category, (len(evidence.values),)."""
    if reading.kind == "yes_no" and len(evidence.values) > 2:
        return ["yes" if each else "no" for each in read_booleans(evidence.values).values]
    if reading.numbers is not None:
        return [sentinels.text_of(number) if np.isfinite(number) else str(value)
                for number, value in zip(reading.numbers, evidence.values, strict=True)]
    return evidence.values.cast(pl.String).str.head(LONGEST_LABEL).to_list()
