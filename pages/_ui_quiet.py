"""Quiet hours on the Jobs screen: which hold, and how they are changed."""

from __future__ import annotations

from datetime import time

import streamlit as st

import worker
from medml import morning, quiet
from pages import _ui as ui

USUAL = quiet.Hours(start=8 * 60, end=18 * 60)


def card() -> None:
    """Which quiet hours hold, in a sentence, and a fold-out to change them."""
    ui.section("Quiet hours", morning.quiet_in_words())
    with st.container(key="m_card_quiet"), st.expander("Change the quiet hours"):
        now = quiet.hours() or USUAL
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="m_quiet"):
            start = st.time_input("From", time(*divmod(now.start, 60)), key="m_quiet_from", step=900, width=120)
            end = st.time_input("To", time(*divmod(now.end, 60)), key="m_quiet_to", step=900, width=120)
            pressed = st.button("Keep these hours", key="m_quiet_keep", icon=":material/notifications_paused:",
                                **ui.allowed("settings"))
            none = st.button("No quiet hours", key="m_quiet_off",
                             **ui.allowed("settings", disabled=quiet.hours() is None and not quiet.damaged()))
    if pressed:
        keep(f"{start:%H:%M}-{end:%H:%M}")
    if none:
        keep("off")


def keep(words: str) -> None:
    """Set them, and draw the page anew."""
    worker.set_quiet_hours(words)
    st.rerun()
