"""Audit log: who did what, and whether anybody changed the log since. For administrators; on a laptop for its owner."""

from __future__ import annotations

import time

import streamlit as st

from medml import audit, rights
from medml.audit import Entry
from pages import _ui as ui

TITLE = "Audit log"
LEAD = "Who did what, when and from where. Entries are only ever added; the whole log is checked as this page opens."
SHOWN = 200  # lines
TONES = {"done": ("Done", "teal"), "failed": ("Failed", "caution"), "refused": ("Refused", "stop")}


def verdict() -> None:
    """Whether the log is as it was written; where it is not, every fault, in words."""
    found = audit.verify()
    if found.whole:
        ui.say("note", f"{ui.count(found.count, 'entry', 'entries')}, all as they were written.",
               f"Looked at {time.strftime('%H:%M:%S')}; a terminal says the same by “python -m medml audit verify”.")
        return
    ui.say("stop", "The log is not as it was written.", " ".join(found.faults))
    ui.note("Keep a copy of MedML's folder as it is now, and tell whoever is in charge of security.")


def line(each: Entry) -> tuple[str, ...]:
    """One entry as cells of the table."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.time))
    act = each.act[:1].upper() + each.act[1:]  # the name of an account within keeps its letters
    return (ui.html(f"{each.number:,}"), ui.html(when), ui.html(each.name, 80), ui.html(act, 120),
            ui.html(f"{each.sort} {each.thing}".strip(), 80),
            ui.chip(*TONES.get(each.outcome, (each.outcome, "quiet"))), ui.html(each.place, 80))


def matching(entries: list[Entry], words: str) -> list[Entry]:
    """Entries in which every word occurs, the newest first."""
    wanted = words.casefold().split()
    return [each for each in reversed(entries) if all(
        word in f"{each.name} {each.act} {each.sort} {each.thing} {each.outcome} {each.place}".casefold()
        for word in wanted)]


with ui.page(TITLE, project_required=False, lead=LEAD):
    rights.require("audit")
    verdict()
    words = st.text_input("Search", key="m_audit_search", placeholder="a name, an act, an id, refused, failed",
                          icon=":material/search:")
    shown = matching(audit.entries(None if words else SHOWN), words)
    ui.note(f"The newest {SHOWN}." if len(shown) >= SHOWN else ui.count(len(shown), "entry", "entries"))
    ui.table(["No.", "When", "Who", "What", "About", "How it went", "From"], map(line, shown[:SHOWN]), raw=range(7),
             right=(0,), search=False)
    if ui.next_button("Check again"):
        st.rerun()
