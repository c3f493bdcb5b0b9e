"""A change that the co-pilot proposes: before and after on a button, made with a click and never without."""

from __future__ import annotations

import streamlit as st

from medml import copilot
from medml import project as projects
from medml.copilot import Proposal
from medml.copilot.proposal import propose
from pages._ui_belonging import allowed
from pages._ui_cards import draw_anew
from pages._ui_plain import html
from pages._ui_settings import setting
from pages._ui_words import chip


def proposal(made: Proposal, project: str) -> None:
    """The button, with before, after and the reason."""
    before, after = in_words(made)
    bold = made.zone == "aggressive"
    because = f"{made.reason[:1].upper()}{made.reason[1:].rstrip('.')}."
    with st.container(key="m_copilot_change"):
        st.html(f'<p><strong>{html(made.title)}</strong>: {html(before)} → <strong>{html(after)}</strong>'
                f'{" " + chip("aggressive", "caution") if bold else ""}</p>'
                f'<p class="m-note">{html(because, 300)}</p>')
        if st.button(f"Set it to {after}{', aggressive' if bold else ''}", key="m_copilot_accept", **allowed("change")):
            _accept(made, project)


def in_words(made: Proposal) -> tuple[str, str]:
    """Before and after as the form calls them: a choice in its words, a number without an exponent."""
    before, after = (setting(f"parameter: {made.parameter}", each, [made.family])[1]
                     for each in (made.before, made.after))
    return before, after


def _accept(proposal: Proposal, project: str) -> None:
    """Make the change, and show the form in which it stands now."""
    if not apply(proposal, project):
        st.html('<p class="m-note">This project is not, or no longer, set to what this was proposed for; nothing was '
                'changed. Ask again on Configure.</p>')
        return
    draw_anew(project, proposal.family)
    st.switch_page("configure.py", query_params={"project": project})


def apply(proposal: Proposal, project: str) -> bool:
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
