"""The shared queue goes away under a screen: the screen says so in words, whatever is pressed, and comes back."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

import worker
from tests import redis_server
from tests.test_ui_jobs import ROUTER

pytestmark = pytest.mark.machine
AWAY = "The shared queue on"


@pytest.fixture
def server(monkeypatch, tmp_path):
    with redis_server.serving("--appendonly", "yes", "--appendfsync", "always", "--dir", str(tmp_path)) as made:
        monkeypatch.setenv("MEDML_QUEUE", made.url)
        monkeypatch.setenv("MEDML_STATE", str(tmp_path / "state"))
        yield made


@pytest.fixture
def shown(server):
    """The Jobs screen with two trainings that wait."""
    for at in range(2):
        worker.enqueue("continue", {"run": f"mlp-{at}", "rounds": 20, "config": {"name": f"Study {at}"}})
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page("jobs.py").run()
    assert not page.exception and AWAY not in said(page)
    return page


def said(page: AppTest) -> str:
    return " ".join(each.body for each in page.get("html"))


def test_the_jobs_screen_says_that_the_queue_is_away_and_comes_back(server, shown):
    server.end()
    shown.run()
    assert not shown.exception and AWAY in said(shown) and "made a mistake" not in said(shown)
    server.start()
    shown.run()
    assert not shown.exception and AWAY not in said(shown) and "Study 1" in said(shown)


@pytest.mark.parametrize("pressed", ["m_up_", "m_stop_", "m_pause_"])
def test_what_is_pressed_while_the_queue_is_away_is_answered_in_words(server, shown, pressed):
    server.end()
    next(each for each in shown.button if (each.key or "").startswith(pressed)).click().run()
    assert not shown.exception and AWAY in said(shown)
