"""The corner of the bar from which the co-pilot is opened; nothing of it is imported before."""

from __future__ import annotations

import streamlit as st

OPEN = "m_copilot_open"
EVERY = 24 * 3600.0  # seconds; see corner


def corner(project: str | None, title: str, step: str | None) -> None:
    """The button in the bar and, where it is open, the panel: one fragment, so that the page stays as it is.

    A window that comes back to a server which knows nothing of it (started again, or the machine slept) asks for its
    page anew only where a part of it asks by itself, however seldom; else a click on this part would do nothing.
    """
    st.fragment(_corner, run_every=EVERY)(project, st.query_params.get("run"), title, step)


def _corner(project: str | None, run: str | None, title: str, step: str | None) -> None:
    is_open = st.session_state.get(OPEN, False)
    st.button("Co-pilot", key="m_copilot_toggle", icon=":material/forum:", type="tertiary", on_click=_toggle,
              help="Close the co-pilot" if is_open else "Ask about this work")
    if is_open:
        from pages._ui_copilot import panel
        from pages._ui_frame import guard

        with guard():
            panel(project, run, title, step, _toggle)


def _toggle() -> None:
    st.session_state[OPEN] = not st.session_state.get(OPEN, False)
