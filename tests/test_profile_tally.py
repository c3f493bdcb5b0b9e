"""One pass in constant memory: counts, distinct values, duplicates and the sample."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from medml import home
from medml.profile.counting import KnownValues
from medml.profile.distinct import HyperLogLog, RowsPerValue
from medml.profile.duplicates import LARGEST_PART, DuplicateCounter, count_repeated
from medml.profile.evidence import gather
from medml.profile.tally import EXACT, RowSample, TableTally


def home_seed():
    return TableTally(pl.Schema()).seed


def tally_of(frame, pieces=1):
    tally = TableTally(frame.schema)
    for piece in frame.iter_slices(-(-frame.height // pieces)):
        tally.add(piece)
    return tally


@pytest.mark.parametrize("n", [10, 1_000, 20_000, 1_000_000])
def test_hyperloglog_is_within_three_standard_errors(n):
    """Standard error 1.04 / sqrt(2^14) = 0.8 % (Flajolet et al. 2007)."""
    hashes = pl.int_range(n, eager=True).hash(7).to_numpy()
    sketch = HyperLogLog()
    for piece in np.array_split(np.concatenate([hashes, hashes[: n // 3]]), 7):
        sketch.add(piece)
    assert sketch.estimate() == pytest.approx(n, rel=0.025)


def test_distinct_is_exact_to_1000_and_about_beyond():
    frame = pl.DataFrame({"few": [n % EXACT for n in range(5000)], "many": list(range(5000))})
    columns = tally_of(frame, pieces=4).columns
    assert columns["few"].counts is not None and columns["few"].distinct() == EXACT
    assert columns["many"].counts is None and columns["many"].distinct() == pytest.approx(5000, rel=0.025)


@pytest.mark.parametrize("pieces", [1, 3, 11])
def test_pieces_give_what_the_whole_gives(pieces):
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"id": rng.integers(0, 400, 3000), "x": rng.normal(size=3000).round(1),
                          "word": rng.choice(["a", "b", "?", "NA", None], 3000)})
    whole, cut = tally_of(frame), tally_of(frame, pieces)
    for name in frame.columns:
        assert cut.columns[name].counts == whole.columns[name].counts
        assert cut.columns[name].missing == whole.columns[name].missing
    assert cut.duplicates() == frame.height - frame.n_unique()
    assert cut.sample.frame().equals(frame)


def test_values_that_come_up_one_by_one_are_counted_as_exactly():
    """One new one, and one that came up before, in a batch of 1,000: too few to be worth learning."""
    cells = np.full(60_000, "usual", dtype=object)
    cells[500::1000] = [("?" if n % 7 == 0 else f"value {n // 2}") for n in range(60)]
    cells[700::1000] = [f"value {n // 3}" for n in range(60)]
    frame = pl.DataFrame({"word": cells.tolist(), "number": pl.Series(range(60_000)) // 1000 * 5})
    whole, cut = tally_of(frame), tally_of(frame, 60)
    for name in frame.columns:
        assert cut.columns[name].counts == whole.columns[name].counts
        assert cut.columns[name].missing == whole.columns[name].missing
    assert cut.columns["word"].words == {"?"}


def test_missing_cells_are_no_value_of_a_long_column():
    values = pl.int_range(4000, eager=True).append(pl.Series([None] * 900, dtype=pl.Int64)).sample(
        fraction=1, shuffle=True, seed=4)
    column = tally_of(pl.DataFrame({"x": values}), pieces=9).columns["x"]
    whole = HyperLogLog()
    whole.add(values.drop_nulls().hash(home_seed()).to_numpy())
    assert column.missing == 900 and column.distinct() == whole.estimate()


def test_words_for_missing_are_counted_in_long_columns_too():
    cells = [f"code {n}" for n in range(3000)] + ["?", "N/A", "unknown", None]
    column = tally_of(pl.DataFrame({"c": cells}), pieces=5).columns["c"]
    assert column.missing == 4 and column.words == {"?", "N/A", "unknown"}


def test_words_that_turn_up_late_among_numbers_are_counted():
    tally = TableTally(pl.Schema({"x": pl.Int64}))
    tally.add(pl.DataFrame({"x": [1, 2, 3]}))
    tally.add(pl.DataFrame({"x": ["4", "hemolysed", "?"]}))
    column = tally.columns["x"]
    assert column.counts == {1: 1, 2: 1, 3: 1, 4: 1}
    assert (column.missing, column.odd, column.words) == (2, 1, {"?"})
    assert gather(column, tally.rows, tally.sample.frame()["x"], True).odd == 1


def test_rows_that_differ_in_a_late_word_are_no_duplicates():
    tally = TableTally(pl.Schema({"x": pl.Int64}))
    tally.add(pl.DataFrame({"x": [1]}))
    tally.add(pl.DataFrame({"x": ["clotted", "hemolysed", "clotted"]}))
    assert tally.duplicates() == 1


@pytest.mark.parametrize("n", [EXACT - 1, EXACT, EXACT + 1, 5 * EXACT])
def test_many_values_at_once_are_told_as_those_that_come_bit_by_bit(n):
    """The first batch may hold more values than are counted one by one, and words for "missing" among them."""
    texts = [*(f"code {place}" for place in range(n)), "NA", "N/A", "na", None, "", "na", None, "code 0"]
    frame = pl.DataFrame({"text": texts, "number": [*map(float, range(n)), *[None] * 5, 0.0, 1.0, 2.0]})
    whole, parts = tally_of(frame), tally_of(frame, pieces=n // 100)
    for name, missing, words in (("text", 7, {"NA", "N/A", "na", ""}), ("number", 5, set())):
        one, many = whole.columns[name], parts.columns[name]
        assert one.missing == many.missing == missing and one.words == many.words == words
        assert one.counts == many.counts and (one.counts is None) == (n > EXACT)
        assert one.distinct() == many.distinct()


@pytest.mark.parametrize("n", [0, 1, 2, 999, LARGEST_PART, LARGEST_PART + 1])
def test_repeats_among_hashes_that_share_their_lowest_bits_are_those_of_numpy(n):
    """The worst case too: no low bit tells any two apart."""
    drawn = np.random.default_rng(3).integers(0, 2**63, n, dtype=np.uint64)
    drawn[: n // 9] = drawn[n // 2: n // 2 + n // 9]
    for hashes in (drawn, drawn << np.uint64(40), np.zeros_like(drawn)):
        assert count_repeated(hashes) == n - len(np.unique(hashes))


def test_duplicates_are_the_same_in_memory_and_on_disk():
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2**63, 40_000, dtype=np.uint64) << np.uint64(1)
    hashes[5000:9000] = hashes[30_000:34_000]
    wanted = len(hashes) - len(np.unique(hashes))
    for room in (1_000_000, 7_000, 40_000, 39_999):
        counter = DuplicateCounter(in_memory=room)
        for piece in np.array_split(hashes, 13):
            counter.add(piece)
        assert counter.count() == wanted == 4000


def test_spilled_hashes_leave_no_file_behind():
    counter = DuplicateCounter(in_memory=100)
    counter.add(np.arange(1000, dtype=np.uint64))
    assert list((home.home() / "work").iterdir()) == []
    assert counter.count() == 0


def test_row_hashes_mean_nothing_without_the_installations_key(monkeypatch, tmp_path):
    frame = pl.DataFrame({"x": [1, 2]})
    first = TableTally(frame.schema)._hashes(frame)["x"].tolist()
    assert TableTally(frame.schema)._hashes(frame)["x"].tolist() == first
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "another"))
    assert TableTally(frame.schema)._hashes(frame)["x"].tolist() != first


def test_rows_per_patient_are_exact_while_there_is_room():
    ids = pl.Series(np.repeat(np.arange(300), np.arange(300) % 4 + 1)).shuffle(seed=1)
    counted = RowsPerValue()
    for piece in np.array_split(ids.hash(5).to_numpy(), 6):
        counted.add(piece)
    assert counted.is_exact and counted.n_values() == 300
    assert sorted(counted.counts.tolist()) == sorted((np.arange(300) % 4 + 1).tolist())


def test_rows_per_patient_are_a_uniform_share_when_room_runs_out():
    ids = pl.Series(np.repeat(np.arange(40_000), 3)).shuffle(seed=1)
    counted = RowsPerValue(kept=2000)
    for piece in np.array_split(ids.hash(5).to_numpy(), 12):
        counted.add(piece)
    assert not counted.is_exact
    assert counted.n_values() == pytest.approx(40_000, rel=0.07)  # 3 / sqrt(2000)
    assert set(counted.counts.tolist()) == {3}


def test_sample_is_uniform_and_keeps_the_order_of_the_table():
    sample = RowSample(rows=2000)
    for start in range(0, 50_000, 5000):
        sample.add(pl.DataFrame({"row": range(start, start + 5000)}))
    rows = sample.frame()["row"].to_numpy()
    assert len(rows) == 2000 and not sample.is_whole and (np.diff(rows) > 0).all()
    assert rows.mean() == pytest.approx(25_000, abs=3 * 50_000 / np.sqrt(12 * 2000))


def test_sample_has_fewer_rows_where_texts_are_long():
    sample = RowSample()
    for start in range(0, 12_000, 3000):
        sample.add(pl.DataFrame({"note": [f"{n} " + "x" * 20_000 for n in range(start, start + 3000)]}))
    assert 2000 <= sample.frame().height < 4000
    assert not sample.is_whole


def test_sample_does_not_hold_the_text_of_rows_it_dropped():
    sample = RowSample(rows=100)
    for start in range(0, 20_000, 1000):
        sample.add(pl.DataFrame({"note": [f"a long note that is kept outside the view {n:060d}"
                                          for n in range(start, start + 1000)]}))
    assert sample.frame().estimated_size() < 100 * 400


@pytest.mark.parametrize("numbers", [
    [3, -2, 3, None, 0], [2**62, 2**62 + 1, 2**62], [-(2**63), 2**63 - 1], [0.1, 0.2, 0.30000000000000004, 0.3],
    [1e17, 1e17 + 16, 1e17], [0.1, 1e300, 0.1], [float("inf"), 1.0, float("-inf")], [-0.0, 0.0, 0.5], [1.25, 1.255],
    [None, None], [0.07, 0.29, 0.57, 0.58, 1.15, 0.07]])
def test_numbers_are_counted_to_their_last_bit(numbers):
    kind = pl.Int64 if all(each is None or isinstance(each, int) for each in numbers) else pl.Float64
    cells = pl.Series("x", numbers, dtype=kind)
    expected = dict(cells.drop_nulls().alias("value").value_counts(name="rows").iter_rows())
    for pieces in (1, 2, len(cells)):
        column = tally_of(pl.DataFrame({"x": cells}), pieces).columns["x"]
        assert column.counts == expected and column.missing == cells.null_count()


@pytest.mark.parametrize("kind", [pl.Int64, pl.Float64, pl.String])
@pytest.mark.parametrize("n", [1, 40, 1000])
def test_known_values_are_found_with_their_rows(kind, n):
    """Of values that share a slot all but one are unknown, never taken for another."""
    rng = np.random.default_rng(2)
    values = pl.Series("x", rng.permutation(5 * n)[: 2 * n]).cast(kind)
    cells = pl.concat([values.gather(rng.integers(0, 2 * n, 8000)), pl.Series("x", [None], dtype=kind)])
    counting = KnownValues(pl.concat([pl.Series("x", [None], dtype=kind), values.head(n)]), 3)
    hashes = cells.hash(3).to_numpy()
    known = np.concatenate([counting.count(hashes[:5000]), counting.count(hashes[5000:])])
    expected = dict(cells.alias("value").filter(pl.Series(known)).value_counts(name="rows").iter_rows())
    assert dict(zip(*counting.taken(), strict=True)) == expected and known[-1]
    assert counting.taken() == ([], [])
    assert set(expected) <= {None, *values.head(n)} and len(expected) >= 0.93 * (n + 1)


def test_rows_of_close_numbers_in_other_places_are_no_duplicates():
    """Every pair of 1,000 numbers, both ways round: cells' hashes joined to a row's must not cancel out."""
    pairs = pl.DataFrame({"a": np.repeat(np.arange(1000), 1000), "b": np.tile(np.arange(1000), 1000)})
    assert tally_of(pairs, pieces=3).duplicates() == 0
    assert tally_of(pairs.with_columns(pl.all().cast(pl.String)), pieces=3).duplicates() == 0
