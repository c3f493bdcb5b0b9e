"""Several machines on one queue: which of them work, on what, and what is amiss with the queue between them."""

from __future__ import annotations

import streamlit as st

from medml import standing, store
from medml.store import Job, Machine
from pages._ui_belonging import locked
from pages._ui_words import note, say


def where(job: Job) -> str:
    """ "on ward-pc-2", where another machine could have it; "" while none has, or there is one machine alone."""
    return f"on {job.machine}" if store.is_shared() and job.machine else ""


def machines() -> None:
    """A line with the machines at work, and what somebody should mend about the queue they share."""
    if not store.is_shared():
        return
    note(who_works(store.machines()))
    for each in store.troubles():
        lost = each.startswith("The shared queue has lost")
        say("caution", each, "" if lost else "Ask whoever looks after it.")
        if lost and not locked("settings"):  # it is told to everybody until it was seen
            st.button("I have seen it", key="m_lost_seen", on_click=standing.loss_has_been_seen)


def who_works(found: list[Machine]) -> str:
    """In words: each takes one training at a time."""
    if not found:
        return "No machine is at work on the shared queue now. Work waits until a worker is started on one of them."
    names = [f"{each.name} (this one)" if each.is_here else each.name for each in found]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"At work: {listed}. Each takes one training at a time."
