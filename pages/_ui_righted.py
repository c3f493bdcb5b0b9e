"""One switch on Evaluate: whether every answer of this model is put right by the map shown above it."""

from __future__ import annotations

import streamlit as st

from medml import righted
from medml.gallery import Run
from pages import _ui as ui
from pages._ui_predict_answer import percent


def switch(run: Run) -> None:
    """The switch where there is a map, and what it does to the answers; it is kept with the run."""
    if not righted.possible(run.report):
        return
    key = f"m_righted_{run.run}_{run.chain.current}"
    on = st.session_state[key] = righted.is_on(run)  # as it is kept, whoever turned it last
    st.toggle("Put every answer right by this map", key=key, on_change=flipped, args=(run.run, key),
              **ui.allowed("change", help="On Predict, on the command line and in files written from now on; earlier "
                           "files are dropped."))
    if not on:
        ui.note("Answers are given as the model has them. The figures on this page are of the model as it is.")
        return
    before = 0.5 if run.report.threshold is None else run.report.threshold
    ui.note(f"Every answer now carries the probability put right. Who is called what stays the same: the line moves "
            f"from {percent(before)} to {percent(righted.report_of(run).threshold)}. The figures on this page stay "
            "those of the model as it is.")


def flipped(run: str, key: str) -> None:
    """Keep what the switch says now."""
    with ui.guard():
        righted.decide(run, on=bool(st.session_state[key]))
