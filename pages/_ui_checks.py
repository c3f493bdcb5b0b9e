"""The checks of a run as a list that a reader can work through: what was found, and the one thing to do about it."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from medml.evaluate.catalogue import VERDICTS
from medml.types import Check, Report
from pages import _ui as ui

ORDER = tuple(VERDICTS)
TONES = {"block": "stop", "warn": "caution", "could_not_tell": "quiet", "info": "quiet", "pass": "teal"}
WORDS = {verdict: (VERDICTS[verdict], tone) for verdict, tone in TONES.items()}


def checks(report: Report) -> None:
    """Those that need somebody first and open, those in order behind a fold."""
    found = sorted(report.checks, key=lambda each: ORDER.index(each.verdict))
    todo = [each for each in found if each.verdict in ("block", "warn")]
    unsure = [each for each in found if each.verdict in ("could_not_tell", "info")]
    fine = [each for each in found if each.verdict == "pass"]
    ui.section("Checks", summary(found))
    ui.draw(f'<div class="m-checks">{_items(todo)}</div>' if todo else "")
    link("checks", "Work through the checks, with notes", ":material/checklist:")
    if unsure:
        with st.expander(f"To know, or could not tell ({len(unsure)})"):
            ui.draw(f'<div class="m-checks">{_items(unsure)}</div>')
    if fine:
        with st.expander(f"In order ({len(fine)})"):
            ui.draw(f'<div class="m-checks">{_items(fine)}</div>')


def link(page: str, words: str, icon: str) -> None:
    """A link to a page about the same run."""
    ids = {name: value for name in ("project", "run") if (value := ui.current(name))}
    st.page_link(f"{page}.py", label=words, icon=icon, query_params=ids)


def summary(found: list[Check]) -> str:
    """How many were made, and how many ask for something."""
    stops, warns, unsure = (sum(each.verdict == verdict for each in found)
                            for verdict in ("block", "warn", "could_not_tell"))
    if not stops and not warns and not unsure:
        return f"{ui.count(len(found), 'check')} were made; none asks for anything."
    parts = [f"{stops} must be settled first"] * bool(stops) + [f"{warns} should be looked at"] * bool(warns)
    parts += [f"{unsure} could not tell"] * bool(unsure)
    return f"{ui.count(len(found), 'check')} were made: {', '.join(parts)}."


def _items(found: Iterable[Check]) -> str:
    return "".join(item(each) for each in found)


def item(check: Check) -> str:
    """HTML of one check."""
    return ui.judged(WORDS[check.verdict], check.title, check.id, check.what, check.fix,
                     mark=f"m-check-{check.verdict}")
