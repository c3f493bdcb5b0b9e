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
from medml.profile.counting import KnownValues
from medml.profile.distinct import HyperLogLog, RowsPerValue
from medml.profile.duplicates import DuplicateCounter
from medml.profile.names import FILE_WORDS, PERSON_WORDS, looks_like_id, says

EXACT = 1000  # distinct values counted one by one; beyond, about
SAMPLE_ROWS = 50_000
SAMPLE_BYTES = 64 << 20  # long texts: fewer rows, but never below FEWEST_SAMPLED
FEWEST_SAMPLED = 2_000
SPARE = 1.1  # times the rows wanted are drawn where the table's rows are known: 20 standard errors above 50,000
ROWS = "rows of a value"  # a column of ours beside the table's own names
RARE = 0.01  # of a batch: so few cells of unknown values are counted by themselves, which costs less than learning them
SEEN_AS_MISSING = sorted({form for word in MISSING_WORDS for form in (word, word.upper(), word.title(), word.lower())})


@dataclass(slots=True)
class ColumnTally:
    """What the pass keeps of one column."""

    name: str
    dtype: pl.DataType
    words: set[str] = field(default_factory=set)  # words for "missing" that occur, as written
    odd: int = 0  # cells of a column of numbers that are words after all
    sketch: HyperLogLog = field(default_factory=HyperLogLog)
    known: KnownValues | None = None  # from the second batch on, see `_learn`
    null: int = 0  # hash of a missing cell
    fresh: bool = True  # values came up that are not among the known ones
    often: bool = True  # and cells that are none of the known ones were many in the last batch
    _missing: int = 0
    _counts: dict[object, int] | None = field(default_factory=dict)

    @property
    def missing(self) -> int:
        self._settle()
        return self._missing

    @property
    def counts(self) -> dict[object, int] | None:
        """Value -> rows; None once there are more than EXACT values."""
        self._settle()
        return self._counts

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

    def start(self, counted: pl.Series, seed: int) -> None:
        """Take the first batch as its value counts, null among the values. Many are not gone through one by one."""
        values, rows = counted.struct.unnest()
        gone = values.is_null()
        if len(values) > EXACT and self.dtype == pl.String:
            gone |= values.str.to_lowercase().is_in(list(MISSING_WORDS))
        if len(values) - int(gone.sum()) <= EXACT:
            return self._count(values.to_list(), rows.to_list(), seed)
        self._missing = int(rows.filter(gone).sum())
        self.words.update(values.filter(gone).drop_nulls())
        self._count_about(values.filter(~gone), seed)

    def add(self, cells: pl.Series, hashes: np.ndarray, seed: int, room: np.ndarray) -> None:
        """Add a later batch's cells; `hashes` (len(cells),) uint64 are theirs by `seed`, null's among them; `room` as
        in KnownValues.count."""
        self._learn(seed)
        if self._counts is None and self.dtype != pl.String:
            self._missing += cells.null_count()
            self.sketch.add(hashes, but=self.null)
            return
        known = self.known.count(hashes, room)
        if self._counts is None:
            self.sketch.add(hashes[~known] if known.any() else hashes)
        elif not known.all():
            unknown = cells.filter(pl.Series(~known))
            self._count(*_apart(unknown.value_counts(name=ROWS).to_struct()), seed)
            self.often = len(unknown) > RARE * len(cells)

    def _learn(self, seed: int) -> None:
        """Know all values seen in earlier batches; once they are too many, those that stand for "missing" alone."""
        if not self.fresh or not (self.often or self.known is None):
            return
        self._settle()
        if self._counts is None:
            values = SEEN_AS_MISSING if self.dtype == pl.String else []
        else:
            values = sorted(self._counts, key=self._counts.__getitem__, reverse=True)
            values += self.words if self.dtype == pl.String else []
        values = pl.Series([None, *values], dtype=self.dtype)
        self.known, self.null = KnownValues(values, seed), values.head(1).hash(seed).item()
        self.fresh = False

    def _settle(self) -> None:
        """Add what was counted of the known values."""
        if self.known is not None:
            for value, n in zip(*self.known.taken(), strict=True):
                if value is None or (isinstance(value, str) and value.lower() in MISSING_WORDS):
                    self._missing += n
                    self.words.update([] if value is None else [value])
                else:
                    self._counts[value] += n

    def _count(self, values: list, rows: list[int], seed: int) -> None:
        """Add values and how often each occurs; more than EXACT of them are counted about from then on."""
        counts = self._counts
        for value, n in zip(values, rows, strict=True):
            if counts is not None and value in counts:
                counts[value] += n
            elif value is None:
                self._missing += n
            elif isinstance(value, str) and value.lower() in MISSING_WORDS:
                self._missing += n
                self.words.add(value)
            else:
                counts[value] = n
                self.fresh = True
        if counts is not None and len(counts) > EXACT:
            self._settle()
            self._count_about(pl.Series(list(counts), dtype=self.dtype), seed)

    def _count_about(self, values: pl.Series, seed: int) -> None:
        self.sketch.add(values.hash(seed).to_numpy())
        self._counts, self.known, self.fresh = None, None, True


def _apart(counted: pl.Series) -> tuple[list, list[int]]:
    """Value counts, a struct each, as the values and their rows."""
    values, rows = counted.struct.unnest()
    return values.to_list(), rows.to_list()


