"""Tables sort and search in a browser, by hand and by the keyboard, without a server."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from pages._ui_frame import LOOK
from pages._ui_tables import SCRIPT, Cell, table_html
from pages._ui_terms import with_entries

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
NAMES = ["Fold 10", "Fold 9", "Zoster", "age", "Ålder", "n 4", "n 5", "last"]
COUNTS = ["1,200", "900", "–", "33", "about 7", "12", Cell("none", 0), "5"]


def drawn() -> str:
    rows = [(name, count, Cell("–" if at == 3 else f"<b>0.{at}</b>", None if at == 3 else -at))
            for at, (name, count) in enumerate(zip(NAMES, COUNTS, strict=True))]
    return with_entries(table_html(("Column", "Count", "AUROC"), rows, raw=(2,)))


@pytest.fixture(scope="module")
def window(browser_of_tests):
    page = browser_of_tests.new_page(viewport={"width": 700, "height": 900}, locale="en-GB")
    yield page
    page.close()


@pytest.fixture
def page(window):
    """The table alone, as the app draws it."""
    looks = "".join(each.read_text(encoding="utf-8") for each in LOOK)
    window.set_content(f"<style>{looks}</style><main class='stApp'><div id='place'>{drawn()}</div></main>")
    window.add_script_tag(content=SCRIPT.read_text(encoding="utf-8"), type="module")
    window.wait_for_function("document.documentElement.dataset.tables")
    return window


def column(page, at: int = 1) -> list[str]:
    return page.locator(f"tbody tr:visible td:nth-child({at})").all_inner_texts()


def test_a_heading_sorts_up_then_down_then_as_it_came(page):
    count = page.get_by_role("button", name="Count", exact=True)
    head = page.get_by_role("columnheader", name="Count", exact=True)
    widths = page.locator("th").evaluate_all("all => all.map(each => each.offsetWidth)")
    count.click()
    assert column(page, 2) == ["none", "5", "about 7", "12", "33", "900", "1,200", "–"]
    expect(head).to_have_attribute("aria-sort", "ascending")
    count.click()
    assert column(page, 2) == ["1,200", "900", "33", "12", "about 7", "5", "none", "–"]  # what is not known stays last
    expect(head).to_have_attribute("aria-sort", "descending")
    count.click()
    assert column(page) == NAMES
    expect(head).to_have_attribute("aria-sort", "none")
    assert page.locator("th").evaluate_all("all => all.map(each => each.offsetWidth)") == widths


def test_words_are_sorted_as_a_person_does(page):
    page.get_by_role("button", name="Column", exact=True).click()
    assert column(page) == ["age", "Ålder", "Fold 9", "Fold 10", "last", "n 4", "n 5", "Zoster"]


def test_a_figure_is_sorted_by_its_value_and_its_term_still_opens(page):
    page.get_by_role("button", name="AUROC", exact=True).click()
    expect(page.get_by_role("dialog", name="AUROC")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Sort by AUROC").click()
    assert column(page, 3) == ["0.7", "0.6", "0.5", "0.4", "0.2", "0.1", "0.0", "–"]


def test_a_search_leaves_what_holds_every_word_and_nothing_moves(page):
    box = "document.querySelector('.m-table').getBoundingClientRect().toJSON()"
    before, head = page.evaluate(box), page.locator("th").evaluate_all("all => all.map(each => each.offsetWidth)")
    field = page.get_by_role("searchbox", name="Search this table")
    field.fill("alder")  # without its ring
    assert column(page) == ["Ålder"]
    field.fill("9 fold")
    assert column(page) == ["Fold 9"]
    expect(page.get_by_role("status")).to_have_text("1 of 8")
    assert page.evaluate(box) == before
    assert page.locator("th").evaluate_all("all => all.map(each => each.offsetWidth)") == head
    field.fill("nothing such")
    expect(page.get_by_role("status")).to_have_text("None of 8")
    field.fill("")
    assert column(page) == NAMES and page.get_by_role("status").inner_text() == ""


def test_the_keyboard_reaches_both(page):
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Column"
    page.keyboard.press("Enter")
    assert column(page)[0] == "age"
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("fold")
    assert column(page) == ["Fold 9", "Fold 10"]


def test_a_table_drawn_anew_keeps_what_was_chosen(page):
    page.get_by_role("button", name="Count", exact=True).click()
    page.get_by_role("searchbox").fill("fold")
    page.evaluate(f"document.getElementById('place').innerHTML = {json.dumps(drawn().replace('900', '2,000'))}")
    page.wait_for_function("document.querySelector('.m-search input').value === 'fold'")
    assert column(page, 2) == ["1,200", "2,000"]
    expect(page.get_by_role("columnheader", name="Count", exact=True)).to_have_attribute("aria-sort", "ascending")
