"""Checks: everything that a reviewer would ask of a run, as a list to work through."""

from __future__ import annotations

import streamlit as st

from medml import worklist
from medml.gallery import Run
from pages import _ui as ui
from pages import _ui_chain as going_on
from pages import _ui_checks as drawn
from pages import _ui_gone as gone
from pages import _ui_stamps as stamps
from pages import _ui_worklist as work

TITLE = "Checks"
LEAD = "What a reviewer would ask. Go through those that ask for something; what you note is kept with the run."


def listed(run: Run) -> None:
    """Those that ask for something first, the others behind a fold."""
    stamps.head(run, going_on.link_name(run.checkpoint).lower())
    found = sorted(run.report.checks, key=lambda each: drawn.ORDER.index(each.verdict))
    asking = [each for each in found if each.verdict in worklist.ASKING]
    others = [each for each in found if each.verdict not in worklist.ASKING]
    worked = worklist.read(run.folder)
    ui.section("To work through", drawn.summary(found))
    if asking:
        work.progress(asking, worked)
        work.to_work_through(run, asking, worked)
    with st.expander(f"In order, and to know ({len(others)})"):
        ui.draw(f'<div class="m-checks">{"".join(drawn.item(each) for each in others)}</div>')


with ui.page(TITLE, project_required=False, lead=LEAD) as opened:
    chosen = ui.current("run")
    if chosen is None:
        ui.empty("No model is open.", "Choose one in the gallery; its checks are listed here.")
        if ui.next_button("Go to the gallery", "gallery"):
            ui.go("gallery")
    else:
        found = gone.opened(chosen)
        if found is not None:
            listed(found)
        if found is not None and ui.next_button("Back to the figures", "evaluate"):
            ui.go("evaluate", run=chosen)