class RowSample:
    """A uniform sample of whole rows with their places, in the order of the table; every row while they are few."""

    def __init__(self, rows: int = SAMPLE_ROWS, seed: int = 0, of: int | None = None) -> None:
        """of  rows of the table, where they are known: most are then passed over from the beginning"""
        self.rows = rows
        self._random = np.random.default_rng(seed)
        self._limit = 1.0 if of is None or of <= SPARE * rows else SPARE * rows / of
        self._pieces: list[pl.DataFrame] = []
        self._keys: list[np.ndarray] = []
        self._n_kept = self._n_seen = 0

    def add(self, batch: pl.DataFrame) -> None:
        """Each row draws a key; the rows of the lowest keys are the sample."""
        keys = self._random.random(batch.height)
        kept = np.flatnonzero(keys < self._limit)
        piece = batch if len(kept) == batch.height else batch[kept]
        room = SAMPLE_BYTES * piece.height // max(piece.estimated_size(), 1)
        self.rows = min(self.rows, max(room, FEWEST_SAMPLED)) if piece.height else self.rows
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


@dataclass(frozen=True, slots=True)
class Ready:
    """A batch without NaN, and every cell's hash by column."""

    batch: pl.DataFrame
    hashes: dict[str, np.ndarray]


class TableTally:
    """What the pass keeps of one table; feed it every batch, in order."""

    def __init__(self, schema: pl.Schema, of: int | None = None) -> None:
        """of  rows of the table, where they are known"""
        self.seed = int.from_bytes(home.secret()[:8], "little")
        self.columns = {name: ColumnTally(name, dtype) for name, dtype in schema.items()}
        self._seed_of = {name: (self.seed + n) % 2**64 for n, name in enumerate(schema)}
        self.rows_per_value = {name: RowsPerValue() for name in schema if may_repeat(name)}
        self._dtypes = schema.dtypes()
        self._floats = [name for name, dtype in schema.items() if dtype.is_float()]
        self.rows = 0
        self.sample = RowSample(of=of)
        self._duplicates = DuplicateCounter()
        self._room = np.empty((2, 0), dtype=np.uint64)

    def ready(self, batch: pl.DataFrame) -> Ready | None:
        """What `add` needs of a batch and can be worked out before those ahead of it are added, in another thread.

        None where a column came in another type than at first: `add` then does all of it.
        """
        if batch.dtypes != self._dtypes or batch.is_empty():
            return None
        batch = self._without_nan(batch)
        return Ready(batch, self._hashes(batch))

    def add(self, batch: pl.DataFrame, ready: Ready | None = None) -> None:
        """Add a batch of the table: any rows, the columns of the schema; `ready` is what `ready(batch)` gave."""
        if batch.is_empty():
            return
        odd: dict[str, pl.Series] = {}
        if ready is None:
            batch, odd = self._as_first_seen(batch)
            hashes = self._hashes(batch)
        else:
            batch, hashes = ready.batch, ready.hashes
        if self.rows:
            if self._room.shape[1] < batch.height:
                self._room = np.empty((2, batch.height), dtype=np.uint64)
            for name, each in self.columns.items():
                each.add(batch[name], hashes[name], self._seed_of[name], self._room)
        else:
            found = batch.select(pl.col(name).value_counts(name=ROWS).implode() for name in self.columns)
            for (name, each), counted in zip(self.columns.items(), found, strict=True):
                each.start(counted[0], self._seed_of[name])
        self.rows += batch.height
        for name, rows in self.rows_per_value.items():
            cells = batch[name]
            rows.add(hashes[name][cells.is_not_null().to_numpy()] if cells.null_count() else hashes[name])
        self._duplicates.add(self._row_hashes(hashes, odd))
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
        return self._without_nan(batch), odd

    def _without_nan(self, batch: pl.DataFrame) -> pl.DataFrame:
        """NaN as null; hardly any table has one, and a look costs less than a copy of every column."""
        odd = [name for name in self._floats if batch[name].is_nan().any()]
        return batch.with_columns(pl.col(odd).fill_nan(None)) if odd else batch

    def _hashes(self, batch: pl.DataFrame) -> dict[str, np.ndarray]:
        """Every cell's hash, by a key of its column's own: (height,) uint64 a column."""
        found = batch.select(pl.col(name).hash(seed) for name, seed in self._seed_of.items())
        return {each.name: each.to_numpy() for each in found}

    def _row_hashes(self, hashes: dict[str, np.ndarray], odd: dict[str, pl.Series]) -> np.ndarray:
        """Hashes of whole rows: their cells' hashes, joined by exclusive or (Zobrist 1970)."""
        found = np.zeros(len(next(iter(hashes.values()))), dtype=np.uint64)
        for each in hashes.values():
            found ^= each
        for name, words in odd.items():
            found ^= np.where(words.is_not_null().to_numpy(), words.hash(self._seed_of[name]).to_numpy(), np.uint64(0))
        return found

    def duplicates(self) -> int:
        """Rows equal to an earlier row; call once, at the end."""
        return self._duplicates.count()


def may_repeat(name: str) -> bool:
    """True for a column whose name may be that of a patient or a file: its rows per value are counted."""
    return looks_like_id(name) or says(name, PERSON_WORDS) is not None or says(name, FILE_WORDS) is not None
