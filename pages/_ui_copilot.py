"""The co-pilot: a panel at the right of every screen, opened and closed in place, whose answers come as they are said.

The panel is one fragment: neither a question nor an answer draws the page again.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from medml import copilot, rights
from medml import project as projects
from medml.copilot import Snapshot, Stage
from medml.types import SMALL_GROUP
from pages import _copilot_asked as asked
from pages import _ui_chain as going_on
from pages._copilot_said import LONGEST, history, under_way
from pages._ui_belonging import locked
from pages._ui_documents import documents
from pages._ui_plain import html, plain
from pages._ui_speech import how_to_speak, microphone
from pages._ui_words import size

MODEL = "m_copilot_model"  # who answers: a model's name, "" for the best that fits, RULES
RULES = "no model"
STAGE: dict[str, Stage] = {"Checks": "evaluate", "Explain": "explain", "Predict": "predict"}


def panel(project: str | None, run: str | None, title: str, step: str | None, close: Callable[[], None]) -> None:
    """The open panel. project, run  ids of what the page shows;   close  closes it"""
    stage = stage_at(project, run, title, step)
    owner = project or run or rights.talk_of_own()
    with st.container(key="m_copilot"):
        _head(owner, close)
        with st.container(key="m_copilot_said", height=400, autoscroll=True):
            history(owner, project)
            under_way(owner)
        _ask(owner, project, run, stage)


def _head(owner: str, close: Callable[[], None]) -> None:
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xxsmall", key="m_copilot_head"):
        st.html('<h2 class="m-copilot-title">Co-pilot</h2>', width="stretch")
        with st.popover("Who answers", icon=":material/tune:", type="tertiary", key="m_copilot_who"):
            _who()
            documents()
            how_to_speak()
        if owner == rights.talk_of_own() or not locked("forget"):
            with st.popover("Delete", icon=":material/delete:", type="tertiary", key="m_copilot_forget",
                            help="Delete these questions"):
                st.write("All questions and answers of this project are deleted for good.")
                st.button("Delete them", key="m_copilot_forget_now", on_click=_forget, args=(owner,))
        st.button("Close", icon=":material/close:", key="m_copilot_close", type="tertiary", on_click=close,
                  help="Close the co-pilot")


def _who() -> None:
    """Which model answers: what the server on this machine has, by what fits the memory, or the built-in adviser."""
    asked.listed.look()
    if not asked.listed.models:
        st.html(f'<p>The built-in adviser.</p><p class="m-note">'
                f'{html(asked.listed.why or "The server on this machine has no model.", 200)} '
                "With Ollama and a Qwen model on this machine, answers are in free words; MedML’s description says "
                "how.</p>")
        return
    there = {RULES: "the built-in adviser", "": "the best model that fits"}
    there |= {each.name: _model_words(each) for each in asked.listed.models if each.fits}
    if st.session_state.get(MODEL, "") not in there:
        st.session_state.pop(MODEL)
    st.radio("Who answers", list(there), index=1, key=MODEL, label_visibility="collapsed",
             format_func=lambda each: plain(there[each], 120))
    large = "; ".join(_model_words(each) for each in asked.listed.models if not each.fits)
    if large:
        st.html(f'<p class="m-note">Too large for the memory that is free: {html(large, 300)}.</p>')


def _model_words(model: copilot.Model) -> str:
    return f"{model.name}, {size(model.bytes)}"


def _forget(owner: str) -> None:
    asked.dismiss(owner)
    copilot.forget(owner)


def _ask(owner: str, project: str | None, run: str | None, stage: Stage) -> None:
    busy = asked.latest(owner) is not None and not asked.latest(owner).ended.is_set()

    def put(question: str) -> None:
        model = st.session_state.get(MODEL, "")
        asked.begin(owner, stage, question[:LONGEST], lambda: seen(project, run, stage),
                    None if model == RULES else model)

    with st.container(key="m_copilot_quick", horizontal=True, gap="small"):
        for place, question in enumerate(copilot.quick_questions(stage)):
            st.button(question, key=f"m_copilot_quick_{stage}_{place}", disabled=busy, on_click=put, args=(question,))
    microphone(put, busy=busy)
    typed = st.chat_input("Ask about this work", key="m_copilot_typed", max_chars=LONGEST, disabled=busy)
    if typed:
        put(typed)
        st.rerun(scope="fragment")


def stage_at(project: str | None, run: str | None, title: str, step: str | None) -> Stage:
    """Where the work stands: a screen beside the line (Gallery, Jobs) speaks of the run or the project that is open."""
    if step or title in STAGE:
        return step or STAGE[title]
    if run is not None:
        return "evaluate"
    return "home" if project is None else projects.stage_of(project)


def seen(project: str | None, run: str | None, stage: Stage) -> Snapshot:
    """What may be read where one stands: of the run on the screen, else of the project, else nothing."""
    if run is not None and stage in ("evaluate", "explain", "predict") and _is_shown(run, project):
        return copilot.snapshot_of_run(run, stage)
    if project is not None and stage != "home":
        return copilot.snapshot_of_project(project, stage)
    return Snapshot(stage=stage, k=SMALL_GROUP, rows=None)


def _is_shown(run: str, project: str | None) -> bool:
    """Whether a run that the address names is the one on the screen: that of another project is not."""
    return project is None or run in projects.runs_of(project) or going_on.project_of(run) is None
