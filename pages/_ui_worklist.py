"""A check with what a person did about it: to do, asked, done, and a note; kept at once, beside the run."""

from __future__ import annotations

import streamlit as st

from medml import worklist
from medml.gallery import Run
from medml.types import Check
from pages import _ui as ui
from pages import _ui_checks as drawn


def to_work_through(run: Run, found: list[Check], worked: worklist.Worklist) -> None:
    """The checks that ask for something, each with its state and its note."""
    for check in found:
        with st.container(key=f"m_card_check_{check.id}"):
            ui.draw(f'<div class="m-checks m-checks-bare">{drawn.item(check)}</div>')
            item(run, check, worked)


def item(run: Run, check: Check, worked: worklist.Worklist) -> None:
    """State and note of one check; a change is kept as soon as it is made."""
    state = worklist.state_of(worked, check.id, check.what)
    known = worked.items.get(check.id, worklist.Item())
    key = f"m_work_{run.run}_{run.chain.current}_{check.id}"
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    with left:
        st.segmented_control(f"What was done about {check.id}", list(worklist.STATES), default=state, required=True,
                             format_func=worklist.STATES.get, key=f"{key}_state", label_visibility="collapsed",
                             on_change=kept, args=(run.run, check.id, key))
    with right:
        st.text_input(f"Note on {check.id}", known.note, key=f"{key}_note", max_chars=worklist.LONGEST,
                      placeholder="A note: whom you asked, what was decided. No patient's name.",
                      label_visibility="collapsed", on_change=kept, args=(run.run, check.id, key))
    if known.when:
        again = "" if known.what == check.what else " The check has said something else since."
        ui.note(f"Noted {ui.when(known.when)}.{again}")


def kept(run: str, check: str, key: str) -> None:
    """Write down what stands in the two fields of a check now."""
    with ui.guard():
        state = st.session_state.get(f"{key}_state") or "open"
        worklist.write(run, check, state, st.session_state.get(f"{key}_note") or "")


def progress(found: list[Check], worked: worklist.Worklist) -> None:
    """How far one is, as counts."""
    states = [worklist.state_of(worked, each.id, each.what) for each in found]
    ui.tiles([(words.lower(), states.count(state)) for state, words in worklist.STATES.items()])
