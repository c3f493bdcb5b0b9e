"""Tables of the screens: what is text, what is sorted by what, and which of them sort and search."""

from __future__ import annotations

import re

import pytest

from pages import _ui_tables as tables
from pages._ui_tables import FEW, MANY, Cell, key_of, table_html


def lines(n: int) -> list[tuple[str, str]]:
    return [(f"row {each}", f"{each:,}") for each in range(n)]


def test_cells_of_a_table_are_text_unless_said_otherwise():
    shown = table_html(("<a>", "b"), [("<i>", "<b>")], raw=(1,))
    assert "&lt;a&gt;" in shown
    assert "&lt;i&gt;" in shown
    assert "<td><b></td>" in shown


@pytest.mark.parametrize(("said", "key"), [
    ("1,234", 1234.0), ("about 12,000", 12000.0), ("12 %", 12.0), ("under 1 %", 1.0), ("-3.5", -3.5), ("−2", -2.0),
    ("+4", 4.0), ("33 s", 33.0), ("2 min", 120.0), ("1.5 h", 5400.0), ("340 kB", 340e3), (7, 7), (0.25, 0.25),
    (Cell("<b>0.9</b>", 0.9), 0.9), (Cell("today", "2026-01-02"), "2026-01-02"), (Cell("?", None), ""),
    ("Fold 3", None), ("2 of 7", None), ("3 patients", None), ("1,23", None), ("–", None), ("", None), ("12-14", None)])
def test_a_cell_is_sorted_by_its_number_or_by_what_it_was_given(said, key):
    assert key_of(said) == key


def test_a_key_of_a_cell_is_text_too():
    assert 'data-by="&quot;&gt;&lt;x&gt;"' in table_html(["a"], [[Cell("b", '"><x>')]] * FEW)


@pytest.mark.parametrize(("n", "sorts", "searches"), [(1, False, False), (FEW - 1, False, False), (FEW, True, False),
                                                       (MANY - 1, True, False), (MANY, True, True), (300, True, True)])
def test_a_table_sorts_from_a_few_rows_and_is_searched_from_some_more(n, sorts, searches):
    shown = table_html(("Name", "Count"), lines(n))
    assert (shown.count('class="m-sort"') == 2) == sorts and ("data-by=" in shown) == sorts
    assert ('type="search"' in shown) == searches


def test_an_order_that_means_something_stays():
    assert "<button" not in table_html(("Points", "Risk"), lines(30), fixed=True)


def test_a_page_with_a_search_of_its_own_has_no_second_one():
    shown = table_html(("Name", "Count"), lines(30), search=False)
    assert "<input" not in shown and "m-sort" in shown


def test_a_term_in_a_heading_opens_its_entry_and_sorts_by_a_button_beside_it():
    shown = table_html(("AUROC", "Name"), lines(FEW))
    head = shown[shown.index("<th"):shown.index("</th>")]
    term, sort = head.index("popovertarget="), head.index('aria-label="Sort by AUROC"')
    assert term < head.index("</button>") < sort  # beside it, not inside


def test_a_heading_without_words_does_not_sort():
    assert table_html(("", "Name"), lines(FEW)).count("m-sort") == 1


def test_tables_with_other_headings_are_told_apart():
    names = [re.search('data-table="(.*?)"', table_html(head, lines(FEW)))[1] for head in (("a", "b"), ("a", "c"))]
    assert len(set(names)) == 2


def test_what_sorts_is_served_under_a_sum_of_its_content():
    address, content = tables.script()
    assert re.fullmatch(r"/static/tables\.[0-9a-f]{12}\.js", address) and content == tables.SCRIPT.read_bytes()
    assert tables.loaded() == f'<script type="module" src="{address}"></script>'
