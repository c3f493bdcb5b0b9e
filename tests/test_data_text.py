"""Text tables written by the tests themselves: every dialect, every kind of dirt."""

from __future__ import annotations

import gc
import gzip
import hashlib
import threading
from types import SimpleNamespace

import polars as pl
import pytest

from medml.data import blocks, content, files, find_tables, open_table, survey, text
from medml.data.notes import WARNINGS
from medml.errors import Stopped, UserError
from medml.profile.scan import scan_table
from medml.types import TableRef

PLAIN = "pid,age,sex,crp\n" + "".join(f"P{n},{40 + n % 40},{'FM'[n % 2]},{n / 10}\n" for n in range(60))


@pytest.fixture
def read(tmp_path):
    """Write content under a name, find it, return its entry and table."""
    def write_and_find(content: str | bytes, name: str = "x.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        entries, tables = find_tables(path)
        assert len(entries) == 1
        return entries[0], (tables[0] if tables else None)
    return write_and_find


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^"])
def test_every_separator_and_encoding_gives_the_same_table(read, encoding, separator):
    expected = pl.read_csv(PLAIN.encode(), infer_schema=False)
    entry, table = read(PLAIN.replace(",", separator).encode(encoding))
    assert table.frame().equals(expected)
    guessed = "encoding_guessed" if encoding in ("utf-16-le", "utf-16-be") else None
    assert entry.reason_code == (guessed or ("separator_guessed" if separator == "^" else None))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_every_line_end_gives_the_same_table(read, end):
    _, table = read(PLAIN.replace("\n", end))
    assert table.frame().equals(pl.read_csv(PLAIN.encode(), infer_schema=False))


def test_columns_set_apart_by_blanks(read):
    _, table = read("id  age   crp\n" + "".join(f"{n}   {n + 40}  {n / 10}\n" for n in range(10)), "x.dat")
    assert table.columns == ["id", "age", "crp"] and table.rows == 10


def test_gz_is_unpacked_and_a_bomb_is_refused(read):
    _, table = read(gzip.compress(PLAIN.encode()), "x.csv.gz")
    assert table.frame().equals(pl.read_csv(PLAIN.encode(), infer_schema=False))
    entry, _ = read(gzip.compress(b"a,b\n" + b"0,0\n" * 20_000_000), "bomb.csv.gz")
    assert (entry.action, entry.reason_code) == ("refuse", "expands_too_much")
    entry, _ = read(gzip.compress(PLAIN.encode())[:200], "cut.csv.gz")
    assert (entry.action, entry.reason_code) == ("skip", "damaged")


def test_rows_with_too_many_fields_are_named_and_left_out(read):
    entry, table = read("a,b\n1,2\n1,2,3\n3,4\n5,6,7,8\n")
    assert entry.message == "2 of 4 rows have too many fields and were left out (rows 2, 4)."
    assert table.frame()["b"].to_list() == ["2", "4"]


def test_a_short_row_does_not_hide_a_long_one(read):
    """Totals of separators are as they should be; every row is looked at all the same."""
    entry, table = read("a,b,c\n1,2\n1,2,3,4\n5,6,7\n")
    assert entry.reason_code == "ragged" and table.rows == 2
    assert [note.code for note in table.notes][:2] == ["ragged", "short_rows"]


def test_a_short_row_beside_a_long_one_in_a_large_file_is_found_while_reading(tmp_path, monkeypatch):
    """Above 64 MiB totals decide: a row that is too long stops Polars and is left out; nothing before is repeated."""
    monkeypatch.setattr(text, "EXACT_UP_TO", 0)
    lines = [f"{n},x,y" for n in range(30_000)]
    lines[20_000], lines[25_000] = "20000,x", "25000,x,y,z"
    (tmp_path / "x.csv").write_text("a,b,c\n" + "\n".join(lines) + "\n")
    table = open_table(tmp_path, TableRef(path="x.csv"))
    seen = [value for batch in table.batches(1000) for value in batch["a"].to_list()]
    assert [int(value) for value in seen] == [n for n in range(30_000) if n != 25_000]
    assert table.frame().height == 29_999 and table.rows == 29_999


def test_trailing_separators_and_blank_lines_are_no_fault(read):
    entry, table = read("a,b\n1,2,\n\n3,4,\n\n\n")
    assert entry.action == "read" and table.rows == 2


def test_lines_above_units_and_footer_are_left_out_and_told(read):
    entry, table = read("Lab export\n\nid,age,crp\n,years,mg/L\n1,40,2.0\n2,41,3.5\n3,42,1.5\n"
                        "Mean,41,2.3\nPrinted today,,\n")
    assert entry.message == ("Two lines above the table and one row of units were left out. "
                             "Two rows below the table (such as a total) were left out.")
    assert table.units == {"age": "years", "crp": "mg/L"}
    assert "footer" in [note.code for note in table.notes] and table.rows == 3


def test_a_file_without_names_says_so(read):
    entry, table = read("".join(f"{n},{40 + n},0.5\n" for n in range(20)))
    assert entry.reason_code == "no_header" and table.columns == ["column 1", "column 2", "column 3"]
    assert table.rows == 20


def test_row_names_of_r_are_a_column(read):
    entry, table = read("age,crp\n" + "".join(f"p{n},{40 + n},0.5\n" for n in range(20)))
    assert entry.reason_code == "row_names" and table.columns == ["row", "age", "crp"]


def test_names_are_made_unique_and_never_empty(read):
    entry, table = read("a,a,,a (2)\n1,2,3,4\n5,6,7,8\n")
    assert table.columns == ["a", "a (3)", "column 3", "a (2)"] and entry.reason_code == "duplicate_columns"


def test_quotes_hold_separators_line_ends_and_quotes(read):
    _, table = read('a,b\n"x, ""y""\nz",1\n"",2\n" pad ",3\n')
    assert table.frame()["a"].to_list() == ['x, "y"\nz', None, "pad"]


def test_quotes_behind_blanks_and_inside_values_are_read_as_meant(read):
    _, table = read('a,b,c\n1, "x, y",2\n3,5" x 4",4\n' + "5,z,6\n" * 20)
    assert table.frame()["b"].to_list()[:3] == ["x, y", '5" x 4"', "z"] and table.rows == 22


def test_a_quote_never_closed_does_not_swallow_the_table(read):
    entry, table = read("a,b\n" + '5" pipe,1\n' + "".join(f"x{n},{n}\n" for n in range(50)))
    assert table.rows == 51 and entry.reason_code == "stray_quotes"


def test_letters_in_two_encodings_are_both_read(read):
    lines = ["id,dx"] + [f"{n},Ménière" for n in range(20)]
    mixed = b"\n".join(line.encode("utf-8" if n % 2 else "cp1252") for n, line in enumerate(lines))
    entry, table = read(mixed)
    assert entry.reason_code == "mixed_encoding" and set(table.frame()["dx"]) == {"Ménière"}


def test_a_name_or_value_that_looks_like_another_kind_is_still_a_table(read):
    for first in ("BMI", "MZ", "GIF8", "[0-10)", "{x", "Rar!"):
        _, table = read(f"{first},age\n" + "".join(f"{n},{n + 40}\n" for n in range(20)))
        assert table.columns == [first, "age"] and table.rows == 20


def test_a_gz_of_json_is_read(read):
    _, table = read(gzip.compress(b'[{"a": 1}, {"a": 2}]'), "x.json.gz")
    assert table.frame()["a"].to_list() == [1, 2]


def test_semicolons_with_decimal_commas_do_not_confuse_the_separator(read):
    entry, table = read("id;a;b\n" + "".join(f"{n};{n},5;{n},25\n" for n in range(20)))
    assert table.columns == ["id", "a", "b"] and entry.reason_code == "decimal_comma"


@pytest.mark.parametrize(("content", "code"), [
    (b"", "empty"), (b"\n\n  \n", "empty"), (b"\xef\xbb\xbf", "empty"),
    (bytes(range(256)) * 20, "not_a_table"), (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "wrong_extension"),
    (b"%PDF-1.7 ...", "wrong_extension"), (b"<html><table><tr><td>1</td></tr></table>", "wrong_extension"),
])
def test_what_is_no_table_is_skipped_with_a_reason(read, content, code):
    entry, table = read(content)
    assert table is None and (entry.action, entry.reason_code) == ("skip", code) and entry.message


def test_prose_is_no_table_though_it_has_commas(read):
    prose = "".join(f"This is line {n}, which has a comma, and another one.\n" * (n % 3 + 1) for n in range(9))
    entry, table = read("# Notes\n\nRead me first.\n" + prose, "README.md")
    assert table is None and entry.reason_code == "not_a_table"


def test_a_header_alone_is_a_table_without_rows_or_is_told(read):
    entry, table = read("id,age,outcome\n")
    assert table is None and entry.reason_code == "empty"


def test_clean_numbers_come_typed_in_batches_and_text_stays_text(read):
    _, table = read("id,whole,part,text,mrn\n" + "".join(f"{n},{n},{n}.5,w{n},{n:04d}\n" for n in range(300)))
    kinds = next(table.batches()).schema
    assert kinds["whole"] == pl.Int64 and kinds["part"] == pl.Float64
    assert kinds["text"] == kinds["mrn"] == pl.String
    assert set(table.frame().dtypes) == {pl.String}


@pytest.mark.parametrize("odd", [17_111, 99_999, 187_111])
@pytest.mark.parametrize("chunk", [7_000, 100_000])
def test_a_number_column_that_turns_out_dirty_becomes_text_and_loses_nothing(tmp_path, odd, chunk):
    """The odd cell lies where no sample looks. Polars' streaming reader lost rows here before it raised."""
    n_rows = 320_000
    lines = [f"{n},{n}" for n in range(n_rows)]
    lines[odd] = f"{odd},hemolysed"
    (tmp_path / "x.csv").write_text("id,lab\n" + "\n".join(lines) + "\n")
    table = open_table(tmp_path, TableRef(path="x.csv"))
    batches = list(table.batches(chunk))
    assert [value for batch in batches for value in batch["id"].to_list()] == list(range(n_rows))
    cells = [str(value) for batch in batches for value in batch["lab"].to_list()]
    assert cells[odd] == "hemolysed" and cells[-1] == str(n_rows - 1)
    assert batches[-1]["lab"].dtype == pl.String


def test_batches_and_frame_agree_on_every_cell(read):
    _, table = read(PLAIN)
    joined = pl.concat([batch.cast(pl.String) for batch in table.batches(7)])
    whole = table.frame()
    assert joined["pid"].equals(whole["pid"]) and joined["crp"].cast(pl.Float64).equals(whole["crp"].cast(pl.Float64))


def test_a_file_that_changed_is_noticed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(PLAIN)
    table = open_table(path, TableRef(path="x.csv"))
    assert not table.changed() and table.fingerprint() == files.fingerprint(path)
    path.write_text(PLAIN + "P99,50,F,1.0\n")
    assert table.changed()


@pytest.mark.parametrize("content", [PLAIN * 50, "Lab export\n\n" + PLAIN, PLAIN + "1,2\n"])
@pytest.mark.parametrize("beside", [0, 1 << 30])
def test_a_tables_hash_is_that_of_its_file_from_the_first_byte(tmp_path, monkeypatch, beside, content):
    monkeypatch.setattr(text, "HASHED_BESIDE", beside)
    monkeypatch.setattr(files, "HASHED", 1000)
    path = tmp_path / "x.csv"
    path.write_text(content)
    assert open_table(path, TableRef(path="x.csv")).sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_changed_while_it_was_hashed_has_no_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "HASHED_BESIDE", 0)
    path = tmp_path / "x.csv"
    path.write_text(PLAIN)
    table = open_table(path, TableRef(path="x.csv"))
    path.write_text(PLAIN + "P99,50,F,1.0\n")
    with pytest.raises(UserError) as told:
        table.sha256()
    assert told.value.code == "changed"


