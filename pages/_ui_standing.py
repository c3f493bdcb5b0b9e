"""What is to be known of MedML's own folder, on the screens where new work begins."""

from __future__ import annotations

import streamlit as st

from medml import standing
from pages._ui_belonging import locked
from pages._ui_words import say


def told() -> None:
    """Draw it; nothing on most days."""
    for each in standing.notes():
        say("caution", each.what, each.fix)
        if each.until_read and not locked("settings"):  # it is told to everybody until it was read
            st.button("I have read this", key="m_mended_read", on_click=standing.has_been_read)
