"""The Jobs screen of several machines: who works on what, and what is amiss between them."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from medml import store
from medml.store import Machine
from pages import _ui_machines as ward
from tests import redis_server

pytestmark = pytest.mark.machine


def test_machines_are_listed_as_one_says_it():
    here, there, third = (Machine(name, name == "a", 1.0) for name in "abc")
    assert ward.who_works([here]) == "At work: a (this one). Each takes one training at a time."
    assert ward.who_works([here, there, third]).startswith("At work: a (this one), b and c.")
    assert ward.who_works([]).startswith("No machine is at work")


def test_one_machine_alone_says_nothing_of_machines():
    store.submit("job-0001", "scan", "quick", {})
    assert ward.where(store.claim("quick", f"1-2.00@{store.mark()}", 30)) == ""
    assert not said(AppTest.from_function(screen).run())


def said(app: AppTest) -> str:
    return " ".join(each.proto.body for each in app.get("html"))


def screen():
    from pages._ui_machines import machines
    machines()


def test_the_screen_says_who_works_and_that_the_list_was_lost_until_somebody_has_seen_it(monkeypatch, tmp_path):
    with redis_server.serving("--appendonly", "yes", "--dir", str(tmp_path)) as server:
        monkeypatch.setenv("MEDML_QUEUE", server.url)
        monkeypatch.setenv("MEDML_STATE", str(tmp_path / "state"))
        monkeypatch.setenv("MEDML_MACHINE", "ward-pc-1")
        store.be_at_work()
        store.submit("job-0001", "scan", "quick", {})
        assert ward.where(store.claim("quick", f"1-2.00@{store.mark()}", 30)) == "on ward-pc-1"
        app = AppTest.from_function(screen).run()
        assert "ward-pc-1 (this one)" in said(app) and not app.button
        server.empty()
        app.run()
        assert "has lost its list of jobs" in said(app)
        app.button(key="m_lost_seen").click().run()
        assert "has lost its list of jobs" not in said(app) and not app.exception
