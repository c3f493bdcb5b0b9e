"""No cell of any table that MedML writes is worked out as a formula by the program that opens it."""

from __future__ import annotations

import ast
import csv
import io
import re
from pathlib import Path

import polars as pl
import pytest

import medml
from medml import spreadsheet

ROOT = Path(medml.__path__[0]).parent
EVIL = ("=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0",
        "\t=1+1", "\r=1+1", "=HYPERLINK(\"http://127.0.0.1/\")")
WRITERS = {"write_csv", "writerow", "writerows", "to_csv", "to_excel", "write_excel", "writer", "DictWriter"}
KNOWN = {  # every place that writes a table, and why it is safe
    "medml/spreadsheet.py": "makes it harmless itself",
    "medml/example.py": "the example's own table, made of numbers and words of ours",
    "medml/data/rewrite.py": "a private copy that is unlinked as soon as it is opened, read by MedML alone",
    "medml/export/beside/run.py": "numbers, and reasons that begin with words of ours",
    "medml/export/beside/run_pictures.py": "as above; names of files are made harmless",
}


@pytest.mark.parametrize("cell", EVIL)
def test_texts_and_names_of_columns_are_made_harmless(cell):
    frame = pl.DataFrame({"id": ["1", cell], cell: ["a", "b"], "p": [-0.5, 2.0]})
    rows = list(csv.reader(io.StringIO(spreadsheet.csv(frame).decode(), newline="")))
    assert [each for row in rows for each in row if re.match(r"[=+@\t\r]|-(?!\d+(\.\d+)?$)", each)] == []
    assert rows[2][0] == f"'{cell}" and rows[0][1] == f"'{cell}" and rows[1][2] == "-0.5"


def test_nothing_else_writes_tables():
    found = {path.relative_to(ROOT).as_posix() for room in ("medml", "worker", "pages")
             for path in (ROOT / room).rglob("*.py")
             for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
             and (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id) in WRITERS}
    assert found == set(KNOWN)


def test_the_program_beside_an_exported_model_makes_names_of_files_harmless():
    code = (ROOT / "medml/export/beside/run_pictures.py").read_text(encoding="utf-8")
    line = next(each for each in code.splitlines() if each.strip().startswith("names = "))
    condition = re.search(r'if name\[0\] in ("[^"]+")', line)
    assert set(ast.literal_eval(condition[1])) == set("=+-@\t\r")
