"""The theme that a browser is told is the one that Streamlit itself would tell."""

from __future__ import annotations

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import NewSession
from streamlit.runtime import app_session

from pages._door_theme import make_the_theme_once

SECTIONS = {"theme": (), "theme.light": ("light",), "theme.dark": ("dark",), "theme.sidebar": ("sidebar",),
            "theme.light.sidebar": ("light", "sidebar"), "theme.dark.sidebar": ("dark", "sidebar")}


def told() -> bytes:
    """The whole theme, filled in the order in which Streamlit does."""
    session = NewSession()
    for section, inside in SECTIONS.items():
        part = session.custom_theme
        for each in inside:
            part = getattr(part, each)
        app_session._populate_theme_msg(part, section)
    return session.SerializeToString(deterministic=True)


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch):
    monkeypatch.setattr(app_session, "_populate_theme_msg", app_session._populate_theme_msg)


def test_a_browser_is_told_what_streamlit_would_tell_it():
    config.get_config_options(force_reparse=True)
    plain = told()
    make_the_theme_once()
    assert told() == told() == plain and len(plain) > 1_000


def test_the_options_are_read_once(monkeypatch):
    asked = []
    monkeypatch.setattr(app_session.config, "get_options_for_section",
                        lambda section: asked.append(section) or {"primaryColor": "#123456"})
    make_the_theme_once()
    first, second = told(), told()
    assert first == second and b"#123456" in first and sorted(asked) == sorted(SECTIONS)
