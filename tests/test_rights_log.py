"""On the ward the audit log says who looked at patients and who changed a project: once a window, ids alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from medml import audit, home, project, rights
from medml.errors import UserError
from medml.types import Choice, Recipe, TableRef
from tests.test_rights import BEA, Ward

PAGES = Path(__file__).resolve().parents[1] / "pages"


@pytest.fixture
def ward(monkeypatch):
    found = Ward()
    monkeypatch.setattr(rights, "_who", found)
    return found


@pytest.fixture
def table(tmp_path) -> Path:
    place = tmp_path / "data" / "t.csv"
    place.parent.mkdir()
    place.write_text("a,b\n1,2\n")
    return place


@pytest.fixture
def mine(ward, table):
    """A project of Ada's with a run."""
    made = project.create(table)
    home.ensure(home.runs_folder() / "r1")
    project.add_run(made.id, "r1")
    return made


def told() -> list[tuple[str, str, str, str]]:
    return [(each.name, each.act, each.sort, each.thing) for each in audit.entries()]


def test_every_change_of_a_project_is_in_the_log_once_and_says_what_was_changed(ward, mine):
    before, choice = len(audit.entries()), Choice(table=TableRef(path="t.csv"), target="b", task="regression")
    recipe = Recipe(profile_sha256="x", steps=[])
    for value in (choice, choice, recipe, recipe, choice.model_copy(update={"target": "a"})):
        project.write(mine.id, value)
    project.rename(mine.id, "ZZSECRET")
    assert told()[before:] == [("Ada", act, "project", mine.id) for act in (
        "change outcome or columns", "change cleanup", "change outcome or columns", "rename")]
    assert "ZZSECRET" not in str(audit.entries()) and set(project.CHANGES) == set(project.FILES)


def test_a_change_that_the_log_cannot_hold_is_not_made(ward, mine, monkeypatch):
    def full(**_) -> None:
        raise UserError(what="full", fix="make room")

    monkeypatch.setattr(rights.audit, "add", full)
    with pytest.raises(UserError, match="full"):
        project.write(mine.id, Recipe(profile_sha256="x", steps=[]))
    assert project.recipe(mine.id) is None


@pytest.mark.parametrize(("question", "about", "act"), [
    ("judged", {}, "look"), ("explained", {"part": "swarm"}, "look"), ("explained", {"part": "again"}, "look"),
    ("explained", {"part": "one", "row": 17}, "look at one"), ("patient", {"values": {"age": 17}}, "predict"),
    ("look_new", {}, "predict")])
def test_who_looks_at_patients_is_in_the_log_and_no_patient_is(ward, mine, question, about, act):
    before = len(audit.entries())
    rights.require_answer(question, about | {"run": "r1"})
    assert told()[before:] == [("Ada", act, "run", "r1")] and "17" not in str(told()[before:])


def test_a_look_at_the_rows_of_a_project_is_in_the_log_once_a_window(ward, mine):
    before = len(audit.entries())
    shown = AppTest.from_function(looks, args=(mine.id,)).run()
    assert not shown.run().exception and told()[before:] == [("Ada", "look", "project", mine.id)]
    AppTest.from_function(looks, args=(mine.id,)).run()
    assert len(told()) == before + 2
    ward.who = BEA
    refused = AppTest.from_function(looks, args=(mine.id,)).run()
    assert refused.exception and audit.entries()[-1].outcome == "refused"


def looks(project: str) -> None:
    """Stands for a screen of rows."""
    from pages import _ui as ui

    ui.looked(project)


@pytest.mark.parametrize("screen", ["_sample.py", "_ui_pictures.py", "_ui_size.py", "_ui_networks.py"])
def test_every_screen_that_opens_a_table_notes_the_look(screen):
    assert "ui.looked(project.id)" in (PAGES / screen).read_text(encoding="utf-8")


def test_no_other_screen_opens_a_table():
    opening = {each.name for each in PAGES.glob("*.py") if re.search(
        r"import open_table|\bopen_table\(|import .*\btake\b", each.read_text(encoding="utf-8"))}
    assert opening == {"_sample.py", "_ui_pictures.py", "_ui_size.py", "_ui_networks.py"}


def test_on_a_laptop_ones_own_work_fills_no_log(table):
    made = project.create(table)
    project.write(made.id, Recipe(profile_sha256="x", steps=[]))
    rights.require_answer("judged", {"run": "r1"})
    assert [each.act for each in audit.entries()] == ["create"]
