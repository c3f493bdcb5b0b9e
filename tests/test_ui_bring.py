"""The Gallery's door for a model of another one: a file that takes long is waited for, and told how it ended."""

from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest
from tables import trained_once

from medml import gallery, one_file
from medml.errors import UserError
from pages import _ui_export
from tests.test_ui_jobs import ROUTER

LOOKED_THROUGH = "The file is being looked through"


@pytest.fixture
def slow(monkeypatch, tmp_path):
    """A file that is looked through until the test says that this is over, and what comes of it then."""
    over, ends = threading.Event(), []
    monkeypatch.setattr(_ui_export, "BRING", 0.05)
    monkeypatch.setattr(one_file, "bring_from", lambda path: (over.wait(60), ends[0]())[1])
    (tmp_path / "model.zip").write_bytes(b"")
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page("gallery.py").run()
    page.text_input(key="m_bring_file").set_value(str(tmp_path / "model.zip")).run()
    page.button(key="m_bring_go").click().run()
    yield page, over, ends
    over.set()


def said(page: AppTest) -> str:
    return " ".join(each.body for each in [*page.get("html"), *page.caption, *page.markdown])


def test_a_file_that_takes_long_is_waited_for_and_why_it_failed_is_said(slow):
    page, over, ends = slow
    assert not page.exception and LOOKED_THROUGH in said(page) and "did not answer" not in said(page)
    assert page.button(key="m_bring_go").disabled  # the same file is not brought in twice

    def refused():
        raise UserError(what="This file is damaged.", fix="Take it again there.")
    ends.append(refused)
    over.set()
    page.session_state["m_bringing"].thread.join(10)
    page.run()
    assert "This file is damaged." in said(page) and LOOKED_THROUGH not in said(page)
    assert not page.button(key="m_bring_go").disabled
    page.run()
    assert "This file is damaged." not in said(page)  # said once


def test_who_comes_back_to_the_gallery_is_told_that_it_was_brought_in_and_not_led_away(slow):
    page, over, ends = slow
    ends.append(lambda: "mlp-000000000001")
    page.switch_page("jobs.py").run()
    over.set()
    page.session_state["m_bringing"].thread.join(10)
    page.switch_page("gallery.py").run()
    assert not page.exception and "The model was brought in." in said(page) and LOOKED_THROUGH not in said(page)


def test_a_file_that_is_soon_brought_in_leads_to_its_figures(medml_home, tmp_path):
    with trained_once(tmp_path) as run:
        (tmp_path / "model.zip").write_bytes(one_file.pack(run))
        gallery.delete(run)
        page = AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page("gallery.py").run()
        page.text_input(key="m_bring_file").set_value(str(tmp_path / "model.zip")).run()
        page.button(key="m_bring_go").click().run()
        assert not page.exception and page.session_state["m_current_run"] == run and gallery.is_there(run)
        assert gallery.open_run(run).came_in_a_file
        assert "trained further only where it was made" in said(page) and "Put it back" not in said(page)
