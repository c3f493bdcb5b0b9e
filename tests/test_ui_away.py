"""The shared queue goes away under a screen: the screen says so in words, whatever is pressed, and comes back."""

from __future__ import annotations

import pytest
import streamlit as st
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


def test_a_screen_that_is_opened_while_the_queue_is_away_is_drawn_anew_once_it_is_back(server, monkeypatch):
    """The browser's timer is made here: what it is to call, and how often."""
    looks, fragment, anew = [], st.fragment, []

    def timed(act, run_every=None):
        looks.append((act, run_every))
        return fragment(act, run_every=run_every)
    monkeypatch.setattr(st, "fragment", timed)
    server.end()
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page("jobs.py").run()
    assert not page.exception and AWAY in said(page)
    act, = (act for act, every in looks if every and every < 60)
    monkeypatch.setattr(st, "rerun", lambda: anew.append(True))
    act()
    assert not anew
    server.start()
    act()
    assert anew
