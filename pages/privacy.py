"""Privacy: which settings hold, what was refused and when, which addresses an administrator allowed; a record of it."""

from __future__ import annotations

import time

import streamlit as st

from medml.refusals import Kept
from pages import _ui as ui
from pages import _ui_privacy as drawn

TITLE = "Privacy"
LEAD = "What keeps your data on this machine, tried as this page was opened."
WHOLE = "m_privacy_whole"  # in the session: what the last whole look found


def looked_at():
    """The look of a moment ago that took everything in, else a quick one made now."""
    from medml import doctor

    whole = st.session_state.pop(WHOLE, None)
    return whole if whole is not None else doctor.examine(slow=False, role="app")


def look_again() -> None:
    """Everything, the slow looks too; drawn by the run that follows."""
    from medml import doctor

    with st.spinner("Looking at everything: processes are started and tried, a few seconds"):
        st.session_state[WHOLE] = doctor.examine(role="app")
    st.rerun()


def refused() -> list[Kept]:
    from medml import home, refusals

    return refusals.kept(home.log_folder())


def save(text: str) -> None:
    st.download_button("Save the record", text, f"medml-privacy-{time.strftime('%Y-%m-%d')}.txt", "text/plain",
                       on_click="ignore", icon=":material/download:", key="m_privacy_record")


with ui.page(TITLE, project_required=False, lead=LEAD):
    from medml.doctor.record import as_text

    found, kept = looked_at(), refused()
    drawn.summary(found, kept)
    drawn.to_look_at(found)
    drawn.refusals(kept)
    drawn.settings(found)
    drawn.proof()
    ui.section("Who did what", "Every project started, model trained, asked, taken out or deleted, and every "
               "account, in a log that shows when somebody changed it.")
    st.page_link("audit.py", label="Audit log", icon=":material/history:")
    if ui.next_button("Look at everything again", beside=lambda: save(as_text(found, kept))):
        look_again()
