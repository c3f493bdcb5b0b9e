"""Long lists: the first rows with their buttons, all of them once somebody asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import worker
from medml import project
from pages._ui_lists import FIRST

ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"


def opened(page: str) -> AppTest:
    shown = AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page(page).run()
    assert not shown.exception
    return shown


def rows(page: AppTest) -> list[str]:
    """The keys of the rows that can be opened."""
    return [each.key for each in page.button if (each.key or "").startswith("m_open_")]


@pytest.fixture
def many_projects(tmp_path) -> list[str]:
    (tmp_path / "a.csv").write_text("age\n1\n")
    return [project.create(tmp_path / "a.csv", f"Study {at}").id for at in range(FIRST + 2)]


def test_of_many_projects_the_last_ones_worked_on_and_then_all(many_projects):
    page = opened("home.py")
    assert len(rows(page)) == FIRST and f"Show all {FIRST + 2}" in [each.label for each in page.button]
    page.button(key="m_more_projects").click().run()
    assert {each.removeprefix("m_open_") for each in rows(page)} == set(many_projects)
    assert not [each for each in page.button if each.key == "m_more_projects"]


def test_a_removed_project_is_gone_from_the_whole_list_that_stays_open(many_projects):
    page = opened("home.py")
    page.button(key="m_more_projects").click().run()
    project.delete(many_projects[0])
    assert len(rows(page.run())) == FIRST + 1


def test_of_much_work_that_ended_the_newest_and_then_all(many_projects):
    ended = [worker.enqueue("scan", {"project": each}, project=each) for each in many_projects]
    for each in ended:
        worker.stop(each)  # it waits: it ends at once
    page = opened("jobs.py")
    assert rows(page) == [f"m_open_{each}" for each in reversed(ended)][:FIRST]
    page.button(key="m_more_last").click().run()
    assert rows(page) == [f"m_open_{each}" for each in reversed(ended)]


def test_a_short_list_has_nothing_to_ask_for(tmp_path):
    (tmp_path / "a.csv").write_text("age\n1\n")
    for at in range(FIRST):
        project.create(tmp_path / "a.csv", f"Study {at}")
    page = opened("home.py")
    assert len(rows(page)) == FIRST and not [each for each in page.button if each.label.startswith("Show all")]


def test_what_is_folded_away_is_drawn_once_it_is_opened_and_does_what_it_says(many_projects):
    page, first = opened("home.py"), many_projects[-1]
    assert not [each for each in page.text_input if (each.key or "").startswith("m_name_")]
    page.session_state[f"m_more_{first}"] = True
    page.run()
    assert [each.key for each in page.text_input if (each.key or "").startswith("m_name_")] == [f"m_name_{first}"]
    page.text_input(key=f"m_name_{first}").set_value("Another name").run()
    page.session_state[f"m_more_{first}"] = False  # closed by a click beside it, and opened again
    page.run()
    page.session_state[f"m_more_{first}"] = True
    page.run()
    assert page.text_input(key=f"m_name_{first}").value == "Another name"
    page.button(key=f"m_save_{first}").click().run()
    assert not page.exception and project.get(first).name == "Another name"
    page.checkbox(key=f"m_sure_{first}").check().run()
    page.button(key=f"m_remove_{first}").click().run()
    assert not page.exception and first not in project.ids()
