"""Who goes on to the next page waits for that page alone, and loses nothing of what was set on the one that is left."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tables import clinic, saved

from bench.people import Person
from medml import project
from pages import _cleanup_steps as steps
from pages import _scan_choice as scan_choice
from tests.e2e.scenes import scanned
from tests.e2e.served import served
from tests.faults.test_app_gone import done

REPLACED = 5  # places that are filled while a page is drawn
LEFT = ("Continue to preview", "Continue to cleanup", "Continue to configure")
ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"


def test_a_page_that_is_left_is_not_drawn_once_more(monkeypatch, tmp_path):
    sent: dict[str, tuple[int, int]] = {}

    async def walk(address: str) -> list[str]:
        person = Person(address)
        await person.open()
        pages = []
        for label in ("Try it on example data", *LEFT):
            await person.until(lambda label=label: person.find("button", label))
            before = person.received
            await person.press(label)
            sent[label] = person.received - before, len(person.shown)
            pages.append(person.title())
        await person.close()
        assert person.errors == []
        return pages

    home = tmp_path / "home"
    monkeypatch.setenv("MEDML_HOME", str(home))
    with served(home) as app:
        assert done(walk(app.url.removeprefix("http://"))) == ["scan", "preview", "cleanup", "configure"]
    for label in LEFT:  # nothing was set on either
        received, shown = sent[label]
        assert received <= shown + REPLACED, label


@pytest.fixture
def study(tmp_path):
    return scanned(saved(clinic(), tmp_path), "Study")


@pytest.mark.parametrize("pause", ["long", "short", "none"])
@pytest.mark.parametrize("answer", ["outcome", "event", "patient", "left out"])
def test_an_answer_changed_just_before_one_goes_on_is_kept(study, answer, pause):
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["project"] = study
    page = page.run().switch_page("scan.py").run()
    asked = {each.label: each for each in [*page.selectbox, *page.multiselect]}
    field, told = {"outcome": ("Outcome to predict", "sex"), "event": ("Which answer is the event?", "0"),
                   "patient": ("Column that says which patient a row belongs to", scan_choice.NOBODY),
                   "left out": ("Columns to leave out", ["ward"])}[answer]
    asked[field].set_value(told)
    if pause == "short":
        interrupted(page, scan_choice, "ask")
    elif pause == "long":
        page.run()
    page.button(key="m_next").click().run()
    assert not page.exception and page.session_state["m_step"] == "preview"
    kept = project.choice(study)
    assert {"outcome": kept.target, "event": kept.positive, "patient": kept.patient or scan_choice.NOBODY,
            "left out": [each for each in kept.leave_out if each == "ward"]}[answer] == told


def test_a_form_drawn_before_another_scan_says_nothing_of_what_that_one_found(study):
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["project"] = study
    page = page.run().switch_page("scan.py").run()
    page.multiselect[0].set_value(["ward"]).run()
    found = project.profile(study)
    project.write(study, found.model_copy(update={"made": f"{found.made} and later"}))  # a colleague scanned again
    page.button(key="m_next").click().run()
    assert not page.exception and "ward" not in project.choice(study).leave_out


@pytest.mark.parametrize("pause", ["long", "short", "none"])
def test_a_setting_changed_just_before_one_goes_on_is_kept(study, pause):
    """The change and the press may reach the server as one; or the press interrupts the drawing that would keep it."""
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["project"] = study
    page = page.run().switch_page("cleanup.py").run()
    left_out = next(each for each in page.multiselect if each.key.startswith("m_drop_"))
    left_out.set_value(left_out.options[:1])
    if pause == "short":
        interrupted(page, steps, "card")
    elif pause == "long":
        page.run()
    page.button(key="m_next").click().run()
    assert not page.exception
    kept = {each.name: each.params for each in project.recipe(study).steps}
    assert kept["drop_columns"]["columns"] == left_out.options[:1] and page.session_state["m_step"] == "configure"


def interrupted(page, where, name):
    """A run that ends before that is drawn; the browser goes on showing what it showed."""
    shown = page._tree
    with pytest.MonkeyPatch.context() as torn:
        torn.setattr(where, name, lambda *given: st.stop())
        page.run()
    page._tree = shown
