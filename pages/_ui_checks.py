"""The checks of a run as a list that a reader can work through: what was found, and the one thing to do about it."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from medml.types import Check, Report
from pages import _ui as ui

ORDER = ("block", "warn", "could_not_tell", "info", "pass")
WORDS = {"block": ("Stop", "stop"), "warn": ("Look at this", "caution"), "could_not_tell": ("Could not tell", "quiet"),
         "info": ("To know", "quiet"), "pass": ("In order", "teal")}


def checks(report: Report) -> None:
    """Those that need somebody first and open, those in order behind a fold."""
    found = sorted(report.checks, key=lambda each: ORDER.index(each.verdict))
    todo = [each for each in found if each.verdict in ("block", "warn")]
    unsure = [each for each in found if each.verdict in ("could_not_tell", "info")]
    fine = [each for each in found if each.verdict == "pass"]
    ui.section("Checks", summary(found))
    st.html(f'<div class="m-checks">{_items(todo)}</div>' if todo else "")
    if unsure:
        with st.expander(f"To know, or could not tell ({len(unsure)})"):
            st.html(f'<div class="m-checks">{_items(unsure)}</div>')
    if fine:
        with st.expander(f"In order ({len(fine)})"):
            st.html(f'<div class="m-checks">{_items(fine)}</div>')


def summary(found: list[Check]) -> str:
    """How many were made, and how many ask for something."""
    stops, warns = (sum(each.verdict == verdict for each in found) for verdict in ("block", "warn"))
    if not stops and not warns:
        return f"{ui.count(len(found), 'check')} were made; none asks for anything."
    parts = [f"{stops} must be settled first"] * bool(stops) + [f"{warns} should be looked at"] * bool(warns)
    return f"{ui.count(len(found), 'check')} were made: {' and '.join(parts)}."


def _items(found: Iterable[Check]) -> str:
    return "".join(_item(each) for each in found)


def _item(check: Check) -> str:
    words, tone = WORDS[check.verdict]
    fix = f'<p class="m-fix">{ui.html(check.fix, 600)}</p>' if check.fix else ""
    return (f'<div class="m-check m-check-{check.verdict}"><div class="m-check-side">{ui.chip(words, tone)}</div>'
            f'<div><p class="m-what">{ui.html(check.title)} <span class="m-quiet">{ui.html(check.id)}</span></p>'
            f'<p>{ui.html(check.what, 800)}</p>{fix}</div></div>')
