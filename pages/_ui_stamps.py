"""What must be said of a run wherever it is shown (RIGOUR N1, X1, L10)."""

from __future__ import annotations

import streamlit as st

from medml.gallery import Run
from medml.types import Report
from pages import _ui as ui


def head(run: Run, about: str) -> None:
    """Which run a screen is of, a few words about it, and what must be said of it."""
    st.html(f'<p class="m-run"><strong>{ui.html(run.label.name, 120)}</strong> '
            f'<span class="m-quiet">{ui.html(about, 300)}</span></p>')
    strip(run.report)


def strip(report: Report) -> None:
    """The stamps of a run as one line of labels; nothing where there are none."""
    words = chips(tuple(report.stamps))
    if words:
        ui.draw(f'<p class="m-stamps">{words}</p>')
    for each in report.happened:
        ui.note(each)


def chips(stamps: tuple[str, ...]) -> str:
    """HTML of the stamps, for a card."""
    return "".join(f'<span class="m-chip m-chip-caution">{ui.linked(each[:1].upper() + each[1:])}</span>'
                   for each in stamps)
