"""JSON, JSON lines and Parquet."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from medml.data import find_tables

RECORDS = [{"id": n, "crp": n / 7, "sex": "FM"[n % 2], "died": n % 3 == 0, "note": None} for n in range(40)]


@pytest.fixture
def read(tmp_path):
    def write_and_find(content: str | bytes, name: str = "x.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        entries, tables = find_tables(path)
        return entries[0], (tables[0] if tables else None)
    return write_and_find


@pytest.mark.parametrize(("content", "name"), [
    (json.dumps(RECORDS), "x.json"), (json.dumps(RECORDS, indent=2), "x.json"),
    (json.dumps({"patients": RECORDS}), "x.json"),
    ("\n".join(map(json.dumps, RECORDS)), "x.jsonl"), ("\n".join(map(json.dumps, RECORDS)), "x.json"),
    (json.dumps({name: [record[name] for record in RECORDS] for name in RECORDS[0]}), "x.json"),
    (json.dumps({name: {str(n): record[name] for n, record in enumerate(RECORDS)} for name in RECORDS[0]}), "x.json"),
    (json.dumps([list(RECORDS[0])] + [list(record.values()) for record in RECORDS]), "x.json"),
    (json.dumps({"columns": list(RECORDS[0]), "data": [list(record.values()) for record in RECORDS]}), "x.json"),
    ("\ufeff" + json.dumps(RECORDS), "x.json"),
])
def test_every_shape_of_json_table_gives_the_same_table(read, content, name):
    entry, table = read(content, name)
    frame = table.frame()
    assert entry.action == "read"
    assert frame.schema == {"id": pl.Int64, "crp": pl.Float64, "sex": pl.String, "died": pl.Boolean, "note": pl.String}
    assert frame.to_dicts() == RECORDS


def test_names_that_come_late_become_columns(read):
    _, table = read(json.dumps([{"a": 1}, {"a": 2, "b": {"c": 3.5, "d": [1, 2]}}]))
    assert table.frame().to_dicts() == [{"a": 1, "b.c": None, "b.d": None}, {"a": 2, "b.c": 3.5, "b.d": "[1, 2]"}]


def test_late_columns_are_right_over_chunks(read):
    records = [{"a": n} if n < 30_000 else {"a": n, "b": n} for n in range(45_000)]
    _, table = read("\n".join(map(json.dumps, records)), "x.jsonl")
    assert table.frame()["b"].to_list() == [None] * 30_000 + list(range(30_000, 45_000))


def test_whole_numbers_beyond_2_to_the_53_are_exact(read):
    _, table = read(json.dumps([{"n": 2**53 + 1}, {"n": 2**70}, {"n": 5}]))
    assert table.frame()["n"].to_list() == [str(2**53 + 1), str(2**70), "5"]


@pytest.mark.parametrize(("content", "action", "code"), [
    ("[" * 100_000, "skip", "too_deep"), ('{"a":' * 100_000, "skip", "too_deep"),
    ('[{"a": 1}, {"a": ', "skip", "damaged"), ("[]", "skip", "empty"), ("[1, 2, 3]", "skip", "not_a_table"),
    ('{"version": 3, "name": "x"}', "skip", "not_a_table"), ('[{"a":1,"a":2,"b":NaN},{"a":3}]', "read_with_warning",
                                                             "json_nonstandard"),
    ('[{"a": "\udce9"}]'.encode("utf-8", "surrogateescape"), "skip", "damaged"),
])
def test_bad_json_is_told(read, content, action, code):
    entry, _ = read(content)
    assert (entry.action, entry.reason_code) == (action, code) and entry.message


def test_deep_values_inside_records_are_refused_or_kept_as_text(read):
    entry, _ = read("\n".join(['{"a": ' + "[" * 50_000 + "]" * 50_000 + "}"] * 3), "x.jsonl")
    assert entry.reason_code == "too_deep"


def test_bad_lines_are_counted_and_left_out(read):
    entry, table = read("\n".join(["{broken"] + list(map(json.dumps, RECORDS))), "x.jsonl")
    assert entry.reason_code == "ragged" and table.rows == 40


def test_parquet_comes_in_the_types_that_medml_knows(tmp_path):
    frame = pl.DataFrame({
        "small": pl.Series([1, None, 3], dtype=pl.Int8), "part": pl.Series([1.5, float("nan"), 2], dtype=pl.Float32),
        "day": [dt.date(2024, 3, n) for n in (1, 2, 3)], "sex": pl.Series(["F", " ", "M"], dtype=pl.Categorical),
        "money": pl.Series(["1.25", "2.50", None]).cast(pl.Decimal(10, 2)), "yes": [True, None, False],
        "lists": [[1], [2], [3]], "when": pl.Series([dt.datetime(2024, 1, 1, 5)] * 3).dt.replace_time_zone("UTC")})
    frame.write_parquet(tmp_path / "x.parquet")
    entries, tables = find_tables(tmp_path)
    read = tables[0].frame()
    assert read.schema == {"small": pl.Int64, "part": pl.Float64, "day": pl.Date, "sex": pl.String, "money": pl.Float64,
                           "yes": pl.Boolean, "when": pl.Datetime("us")}
    assert read["part"].to_list() == [1.5, None, 2.0] and read["sex"].to_list() == ["F", None, "M"]
    assert entries[0].reason_code == "nested_values" and tables[0].rows == 3
    assert pl.concat(tables[0].batches(2)).equals(read)


def test_damaged_parquet_is_told(tmp_path):
    pl.DataFrame({"a": range(1000)}).write_parquet(tmp_path / "x.parquet")
    whole = (tmp_path / "x.parquet").read_bytes()
    for broken in (whole[:200], whole[:-4] + b"XXXX", b"PAR1" + bytes(200) + b"PAR1"):
        (tmp_path / "x.parquet").write_bytes(broken)
        assert find_tables(tmp_path)[0][0].reason_code == "damaged"


def test_a_parquet_called_csv_is_read_by_its_content(tmp_path):
    pl.DataFrame({"a": range(10), "b": range(10)}).write_parquet(tmp_path / "x.csv")
    entries, tables = find_tables(tmp_path)
    assert tables[0].rows == 10 and entries[0].reason_code == "wrong_extension"
