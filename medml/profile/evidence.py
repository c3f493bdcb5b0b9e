"""What a column is judged by: its distinct values with how often each occurs, all of them or a sample's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from medml.data.values import present
from medml.profile.tally import ROWS, ColumnTally


@dataclass(frozen=True, slots=True)
class Evidence:
    """One column after the pass.

    values   distinct non-missing values, any order, in the column's type;   counts  (len(values),) int64 rows each
    whole    True if the counts are of every row, False if of a sample of rows
    odd      words in a column that is otherwise typed as numbers; they count as missing
    cells    the sample's cells in table order, null where missing
    """

    name: str
    rows: int
    missing: int
    distinct: int
    distinct_is_exact: bool
    values: pl.Series
    counts: np.ndarray
    whole: bool
    cells: pl.Series
    odd: int = 0

    @property
    def known(self) -> int:
        """Rows that are not missing."""
        return self.rows - self.missing

    @property
    def unique_share(self) -> float:
        """Distinct values by rows that have one, 0-1."""
        return min(self.distinct / self.known, 1.0) if self.known else 0.0

    def n_rows(self, which: np.ndarray) -> int:
        """About how many rows of the table hold the values chosen by a mask, (len(values),) bool; exact if `whole`."""
        counted = int(self.counts[which].sum())
        total = int(self.counts.sum())
        return counted if self.whole or not total else round(counted * self.known / total)


def gather(tally: ColumnTally, rows: int, sample: pl.Series, sample_is_whole: bool) -> Evidence:
    """Put together what the pass kept of one column."""
    sample = present(sample)
    if tally.counts is not None:
        values = pl.Series(tally.name, list(tally.counts), dtype=tally.dtype)
        counts, whole = np.fromiter(tally.counts.values(), dtype=np.int64, count=len(values)), True
    else:
        found = sample.drop_nulls().value_counts(name=ROWS)
        values, counts = found[sample.name], found[ROWS].to_numpy().astype(np.int64)
        whole = sample_is_whole
    distinct = min(tally.distinct(), rows - tally.missing)
    return Evidence(tally.name, rows, tally.missing, distinct, tally.counts is not None, values, counts, whole, sample,
                    tally.odd)
