"""Explain: what a model goes by, on the whole and for one patient; a simpler score; cases for a second look."""

from __future__ import annotations

import streamlit as st

from medml.explain import found
from medml.gallery import Run
from pages import _ui as ui
from pages import _ui_chain as going_on
from pages import _ui_explain as drawn
from pages import _ui_explain_again as again
from pages import _ui_explain_bedside as bedside
from pages import _ui_explain_jobs as jobs
from pages import _ui_gone as gone
from pages import _ui_stamps as stamps

TITLE = "Explain"
LEAD = "What the model goes by. All of it is associated with its answers; none of it is shown to be their cause."


def of_columns(run: Run) -> None:
    """Everything that can be said of a model of a table."""
    value = found.read(run, found.Overall)
    waiting = jobs.latest(run, "explain")
    ui.section("On the whole", "How far each column moves the answers, over a few hundred of the patients it was "
               "trained on.")
    jobs.bar(waiting)
    if value is None:
        ui.note("Not worked out yet: press Explain this model, below. It takes some seconds, a large model a minute; "
                "patients are read from your folder and only means over them are kept.")
    else:
        drawn.overall(value)
        st.fragment(drawn.each_patient)(run, value)
    st.fragment(drawn.one_patient)(run)
    bedside.without(run)
    bedside.score(run)
    st.fragment(again.second_look)(run)
    if value is None and (waiting is None or waiting.ended_for_good):
        if ui.next_button("Explain this model", **ui.allowed("explain")):
            jobs.ask(run, "explain")
    elif ui.next_button("Back to the figures", "evaluate"):
        ui.go("evaluate", run=run.run)


def of_pictures(run: Run) -> None:
    """A model of pictures has no columns."""
    ui.empty("This model looks at pictures, so no column says what it went by.",
             "Its heatmaps show where it looked, beside its figures.")
    if ui.next_button("Back to the figures", "evaluate"):
        ui.go("evaluate", run=run.run)


with ui.page(TITLE, project_required=False, lead=LEAD) as opened:
    chosen = ui.current("run")
    if chosen is None:
        ui.empty("No model is open.", "Choose one in the gallery; what it goes by is shown here.")
        if ui.next_button("Go to the gallery", "gallery"):
            ui.go("gallery")
    else:
        looked_at = gone.opened(chosen)
        if looked_at is not None:
            stamps.head(looked_at, going_on.link_name(looked_at.checkpoint).lower())
            (of_columns if looked_at.config.choice.pictures is None else of_pictures)(looked_at)
