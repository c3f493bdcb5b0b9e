"""White space around cells: the survey of a file says whether there is any, and only then is it looked for again."""

from __future__ import annotations

import pytest

from medml.data import find_tables


@pytest.fixture
def cells(tmp_path):
    """The cells of a column of a text table, read whole and read in batches."""
    def read(content: str, column: str) -> list[list[str]]:
        path = tmp_path / "x.csv"
        path.write_text(content, encoding="utf-8", newline="")
        table = find_tables(path)[1][0]
        return [table.frame()[column].to_list(), [each for batch in table.batches() for each in batch[column]]]
    return read


def test_white_space_at_the_very_end_of_a_file_is_no_part_of_its_last_cell(cells):
    assert cells("a,b\n" + "1,x\n" * 9 + "1,x ", "b") == [["x"] * 10] * 2


@pytest.mark.parametrize("cell", [" x", "x ", "\tx", '" x"', "\u00a0x", "x\r"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_white_space_around_a_cell_is_no_part_of_it_wherever_it_stands(cells, cell, place):
    column = ["x"] * 3
    column[place] = cell
    for before, after in (("1,", ""), ("", ",1")):
        content = "a,b\n" + "\n".join(before + each + after for each in column) + "\n"
        assert cells(content, "b" if before else "a") == [["x"] * 3] * 2
