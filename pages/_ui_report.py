"""The report of a run to take away: PDF for readers, Word to be worked on, a model card."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from medml import report, rights
from medml.gallery import Run
from pages import _ui as ui
from pages._ui_belonging import locked

SORTS: tuple[tuple[str, str, str, Callable[[Run], bytes | str]], ...] = (
    ("Report (PDF)", "pdf", "application/pdf", report.as_pdf),
    ("Report (Word)", "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     report.as_docx),
    ("Model card", "md", "text/markdown", report.as_card))


def buttons(run: Run) -> None:
    """One button a file; each is written when it is asked for, in a second or two."""
    ui.section("Report", "What was done and found, with every check, and the TRIPOD+AI checklist filled from this run: "
                         "each item is done, asks something of you, or is violated.")
    stop = report.blocked(run)
    if stop is not None:
        ui.say("stop", f"No report can be written: {stop.what}", stop.fix)
        return
    with st.container(horizontal=True, gap="small"):
        for words, ending, mime, make in SORTS:
            st.download_button(words, rights.taken(run.run, lambda make=make: make(run)), f"{run.run}.{ending}", mime,
                               on_click="ignore", key=f"m_report_{ending}_{run.run}", icon=":material/download:",
                               disabled=locked("download"))
    ui.note("No patient's value is in these files; groups of fewer than 10 patients are not named.")
