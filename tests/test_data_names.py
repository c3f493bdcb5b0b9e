"""Names of columns that are no names to what reads them."""

from __future__ import annotations

import json

import polars as pl
import pytest

from medml.data import find_tables
from medml.profile import scan

CELLS = {"*": ["a", "b", "c"] * 10, "^ ^b$ $": ["no"] * 30, "^x3$": [*range(30)],
         "outcome": [n % 2 for n in range(30)], "x3": [n / 7 for n in range(30)], "^.*$": ["yes"] * 30}


@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_a_column_called_like_a_pattern_is_one_column(tmp_path, kind):
    table, path = pl.DataFrame(CELLS), tmp_path / f"marks.{kind}"
    if kind == "json":
        path.write_text(json.dumps(table.to_dicts()))
    else:
        getattr(table, f"write_{kind}")(path)
    found = scan(path).tables[0]
    assert [each.name for each in found.columns] == ["column 1", "b", "x3", "outcome", "x3 (2)", ".*"]
    assert find_tables(path)[1][0].frame()["x3"].cast(pl.Int64).to_list() == CELLS["^x3$"]
