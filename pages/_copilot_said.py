"""What the co-pilot was asked and answered: bullets, bold words and what an answer rests on.

What a model says is shown letter for letter until it is checked, then as bullets and bold words: no link, no picture,
no HTML.
"""

from __future__ import annotations

import math
import re
from datetime import datetime

import streamlit as st

from medml import copilot
from medml.copilot import Answer, Change
from pages import _copilot_asked as asked
from pages._copilot_change import in_words, proposal
from pages._ui_plain import html, plain
from pages._ui_terms import draw, linked

EVERY = 0.2  # seconds between two looks at an answer that comes
LONGEST = 500  # characters of a question
SHOWN = 20  # questions of the history
WELCOME = ("Ask about this work in your own words. Answers rest on what stands on these screens: structure, shares and "
           "figures, never a patient's value.")
HERE = "on this machine"
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def history(owner: str, project: str | None) -> None:
    told = copilot.turns(owner, SHOWN)
    if not told and asked.latest(owner) is None:
        leaves = "Nothing leaves this machine." if where() == HERE else f"A model answers {where()}: it reads all this."
        draw(f'<p class="m-note">{linked(f"{WELCOME} {leaves}", 600)}</p>')
    made = copilot.changes(project)[-SHOWN:] if project is not None else []
    for place, turn in enumerate(told):
        made = _changed(made, before=turn.time)
        _question(turn.question, turn.time)
        taken = turn.answer.proposal in [each.proposal for each in made]
        _answer(turn.answer, f"{place}", project, last=place == len(told) - 1 and not taken)
    _changed(made)


def _changed(made: list[Change], before: float = math.inf) -> list[Change]:
    """A line of the project's log for each change that was made before that moment; those that were made later."""
    for each in made:
        if each.time < before:
            was, now = in_words(each.proposal)
            st.html(f'<p class="m-changed">{datetime.fromtimestamp(each.time):%H:%M} · '
                    f'<strong>{html(each.proposal.title)}</strong>: {html(was)} → {html(now)}, set by a click</p>')
    return [each for each in made if each.time >= before]


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
    if answer.as_read():
        with st.expander("What did it read?", key=f"m_copilot_read_{key}"):
            st.code(answer.as_read(), language=None, wrap_lines=True)
    if answer.proposal is not None and last and project is not None:
        proposal(answer.proposal, project)


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
    return "".join(f"<strong>{linked(part, 400)}</strong>" if place % 2 else linked(part, 600)
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


def under_way(owner: str) -> None:
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
