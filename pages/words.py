"""Words: every term that a screen uses, in two sentences, to read or to search."""

from __future__ import annotations

import streamlit as st

from medml.words import TOPICS, Term, search
from pages import _ui as ui
from pages import _ui_terms as terms

TITLE = "Words"
LEAD = "What the words on these screens mean. Where one has a dotted line under it, a click opens the same lines there."


def listed(entries: list[Term]) -> str:
    """HTML of entries beside each other."""
    return f'<div class="m-words-list">{"".join(map(one, entries))}</div>'


def one(entry: Term) -> str:
    """HTML of an entry in the list."""
    others = [each for each in entry.also if not each.lower().startswith(entry.name.lower())]  # no plain plurals
    also = f'<p class="m-also">Also: {ui.html(", ".join(others), 300)}</p>' if others else ""
    return (f'<article class="m-word"><h3>{ui.html(entry.name[:1].upper() + entry.name[1:])}</h3>{terms.picture(entry)}'
            f'<p>{ui.html(entry.meaning, 400)}</p><p class="m-entry-example">{ui.html(entry.example, 400)}</p>{also}'
            "</article>")


with ui.page(TITLE, project_required=False, lead=LEAD):
    left, right = st.columns([2, 3], gap="large", vertical_alignment="bottom")
    with left:
        typed = st.text_input("Find a word", st.query_params.get("word", ""), placeholder="for example: calibration",
                              key="m_words_find", max_chars=60)
    with right:
        topic = st.selectbox("About", ["Everything", *TOPICS], key="m_words_topic")
    found = {title: search(entries, typed) for title, entries in TOPICS.items() if topic in ("Everything", title)}
    for title, entries in found.items():
        if entries:
            st.html(f'<div class="m-section"><h2>{ui.html(title)}</h2></div>')
            st.html(listed(entries))
    if not any(found.values()):
        ui.empty("No entry has that word.", "Try a shorter part of it, or look under Everything.")
