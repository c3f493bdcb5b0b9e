"""Colours and letters as .streamlit/config.toml names them, made into Streamlit's message once."""

from __future__ import annotations

from functools import cache

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session


def make_the_theme_once() -> None:
    """Keep what Streamlit makes of the theme's options, which stay as they are while it runs.

    Streamlit reads all of them anew for every run of a page and of every part that polls: 0.7 ms on the one thread that
    all sessions share, a tenth of the server's work with twenty people.
    """
    plain = app_session._populate_theme_msg

    @cache
    def made(section: str) -> CustomThemeConfig:
        found = CustomThemeConfig()
        plain(found, section)
        return found

    def populate(message: CustomThemeConfig, section: str = "theme") -> None:
        if made(section).ByteSize():  # an empty part that is there is not the same as one that is not
            message.MergeFrom(made(section))
    app_session._populate_theme_msg = populate