def test_a_stop_does_not_wait_for_a_hash_on_a_slow_drive(tmp_path, monkeypatch):
    def slowly(path, stopped):
        assert stopped.wait(60), "waited in vain"
        raise Stopped
    monkeypatch.setattr(text, "HASHED_BESIDE", 0)
    monkeypatch.setattr(files, "sha256", slowly)
    path = tmp_path / "x.csv"
    path.write_text(PLAIN)
    table = open_table(path, TableRef(path="x.csv"))
    with pytest.raises(Stopped):
        scan_table(table, watch=SimpleNamespace(stopping=lambda: True))
    with pytest.raises(Stopped):
        table.sha256()


def test_a_hash_that_is_stopped_is_none(tmp_path):
    (tmp_path / "x.csv").write_text(PLAIN)
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Stopped):
        files.sha256(tmp_path / "x.csv", stopped)


def test_hashing_ends_with_the_table_that_it_was_for(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(text, "HASHED_BESIDE", 0)
    monkeypatch.setattr(text, "Hashing", lambda path: begun.append(files.Hashing(path)) or begun[-1])
    path = tmp_path / "x.csv"
    path.write_text(PLAIN)
    table = open_table(path, TableRef(path="x.csv"))
    assert not begun[0]._stopped.is_set()
    del table
    gc.collect()
    assert begun[0]._stopped.is_set()


def test_survey_counts_what_the_csv_module_counts(tmp_path):
    import csv
    path = tmp_path / "x.csv"
    with path.open("w", newline="") as file:
        rows = [[f"a{n}", 'x "q", \n y' * (n % 3), "z"] for n in range(20_000)]
        csv.writer(file, lineterminator="\n").writerows(rows)
    seen = survey.survey(files.Material(path), ",", 3, 0)
    assert (seen.rows, seen.separators) == (20_000, 40_000) and seen.regular(3) and seen.padded


@pytest.mark.parametrize("dirt", ["1,2\n\n3,4\n", "1,2\n,\n3,4\n", "1,2,3\n3,4\n", '1,"2\n3,4\n', "1,\x002\n"])
def test_survey_sees_what_needs_mending(tmp_path, dirt):
    path = tmp_path / "x.csv"
    path.write_text(dirt)
    assert not survey.survey(files.Material(path), ",", 2, 0).regular(2)


@pytest.mark.parametrize("odd", [None, "\n\n", ",,\n", '"', "é", " ", 'x"y', "\udcff"])
@pytest.mark.parametrize("place", [0.1, 0.9])
@pytest.mark.parametrize("quoted", [False, True])
def test_small_pieces_are_surveyed_as_the_whole(tmp_path, monkeypatch, odd, place, quoted):
    """With quotes, nearly every line end stands inside of them: at the borders of pieces too."""
    cell = '"' + "y\n" * 40 + '"' if quoted else "y"
    rows = [f"{n},{cell},z\n" for n in range(9000)]
    if odd is not None:
        rows[int(place * len(rows))] = f"1,{odd},z\n" if odd not in ("\n\n", ",,\n") else f"1,2,z{odd}"
    path = tmp_path / "x.csv"
    path.write_bytes("".join(["a,b,c\n", *rows]).encode("utf-8", "surrogateescape"))
    whole = survey.survey(files.Material(path), ",", 3, 6)
    monkeypatch.setattr(survey, "_PIECE", 301)
    assert survey.survey(files.Material(path), ",", 3, 6) == whole
    assert whole.regular(3) == (odd in (None, "é", " "))


@pytest.mark.parametrize("piece", [301, 1 << 18])
def test_a_survey_ends_at_the_first_zero_byte(tmp_path, monkeypatch, piece):
    (tmp_path / "x.csv").write_bytes(b"a,b\n" + b"1,2\n" * 200_000 + b"1,\0\n" + b"1,2\n" * 200_000)
    monkeypatch.setattr(survey, "_PIECE", piece)
    seen = survey.survey(files.Material(tmp_path / "x.csv"), ",", 2, 4)
    assert seen.zeros and not seen.regular(2) and 800_000 <= seen.line_ends * 4 < 800_000 + 4 * piece


@pytest.mark.parametrize("before", [0, 1, 100_000])
def test_a_field_longer_than_the_limit_is_seen_wherever_it_stands(tmp_path, before):
    path = tmp_path / "x.csv"
    path.write_text("1,2\n" * before + "1," + "x" * survey.LONG_FIELD + "\n" + "1,2\n" * 100_000)
    assert survey.survey(files.Material(path), ",", 2, 0).long_fields
    path.write_text("1,2\n" * before + "1," + "x" * (survey.LONG_FIELD // 2 - 1) + "\n" + "1,2\n" * 100_000)
    assert not survey.survey(files.Material(path), ",", 2, 0).long_fields


def test_every_code_of_a_note_is_spelt_once():
    assert len(set(WARNINGS)) == len(WARNINGS)


def test_a_column_may_be_named_count(read):
    rows = "".join(f"{n % 50 if n % 9 else -999},{'ab?'[n % 3]}\n" for n in range(90))
    entry, table = read("count,events\n" + rows)
    assert entry.reason_code == "sentinel_missing" and table.columns == ["count", "events"]
    entry, _ = read("id,count\n" + "".join(f"P{n},{'rare' if n == 5 else 'ab'[n % 2]}\n" for n in range(90)))
    assert entry.reason_code == "small_cells"


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".jsonl"])
def test_long_notes_are_looked_at_up_to_a_limit_of_bytes(tmp_path, monkeypatch, ending):
    """1,000 rows of about 1,500 bytes: 64 KiB hold about 43 of them."""
    frame = pl.DataFrame({"pid": [f"P{n}" for n in range(1000)],
                          "note": ["seen, \n" * 200 + str(n) for n in range(1000)]})
    path = tmp_path / f"x{ending}"
    if ending == ".parquet":
        frame.write_parquet(path)
    elif ending == ".jsonl":
        frame.write_ndjson(path)
    else:
        plain = frame.write_csv().encode()
        path.write_bytes(gzip.compress(plain) if ending == ".csv.gz" else plain)
    monkeypatch.setattr(content, "MOST_BYTES", 64 << 10)
    looked_at = []
    looker = content._looker
    monkeypatch.setattr(content, "_looker", lambda seen: looked_at.append(seen) or looker(seen))
    _, [table] = find_tables(path)
    assert table.rows == 1000 and table.frame().height == 1000
    assert 35 <= looked_at[0].height <= 50
    assert looked_at[0]["pid"].to_list() == frame["pid"].head(looked_at[0].height).to_list()


@pytest.mark.parametrize("quoted", [True, False])
def test_rows_of_a_block_are_counted_as_they_are_read(quoted):
    block = b'1,"a\n""b"\n2,c\n3,"d\n\n"'
    assert blocks.count_rows(block, quoted=quoted) == (3 if quoted else 6)
    assert blocks.count_rows(b"1,a\n2,b\n", quoted=quoted) == 2


@pytest.mark.parametrize("name", ["x.csv.gz", "wide.csv"])
def test_a_copy_is_never_hashed_for_the_file(tmp_path, name):
    path = tmp_path / name
    path.write_bytes({"x.csv.gz": gzip.compress(PLAIN.encode()), "wide.csv": PLAIN.encode("utf-16")}[name])
    table = open_table(tmp_path, TableRef(path=name))
    assert table.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    """Its counts would be of other rows than its SHA-256."""
    path = tmp_path / "x.csv"
    path.write_text(PLAIN)
    batches = open_table(tmp_path, TableRef(path="x.csv")).batches(7)
    next(batches)
    path.write_text(PLAIN + "P99,50,F,1.0\n")
    with pytest.raises(UserError, match="changed while it was being read"):
        list(batches)


@pytest.mark.parametrize("odd", [500, 2_500])
def test_a_table_mended_while_it_is_read_keeps_the_sha256_of_its_file(tmp_path, monkeypatch, odd):
    """The odd rows stand where the sample for the columns' types is taken, or behind."""
    monkeypatch.setattr(text, "EXACT_UP_TO", 0)
    path = tmp_path / "x.csv"
    lines = [f"{n},x,y" for n in range(3_000)]
    lines[odd - 100], lines[odd] = "1,x", "2,x,y,z"
    path.write_text("a,b,c\n" + "\n".join(lines) + "\n")
    table = open_table(tmp_path, TableRef(path="x.csv"))
    assert sum(batch.height for batch in table.batches(100)) == 2_999
    assert table.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
