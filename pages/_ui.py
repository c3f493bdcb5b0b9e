"""The door to shared drawing: every page begins `from pages import _ui as ui` and draws inside `with ui.page(...)`.

    TITLE = "Configure"                     # the browser tab; read by the router without running the page

    with ui.page(TITLE, step="configure", lead="One sentence under the heading.") as project:
        config = projects.config(project.id)
        ...
        if ui.next_button("Start now", "train")     :      # the one primary button of the screen
            ...

Inside a `st.fragment` and inside a callback wrap the body in `with ui.guard():` too (a single call in
`ui.guarded(...)`), since Streamlit runs those outside of the page. Whatever a person typed or named (columns,
categories, files, projects) goes through `ui.plain` before `st.markdown`, labels or captions, and through `ui.html`
before `st.html`.
"""

from pages._ui_belonging import allowed, looked
from pages._ui_figures import chart, figures, ink, judged, legend, number_with_interval, sent, tiles
from pages._ui_folded import folded
from pages._ui_forms import form_from_params
from pages._ui_frame import current, forget, go, guard, guarded, next_button, page, pressed, remember, stepper, warm_up
from pages._ui_jobs import followed, job_bar, progress
from pages._ui_lists import rows
from pages._ui_night import ask_night
from pages._ui_plain import clean, html, plain
from pages._ui_tables import Cell, table
from pages._ui_terms import draw, explained, linked, term
from pages._ui_words import (
    about,
    chip,
    count,
    duration,
    empty,
    eyebrow,
    heading,
    note,
    number,
    percent,
    reasons,
    say,
    section,
    size,
    unit_beside,
    when,
)

__all__ = ["Cell", "about", "allowed", "ask_night", "chart", "chip", "clean", "count", "current", "draw", "duration",
           "empty", "explained", "eyebrow", "figures", "folded", "followed", "forget", "form_from_params", "go",
           "guard", "guarded", "heading", "html", "ink", "job_bar", "judged", "legend", "linked", "looked",
           "next_button", "note", "number", "number_with_interval", "page", "percent", "plain", "pressed", "progress",
           "reasons", "remember", "rows", "say", "section", "sent", "size", "stepper", "table", "term", "tiles",
           "unit_beside", "warm_up", "when"]
