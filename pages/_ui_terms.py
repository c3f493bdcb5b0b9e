"""Terms on the screen: a word with an entry in the glossary is a quiet button that opens the entry where it stands.

The entry is an HTML popover: the browser shows it over the page, nothing is asked of the server, nothing moves, Escape
or a click beside it closes it, and Tab reaches it.

    draw(f"<p>{linked('Net benefit at every threshold.')}</p>")      terms in our own sentences find themselves
    draw(f"<h2>{term('fold', 'Folds')}</h2>")                        one that must be there, everyday words too
    st.number_input("Folds", ..., help=explained("fold"))            where Streamlit takes no HTML
"""

from __future__ import annotations

import html as _html
import re
import zlib
from functools import cache, lru_cache
from urllib.parse import quote

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medml import words
from medml.words import Term
from pages._ui_plain import clean, html

_OPENS = re.compile(r'popovertarget="(m-term-([a-z0-9-]+))"')


def draw(drawn: str, into: DeltaGenerator | None = None) -> None:
    """`st.html`, and behind it the entries of all terms in it; `into` a place that was kept free (`st.empty()`)."""
    (into or st).html(with_entries(drawn))


@lru_cache(maxsize=512)
def with_entries(drawn: str) -> str:
    """HTML with an entry for each of its terms; its ids end with a sum of the whole, so that no two parts of a page
    share one and the same part keeps it when it is drawn again."""
    opened = dict(_OPENS.findall(drawn))
    if not opened:
        return drawn
    own = f"{zlib.crc32(drawn.encode()):08x}"
    cards = "".join(f'<div popover id="{target}-{own}" class="m-entry" role="dialog" aria-label="{html(term.name)}">'
                    f'{card(term)}</div>' for target, term in ((to, _by_slug()[slug]) for to, slug in opened.items()))
    return _OPENS.sub(rf'popovertarget="\1-{own}"', drawn) + cards


def term(name: str, shown: str = "") -> str:
    """HTML of a term that opens its entry; KeyError where the glossary has none (a programming error)."""
    return _button(words.entry(name), shown or name)


@lru_cache(maxsize=2048)
def linked(text: object, most: int = 200) -> str:
    """HTML of a text, shown letter for letter, in which each term's first place opens its entry."""
    said, parts, at, seen = clean(text, most), [], 0, set()
    for begin, end, found in words.named_in(said):
        if found.name not in seen:
            seen.add(found.name)
            parts += [_html.escape(said[at:begin], quote=True), _button(found, said[begin:end])]
            at = end
    return "".join(parts) + _html.escape(said[at:], quote=True)


@cache
def explained(*names: str) -> str:
    """The entries of terms as plain words, for the `help=` of a widget."""
    return "  \n".join(f"**{entry.name}**: {entry.meaning} {entry.example}" for entry in map(words.entry, names))


def card(entry: Term) -> str:
    """HTML of an entry: its name, a picture where it has one, and its two sentences."""
    return (f'<span class="m-entry-name">{html(entry.name[:1].upper() + entry.name[1:])}</span>{picture(entry)}'
            f'<span class="m-entry-meaning">{html(entry.meaning, 400)}</span>'
            f'<span class="m-entry-example">{html(entry.example, 400)}</span>')


def picture(entry: Term) -> str:
    """HTML of its picture, as a mask over the colour of the theme: `st.html` lets no SVG through."""
    if entry.picture is None:
        return ""
    source = quote(entry.picture.replace("currentColor", "black"), safe=" =:/()[],;")
    mask = f"--picture:url('data:image/svg+xml,{source}')"
    return f'<span class="m-entry-picture" aria-hidden="true" style="{mask}"></span>'


def _button(entry: Term, shown: str) -> str:
    return (f'<button type="button" class="m-term" popovertarget="m-term-{_slug(entry.name)}" '
            f'aria-haspopup="dialog">{html(shown)}</button>')


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("²", "2")).strip("-")


@cache
def _by_slug() -> dict[str, Term]:
    return {_slug(name): entry for name, entry in words.TERMS.items()}
