"""Who goes on to the next page waits for that page alone, and loses nothing of what was set on the one that is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tables import clinic, saved

from bench.people import Person
from medml import project
from tests.e2e.scenes import scanned
from tests.e2e.served import served
from tests.faults.test_app_gone import done

REPLACED = 5  # places that are filled while a page is drawn
ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"


def test_a_page_that_is_left_is_not_drawn_once_more(monkeypatch, tmp_path):
    sent: dict[str, tuple[int, int]] = {}

    async def walk(address: str) -> list[str]:
        person = Person(address)
        await person.open()
        pages = []
        for label in ("Try it on example data", "Continue to preview", "Continue to cleanup", "Continue to configure"):
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
    received, shown = sent["Continue to cleanup"]  # nothing is set on the Preview
    assert received <= shown + REPLACED


@pytest.fixture
def study(tmp_path):
    return scanned(saved(clinic(), tmp_path), "Study")


@pytest.mark.parametrize("slowly", [True, False])
def test_a_setting_changed_just_before_one_goes_on_is_kept(study, slowly):
    """The change and the press may reach the server as one."""
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["project"] = study
    page = page.run().switch_page("cleanup.py").run()
    left_out = next(each for each in page.multiselect if each.key.startswith("m_drop_"))
    left_out.set_value(left_out.options[:1])
    if slowly:
        page.run()
    page.button(key="m_next").click().run()
    assert not page.exception
    steps = {each.name: each.params for each in project.recipe(study).steps}
    assert steps["drop_columns"]["columns"] == left_out.options[:1]
