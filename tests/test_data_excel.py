"""Excel workbooks written by the tests: typed values, traps, odd sheets. Reference: openpyxl wrote them."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import openpyxl
import polars as pl
import pytest

from medml.data import find_tables, open_table
from medml.types import TableRef


def rows(n: int = 30) -> list[list[object]]:
    return [["id", "age", "when", "sex", "died"]] + [
        [i, 40.5 + i, dt.datetime(2024, 3, 1) + dt.timedelta(days=i), "FM"[i % 2], i % 3 == 0] for i in range(n)]


@pytest.fixture
def read(tmp_path):
    """Write a workbook from {sheet: rows}, change its parts, find its tables."""
    def write_and_find(sheets: dict[str, list[list[object]]], *, change=None, name="x.xlsx", epoch=None):
        book = openpyxl.Workbook()
        book.remove(book.active)
        if epoch is not None:
            book.epoch = epoch
        for title, content in sheets.items():
            sheet = book.create_sheet(title)
            for row in content:
                sheet.append(row)
        memory = io.BytesIO()
        book.save(memory)
        (tmp_path / name).write_bytes(changed(memory, change) if change else memory.getvalue())
        return find_tables(tmp_path / name)
    return write_and_find


def changed(memory: io.BytesIO, change) -> bytes:
    """The workbook with each part's bytes passed through `change(name, content)`; None leaves a part out."""
    out = io.BytesIO()
    with zipfile.ZipFile(memory) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = change(part, old.read(part))
            if content is not None:
                new.writestr(part, content)
    return out.getvalue()


def test_values_come_with_their_types(read):
    entries, tables = read({"Sheet": rows()})
    frame = tables[0].frame()
    assert frame.schema == {"id": pl.Int64, "age": pl.Float64, "when": pl.Date, "sex": pl.String, "died": pl.Boolean}
    assert frame.row(1) == (1, 41.5, dt.date(2024, 3, 2), "M", False)
    assert entries[0].action == "read" and entries[0].sheet is None


@pytest.mark.parametrize("epoch", [dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)])
def test_dates_are_right_in_both_date_systems(read, epoch):
    _, tables = read({"Sheet": rows()}, epoch=epoch)
    assert tables[0].frame()["when"][0] == dt.date(2024, 3, 1)


def test_several_sheets_are_several_tables_and_empty_ones_are_told(read, tmp_path):
    entries, tables = read({"labs": rows(), "visits": rows(12), "empty": []})
    assert [(entry.sheet, entry.action, entry.rows) for entry in entries] == [
        ("labs", "read", 30), ("visits", "read", 12), ("empty", "skip", None)]
    assert [table.ref.label for table in tables] == ["x.xlsx · labs", "x.xlsx · visits"]
    assert open_table(tmp_path, TableRef(path="x.xlsx", sheet="visits")).rows == 12
    entries, tables = find_tables(tmp_path, sheet="visits")
    assert [table.rows for table in tables] == [12]
    assert find_tables(tmp_path, sheet="absent")[0][0].reason_code == "no_sheet"


def test_title_units_and_total_around_the_table_are_left_out(read):
    content = [["Lab export"], [], ["id", "age", "crp"], [None, "years", "mg/L"]]
    content += [[i, 40 + i, i / 10] for i in range(20)] + [["Total", None, 190]]
    entries, tables = read({"Sheet": content})
    assert entries[0].message == ("Two lines above the table and one row of units were left out. "
                                  "One row below the table (such as a total) was left out.")
    assert entries[0].reason_code == "preamble"
    assert tables[0].units == {"age": "years", "crp": "mg/L"} and tables[0].rows == 20
    assert tables[0].frame()["crp"].dtype == pl.Float64


GROUPED = [  # (lines of the header, names)
    ([["Person", None, "Laboratory", None, None, "Outcome"], ["age", "sex", "crp", "hb", "wbc", "relapse"]],
     ["age", "sex", "crp", "hb", "wbc", "relapse"]),
    ([["age", "sex", "Laboratory", None, None, "relapse"], [None, None, "crp", "hb", "wbc", None]],
     ["age", "sex", "crp", "hb", "wbc", "relapse"]),
    ([["age", "Laboratory"], [None, "sex", "crp", "hb", "wbc", "relapse"]],
     ["age", "sex", "crp", "hb", "wbc", "relapse"]),
    ([["age", "sex", "Before", None, "After", None], [None, None, "crp", "hb", "crp", "hb"]],
     ["age", "sex", "Before crp", "Before hb", "After crp", "After hb"]),
]


@pytest.mark.parametrize(("header", "names"), GROUPED)
def test_names_under_a_line_of_merged_groups_are_names_and_no_patient(read, header, names):
    content = [[40 + i, "FM"[i % 2], i / 10, 13.5 + i, 7 + i, i % 3 / 7] for i in range(20)]
    entries, tables = read({"Sheet": [*header, *content]})
    assert tables[0].columns == names and tables[0].rows == 20
    assert "The names stand in two lines" in entries[0].message
    assert tables[0].frame()["age"].dtype == pl.Int64


def test_a_csv_saved_from_a_sheet_with_merged_cells_keeps_its_names(tmp_path):
    cells = (f"{40 + i},{'FM'[i % 2]},{i / 10},{13.5 + i}" for i in range(9))
    (tmp_path / "a.csv").write_text("\n".join(["Export of 3 March", "Person,,Laboratory,", "age,sex,crp,hb", *cells]))
    entries, tables = find_tables(tmp_path)
    assert entries[0].reason_code == "two_lines_of_names"
    assert tables[0].columns == ["age", "sex", "crp", "hb"] and tables[0].rows == 9


