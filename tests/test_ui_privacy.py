"""The Privacy screen shows what is so: what was refused, what does not hold, and a record to take away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from medml import doctor, home, refusals
from medml.doctor.streamlit_settings import WANTED
from medml.store import vitals

ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"
GOOD = {name: wanted for name, (wanted, *_) in WANTED.items()} | {
    "server.address": "127.0.0.1", "server.port": 1, "server.sslCertFile": None, "guarded": True}


@pytest.fixture
def shown(medml_home, monkeypatch):
    """A function that draws the page as an app with these settings would; the app's own answers are not asked for."""
    for name in ("policy", "names", "listening"):
        monkeypatch.setitem(doctor.registry._found, name, doctor.registry.get("room"))

    def draw(**settings) -> AppTest:
        vitals.tell("app", os.getpid(), GOOD | settings)
        page = AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page("privacy.py").run()
        assert not page.exception
        return page
    return draw


def text_of(page: AppTest) -> str:
    return " ".join(each.proto.body for each in page.get("html"))


def test_what_holds_what_was_refused_and_how_it_is_proved_are_on_the_screen(shown):
    refusals.Record(home.log_folder(), "job").keep("socket.getaddrinfo", "evil.example")
    said = text_of(shown())
    assert "evil.example" in said and "a look-up of a name" in said and "just now" in said
    assert "A tripwire, not a proof" in said and "Usage statistics" in said and "tried" in said
    assert "MedML made a mistake" not in said


def test_a_setting_that_does_not_hold_is_red_and_says_what_to_do(shown, monkeypatch):
    monkeypatch.setenv("MEDML_ALLOW_HOSTS", "<img src=http://192.0.2.1/x>")
    said = text_of(shown(**{"browser.gatherUsageStats": True}))
    assert "sends statistics of use to its makers" in said and "m-say-stop" in said
    assert "&lt;img" in said and "<img" not in said


def test_the_record_is_offered_and_everything_is_looked_at_when_asked(shown, monkeypatch):
    asked = []
    whole = doctor.registry.get("room")
    monkeypatch.setattr(doctor.registry, "_found", {"room": whole, "slow": whole.model_copy(update={
        "slow": True, "run": lambda scene: asked.append(scene.role) or iter(())})})
    page = shown()
    assert page.get("download_button") and asked == []
    next(each for each in page.button if each.label == "Look at everything again").click()
    assert not page.run().exception and asked == ["app"]
