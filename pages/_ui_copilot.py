"""The co-pilot: a panel at the right of every screen, opened and closed in place, whose answers come as they are said.

The panel is one fragment: neither a question nor an answer draws the page again. What a model says is shown letter for
letter until it is checked, then as bullets and bold words: no link, no picture, no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import streamlit as st

from medml import copilot, rights
from medml import project as projects
from medml.copilot import Answer, Snapshot, Stage
from medml.copilot.proposal import propose
from medml.types import SMALL_GROUP
from pages import _copilot_asked as asked
from pages import _ui_chain as going_on
from pages._ui_documents import documents
from pages._ui_plain import html, plain
from pages._ui_settings import words as in_words
from pages._ui_speech import how_to_speak, microphone
from pages._ui_terms import draw, linked
from pages._ui_words import size

EVERY = 0.2  # seconds between two looks at an answer that comes
LONGEST = 500  # characters of a question
SHOWN = 20  # questions of the history
MODEL = "m_copilot_model"  # who answers: a model's name, "" for the best that fits, RULES
RULES = "no model"
STAGE: dict[str, Stage] = {"Checks": "evaluate", "Explain": "explain", "Predict": "predict"}
WELCOME = ("Ask about this work in your own words. Answers rest on what stands on these screens: structure, shares and "
           "figures, never a patient's value.")
HERE = "on this machine"
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def panel(project: str | None, run: str | None, title: str, step: str | None, close: Callable[[], None]) -> None:
    """The open panel. project, run  ids of what the page shows;   close  closes it"""
    stage: Stage = step or STAGE.get(title, "home")
    owner = project or run or rights.talk_of_own()
    with st.container(key="m_copilot"):
        _head(owner, close)
        with st.container(key="m_copilot_said", height=400, autoscroll=True):
            _history(owner, project)
            _under_way(owner)
        _ask(owner, project, run, stage)


def _head(owner: str, close: Callable[[], None]) -> None:
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xxsmall", key="m_copilot_head"):
        st.html('<h2 class="m-copilot-title">Co-pilot</h2>', width="stretch")
        with st.popover("Who answers", icon=":material/tune:", type="tertiary", key="m_copilot_who"):
            _who()
            documents()
            how_to_speak()
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
    there |= {each.name: _model_words(each) for each in asked.listed.models}
    if st.session_state.get(MODEL, "") not in there:
        st.session_state.pop(MODEL)
    st.radio("Who answers", list(there), index=1, key=MODEL, label_visibility="collapsed",
             format_func=lambda each: plain(there[each], 120))


def _model_words(model: copilot.Model) -> str:
    words = f"{model.name}, {size(model.bytes)}"
    return words if model.fits else f"{words}: too large for the memory that is free"


def _forget(owner: str) -> None:
    asked.dismiss(owner)
    copilot.forget(owner)


# ---- what was said ---------------------------------------------------------------------------------------------

def _history(owner: str, project: str | None) -> None:
    told = copilot.turns(owner, SHOWN)
    if not told and asked.latest(owner) is None:
        leaves = "Nothing leaves this machine." if where() == HERE else f"A model answers {where()}: it reads all this."
        draw(f'<p class="m-note">{linked(f"{WELCOME} {leaves}", 600)}</p>')
    for place, turn in enumerate(told):
        _question(turn.question, turn.time)
        _answer(turn.answer, f"{place}", project, last=place == len(told) - 1)


def _question(text: str, moment: float | None = None) -> None:
    when = f'<span class="m-quiet">{datetime.fromtimestamp(moment):%H:%M}</span>' if moment else ""
    st.html(f'<p class="m-asked">{html(text, LONGEST)} {when}</p>')


def _answer(answer: Answer, key: str, project: str | None, *, last: bool) -> None:
    """A checked answer: bullets, who gave it, what it rests on, and the change it proposes."""
    draw(f'<div class="m-answer">{as_html(answer.text)}<p class="m-quiet">{html(_by(answer), 300)}</p></div>')
    for number, passage in enumerate(answer.passages, start=1):
        label = plain(f"{number} · {passage.title} {passage.place}".strip(), 80)
        with st.expander(label, key=f"m_copilot_{key}_on_{number}"):
            st.html(f"<p>{html(passage.text, 4000)}</p>")
    if answer.read is not None:
        with st.expander("What did it read?", key=f"m_copilot_read_{key}"):
            st.code(answer.read.as_read(), language=None, wrap_lines=True)
    if answer.proposal is not None and last and project is not None:
        _proposal(answer.proposal, project)


def as_html(text: str) -> str:
    """Bullets, bold words and the next step of a checked answer; everything else letter for letter."""
    said = text.splitlines()
    bullets = "".join(f"<li>{_line(each[2:])}</li>" for each in said if each.startswith("- "))
    rest = [each for each in said if each.strip() and not each.startswith("- ")]
    then = "".join(f'<p class="{"m-next" if each.startswith("Next step:") else ""}">{_line(each)}</p>'
                   for each in rest)
    return (f"<ul>{bullets}</ul>" if bullets else "") + then


def _line(text: str) -> str:
    parts = _BOLD.split(text)
    return "".join(f"<strong>{html(part, 400)}</strong>" if place % 2 else linked(part, 600)
                   for place, part in enumerate(parts))


def _by(answer: Answer) -> str:
    if answer.tier == "model":
        return f"Answered by {answer.model} {where()}. Check what it says against the figures."
    return f"Answered by {copilot.ADVISER}. {answer.why}".strip()


def where() -> str:
    """Where a model runs, as it is said."""
    try:
        return HERE if copilot.is_here(copilot.Settings()) else "on a server that your administrator listed"
    except copilot.Unavailable:  # an address that may not be asked: nobody answers from there
        return HERE


def _under_way(owner: str) -> None:
    """The answer that comes, looked at every moment by a fragment of its own."""
    now = asked.latest(owner)
    if now is None:
        return
    if not now.ended.is_set():
        st.fragment(_look, run_every=EVERY)(owner)
        return
    if now.failed:
        _question(now.question)
        st.html(f'<p class="m-answer">{html(now.failed, 600)}</p>')


def _look(owner: str) -> None:
    now = asked.latest(owner)
    if now is None:
        return
    if now.ended.is_set():
        if not now.failed:
            asked.dismiss(owner)
        st.rerun()
    _question(now.question)
    lines = "".join(f"<p>{html(each, 600)}</p>" for each in now.text.splitlines() if each.strip())
    st.html(f'<div class="m-answer" role="status">{lines or "<p class=m-quiet>Reading what there is …</p>"}</div>')
    st.button("Stop", key="m_copilot_stop", icon=":material/stop_circle:", on_click=asked.dismiss, args=(owner,))


# ---- asking and doing ------------------------------------------------------------------------------------------

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


def _proposal(proposal: copilot.Proposal, project: str) -> None:
    before, after = in_words(proposal.before), in_words(proposal.after)
    with st.container(key="m_copilot_change"):
        st.html(f'<p><strong>{html(proposal.title)}</strong>: {html(before)} → <strong>{html(after)}</strong></p>'
                f'<p class="m-note">{html(proposal.reason, 300)}</p>')
        if st.button(f"Set it to {after}", key="m_copilot_accept"):
            _accept(proposal, project)


def _accept(proposal: copilot.Proposal, project: str) -> None:
    """Make the change, and show the form in which it stands now."""
    if not apply(proposal, project):
        st.html('<p class="m-note">This project is not, or no longer, set to what this was proposed for; nothing was '
                'changed. Ask again on Configure.</p>')
        return
    for key in [each for each in st.session_state if str(each).startswith(f"m_plan_{project}_{proposal.family}_")]:
        del st.session_state[key]  # else the form's old values would stand in its fields
    st.switch_page("configure.py", query_params={"project": project})


def apply(proposal: copilot.Proposal, project: str) -> bool:
    """Write a change into the project's configuration and its log; False where that is no longer what it was made
    for, and nothing was written."""
    config = projects.config(project)
    now = config and propose(copilot.snapshot_of_project(project, "configure"), proposal.parameter, proposal.after,
                             proposal.reason)  # usual values are written nowhere: what holds now is worked out anew
    if now is None or (now.family, now.before) != (proposal.family, proposal.before):
        return False
    projects.write(project, config.model_copy(update={"params": config.params | {proposal.parameter: proposal.after}}))
    copilot.accepted(project, proposal)
    return True