@pytest.mark.parametrize("first", [[1, "F", 0.1], ["p1", None, 0.1], ["p1", "F", "not done"]])
def test_a_column_without_a_name_makes_no_patient_a_line_of_names(read, first):
    entries, tables = read({"Sheet": [[None, "sex", "crp"], first] + [[f"p{i}", "FM"[i % 2], i / 10]
                                                                      for i in range(20)]})
    assert tables[0].rows == 21 and "two lines" not in entries[0].message


def test_a_table_need_not_begin_in_the_first_column(read):
    _, tables = read({"Sheet": [[None, None, *row] for row in rows()]})
    assert tables[0].columns == ["id", "age", "when", "sex", "died"] and tables[0].rows == 30


def test_formatted_but_empty_columns_make_no_noise(read):
    entries, tables = read({"Sheet": [[*row, None, None] for row in rows()]})
    assert tables[0].frame().width == 5 and entries[0].action == "read"


def test_numbers_and_words_in_one_column_are_text_as_typed(read):
    entries, tables = read({"Sheet": [["id", "lab"]] + [[i, 5 if i % 2 else "not done"] for i in range(20)]})
    assert set(tables[0].frame()["lab"]) == {"5", "not done"} and entries[0].reason_code == "mixed_types"


def test_errors_are_missing_and_formulas_without_results_are_told(read):
    def change(part, content):
        if not part.endswith("sheet1.xml"):
            return content
        content = content.replace(b'<c r="B2" t="n"><v>40.5</v></c>', b'<c r="B2" t="e"><v>#DIV/0!</v></c>')
        return content.replace(b'<c r="B3" t="n"><v>41.5</v></c>', b'<c r="B3"><f>A3*2</f><v></v></c>')
    entries, tables = read({"Sheet": rows()}, change=change)
    assert tables[0].frame()["age"][:3].to_list() == [None, None, 42.5]
    assert {note.code for note in tables[0].notes} >= {"error_cells", "formulas_without_values"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_they_are_read(read, encoding):
    trap = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><sst><si><t>&b;</t></si></sst>'
    entries, tables = read({"Sheet": rows()}, change=lambda part, content: trap.encode(encoding)
                           if part.endswith("styles.xml") else content)
    assert (entries[0].action, entries[0].reason_code) == ("refuse", "xml_entities") and not tables


def test_a_part_that_grows_without_measure_is_refused(read):
    entries, _ = read({"Sheet": rows()}, change=lambda part, content: content + b" " * 60_000_000
                      if part.endswith("sheet1.xml") else content)
    assert (entries[0].action, entries[0].reason_code) == ("refuse", "expands_too_much")


def test_far_cells_are_told_and_cost_nothing(read):
    far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>stray</t></is></c></row></sheetData>'
    entries, tables = read({"Sheet": rows()}, change=lambda part, content: content.replace(b"</sheetData>", far)
                           if part.endswith("sheet1.xml") else content)
    assert entries[0].reason_code == "far_cells" and tables[0].frame().shape == (30, 5)


@pytest.mark.parametrize("cut", [100, 2000, -30])
def test_a_cut_off_workbook_is_told(read, tmp_path, cut):
    read({"Sheet": rows()})
    whole = (tmp_path / "x.xlsx").read_bytes()
    (tmp_path / "x.xlsx").write_bytes(whole[:cut])
    entries, _ = find_tables(tmp_path)
    assert (entries[0].action, entries[0].reason_code) == ("skip", "damaged")


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_a_part_that_is_gone_or_garbled_is_told(read, part):
    for broken in (None, b"\x00\x01garbage", b"<worksheet><sheetData><row r='x'><c r='A1' s='zz'/></row>"):
        entries, tables = read({"Sheet": rows()},
                               change=lambda name, content, broken=broken: broken if name == part else content)
        assert entries[0].action == "skip" and entries[0].message and not tables


def test_a_csv_called_xlsx_is_read_as_csv(tmp_path):
    (tmp_path / "x.xlsx").write_text("id,age\n" + "".join(f"{n},{n + 40}\n" for n in range(20)))
    entries, tables = find_tables(tmp_path)
    assert entries[0].message == "This file is a CSV, although its name ends in .xlsx. It was read as a CSV."
    assert tables[0].rows == 20


def test_a_hidden_sheet_is_left_out_and_told(read):
    def change(part, content):
        return content.replace(b'sheetId="2" state="visible"', b'sheetId="2" state="hidden"')
    entries, tables = read({"labs": rows(), "codes": rows()}, change=change)
    assert [entry.reason_code for entry in entries] == [None, "hidden_sheet"] and len(tables) == 1


def test_a_long_sheet_is_the_table_that_was_written(read):
    content = [["id", "x", "note"]] + [[i, i / 8, f"n{i}" if i % 5 else None] for i in range(45_000)]
    _, tables = read({"Sheet": content})
    frame = tables[0].frame()
    assert frame["id"].to_list() == list(range(45_000)) and frame["x"].to_list() == [i / 8 for i in range(45_000)]
    assert frame["note"].null_count() == 9_000 and sum(batch.height for batch in tables[0].batches(10_000)) == 45_000
