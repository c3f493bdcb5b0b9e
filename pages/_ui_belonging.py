"""Whom a project belongs to, and what a role may not: sentences and choices that a laptop never sees."""

from __future__ import annotations

from typing import Any

import streamlit as st

from medml import project as projects
from medml import rights
from medml.types import Choice, Profile, Recipe, TrainConfig
from pages._ui_plain import plain
from pages._ui_words import chip, say

ALONE = "Only I"


def ask_team(key: str) -> str:
    """Who will see a new project: oneself, or a group of one's own too; "" for oneself, and on a laptop."""
    teams = rights.current().teams if rights.of_many() else ()
    if not teams:
        return ""
    chosen = st.selectbox("Who sees it", [ALONE, *teams], key=key,
                          format_func=lambda each: ALONE if each == ALONE else f"Everybody in {plain(each)}")
    return "" if chosen == ALONE else str(chosen)


def whose(project: str) -> str:
    """HTML of a label with the group that shares a project, or the colleague's own; "" where it is one's own."""
    return chip(found, "quiet") if (found := rights.shared_with(project)) else ""


def locked(act: str) -> bool:
    """Whether the role does not allow an act."""
    return rights.of_many() and not rights.may(act)


def allowed(act: str, *, disabled: bool = False, help: str | None = None) -> dict[str, Any]:
    """`disabled` and `help` of a button that does an act: off, and why, where the role does not allow it."""
    return {"disabled": True, "help": rights.why_not(act)} if locked(act) else {"disabled": disabled, "help": help}


def keep(project: str, value: Profile | Choice | Recipe | TrainConfig) -> None:
    """Keep what a screen proposes while it is drawn; whoever may only look has it drawn all the same."""
    if not locked("change"):
        projects.write(project, value)


def looked(project: str) -> None:
    """Note in the audit log, once in a window, that patients of a project are looked at; nothing on a laptop."""
    known = f"m_noted_{project}"
    if known not in st.session_state:
        rights.require("look", "project", project)
        st.session_state[known] = True


def tell_locked(act: str) -> bool:
    """As `locked`, and say so in one sentence."""
    if locked(act):
        say("note", rights.why_not(act), "You see everything here as it is.")
        return True
    return False
