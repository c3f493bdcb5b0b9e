"""One pass over a table: exact counts of small things, sketches of large ones, and a uniform sample of whole rows.

Everything that needs a closer look (kinds, ranges, suspicions) is judged afterwards on the counts or the sample, so
memory does not grow with the rows. A small table is one batch; a large one is many: the same code reads both.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from medml import home
from medml.data.values import MISSING_WORDS
from medml.profile.counting import count_close
from medml.profile.distinct import HyperLogLog, RowsPerValue
from medml.profile.duplicates import DuplicateCounter
from medml.profile.names import FILE_WORDS, PERSON_WORDS, looks_like_id, says

EXACT = 1000  # distinct values counted one by one; beyond, about
SAMPLE_ROWS = 50_000
SAMPLE_BYTES = 64 << 20  # long texts: fewer rows, but never below FEWEST_SAMPLED
FEWEST_SAMPLED = 2_000
ROWS = "rows of a value"  # a column of ours beside the table's own names
SEEN_AS_MISSING = sorted({form for word in MISSING_WORDS for form in (word, word.upper(), word.title(), word.lower())})


@dataclass(slots=True)
class ColumnTally:
    """What the pass keeps of one column."""

    name: str
    dtype: pl.DataType
    missing: int = 0
    words: set[str] = field(default_factory=set)  # words for "missing" that occur, as written
    odd: int = 0  # cells of a column of numbers that are words after all
    counts: dict[object, int] | None = field(default_factory=dict)  # value -> rows, None once over EXACT values
    sketch: HyperLogLog = field(default_factory=HyperLogLog)

    def as_first_seen(self, cells: pl.Series) -> tuple[pl.Series, pl.Series | None]:
        """The batch's cells in the type of the first batch, and the words that are none of it (null elsewhere).

        A reader takes a column for numbers by a sample; when words turn up later it gives text from then on.
        """
        if self.dtype == pl.String or cells.dtype != pl.String:
            return cells.cast(self.dtype, strict=False), None
        typed = cells.cast(self.dtype, strict=False)
        return typed, cells.set(typed.is_not_null(), None)

    def add_odd(self, words: pl.Series) -> None:
        """Count the words of one batch that stand in a column of numbers; they are null in its cells."""
        known = words.drop_nulls()
        is_word = known.is_in(SEEN_AS_MISSING)
        self.words.update(known.filter(is_word).unique())
        self.odd += len(known) - int(is_word.sum())

    def distinct(self) -> int:
        return len(self.counts) if self.counts is not None else self.sketch.estimate()

    def look(self, seed: int) -> list[pl.Expr]:
        """What is wanted of a batch: value counts while there are few values, else hashes, and words for "missing"."""
        cells = pl.col(self.name)
        if self.counts is not None:
            wanted = [cells.value_counts(name=ROWS).implode().alias(self.name)]
        elif self.dtype == pl.String:
            is_word = cells.is_in(SEEN_AS_MISSING).fill_null(True)
            wanted = [cells.filter(~is_word).hash(seed).implode().alias(self.name),
                      cells.filter(is_word).drop_nulls().unique().implode().alias(f"{self.name} {ROWS}")]
        else:
            wanted = [cells.drop_nulls().hash(seed).implode().alias(self.name)]
        return wanted

    def count_quickly(self, cells: pl.Series, seed: int) -> bool:
        """Add a batch's cells where that is cheaper than `look`; False where nothing was added."""
        counted = None if self.counts is None else count_close(cells)
        if counted is not None:
            self.missing += cells.null_count()
            self._count(*counted, seed)
        return counted is not None

    def add(self, found: dict[str, pl.Series], height: int, seed: int) -> None:
        """Add what `look` found in a batch of `height` rows."""
        if self.counts is None:
            hashes = found[self.name].to_numpy()
            self.words.update(found.get(f"{self.name} {ROWS}", ()))
            self.missing += height - len(hashes)
            self.sketch.add(hashes)
        else:
            counted = found[self.name].struct.unnest()
            self._count(counted.to_series(0).to_list(), counted[ROWS].to_list(), seed)

    def _count(self, values: list, rows: list[int], seed: int) -> None:
        counts = self.counts
        for value, n in zip(values, rows, strict=True):
            if value in counts:
                counts[value] += n
            elif value is None:
                self.missing += n
            elif isinstance(value, str) and value.lower() in MISSING_WORDS:
                self.missing += n
                self.words.add(value)
            else:
                counts[value] = n
        if len(counts) > EXACT:
            self.sketch.add(pl.Series(list(counts), dtype=self.dtype).hash(seed).to_numpy())
            self.counts = None


class RowSample:
    """A uniform sample of whole rows with their places, in the order of the table; every row while they are few."""

    def __init__(self, rows: int = SAMPLE_ROWS, seed: int = 0) -> None:
        self.rows = rows
        self._random = np.random.default_rng(seed)
        self._limit = 1.0
        self._pieces: list[pl.DataFrame] = []
        self._keys: list[np.ndarray] = []
        self._n_kept = self._n_seen = 0

    def add(self, batch: pl.DataFrame) -> None:
        """Each row draws a key; the rows of the lowest keys are the sample."""
        room = SAMPLE_BYTES * batch.height // max(batch.estimated_size(), 1)
        self.rows = min(self.rows, max(room, FEWEST_SAMPLED))
        keys = self._random.random(batch.height)
        kept = np.flatnonzero(keys < self._limit)
        piece = batch if len(kept) == batch.height else batch[kept]
        self._pieces.append(piece)
        self._keys.append(keys[kept])
        self._n_kept, self._n_seen = self._n_kept + len(kept), self._n_seen + batch.height
        if self._n_kept > 2 * self.rows:
            self._compact()

    def frame(self) -> pl.DataFrame:
        self._compact()
        return self._pieces[0] if self._pieces else pl.DataFrame()

    @property
    def is_whole(self) -> bool:
        """True if the sample is the table."""
        return self._n_seen <= self.rows

    def _compact(self) -> None:
        if not self._pieces:
            return
        keys, frame = np.concatenate(self._keys), pl.concat(self._pieces)
        if len(keys) > self.rows:
            self._limit = float(np.partition(keys, self.rows)[self.rows])
            kept = np.flatnonzero(keys < self._limit)
            keys, frame = keys[kept], frame[kept]
        self._pieces, self._keys, self._n_kept = [frame], [keys], len(keys)


class TableTally:
    """What the pass keeps of one table; feed it every batch, in order."""

    def __init__(self, schema: pl.Schema) -> None:
        self.seed = int.from_bytes(home.secret()[:8], "little")
        self.columns = {name: ColumnTally(name, dtype) for name, dtype in schema.items()}
        self.rows_per_value = {name: RowsPerValue() for name in schema if may_repeat(name)}
        self._floats = [name for name, dtype in schema.items() if dtype.is_float()]
        self.rows = 0
        self.sample = RowSample()
        self._duplicates = DuplicateCounter()

    def add(self, batch: pl.DataFrame) -> None:
        """Add a batch of the table: any rows, the columns and types of the schema."""
        if batch.is_empty():
            return
        self.rows += batch.height
        batch, odd = self._as_first_seen(batch)
        left = [each for each in self.columns.values() if not each.count_quickly(batch[each.name], self.seed)]
        found = {each.name: each[0] for each in batch.select(
            wanted for column in left for wanted in column.look(self.seed))}
        for column in left:
            column.add(found, batch.height, self.seed)
        for name, rows in self.rows_per_value.items():
            rows.add(batch[name].drop_nulls().hash(self.seed).to_numpy())
        self._duplicates.add(self._row_hashes(batch, odd))
        self.sample.add(batch)

    def _as_first_seen(self, batch: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
        """The batch in the types of the first one, without NaN; and the words that turned up among numbers."""
        odd = {}
        for (name, each), dtype in zip(self.columns.items(), batch.dtypes, strict=True):
            if dtype != each.dtype:
                cells, words = each.as_first_seen(batch[name])
                batch = batch.with_columns(cells)
                if words is not None:
                    each.add_odd(words)
                    odd[name] = words
        return batch.with_columns(pl.col(self._floats).fill_nan(None)) if self._floats else batch, odd

    def _row_hashes(self, batch: pl.DataFrame, odd: dict[str, pl.Series]) -> np.ndarray:
        found = batch.hash_rows(self.seed).to_numpy()
        for words in odd.values():
            found = found ^ np.where(words.is_not_null().to_numpy(), words.hash(self.seed).to_numpy(), np.uint64(0))
        return found

    def duplicates(self) -> int:
        """Rows equal to an earlier row; call once, at the end."""
        return self._duplicates.count()


def may_repeat(name: str) -> bool:
    """True for a column whose name may be that of a patient or a file: its rows per value are counted."""
    return looks_like_id(name) or says(name, PERSON_WORDS) is not None or says(name, FILE_WORDS) is not None
