"""A person's text on the screen comes out letter for letter, never as markup."""

from __future__ import annotations

import html as _html
import re
import unicodedata

# What Streamlit's Markdown gives a meaning to: emphasis, links, images, maths, :icon: and :color[] directives.
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:@/&\"'=^])")
# What its Markdown makes a link of even where it is escaped (autolink literals of GitHub Flavored Markdown, 6.9); a
# word joiner (U+2060, no width) inside keeps it text.
_AUTOLINK = re.compile(r"(?<=:/)(?=/)|(?<=www)(?=\.)|(?<=@)(?=[\w-])", re.IGNORECASE)
JOINER = "\u2060"
# A name that holds nothing of this sort needs no backslash, which a screen reader would read out: Streamlit gives a
# field its label as it stands (`aria-label`). It begins with a letter or digit, but not as "1." does; of what could be
# markup it has what is none inside a line without any bracket, colon or @; an underscore only within a word.
_INERT = re.compile(r"(?!\d+[.)]|.*--|.*www\.)[^\W_](?:[^\\`*_{}\[\]<>#!|~$:@&\"=^]|(?<=[^\W_])_+(?=[^\W_]))*",
                    re.IGNORECASE)


def clean(text: object, most: int = 200) -> str:
    """Text without control and direction-changing characters (they can hide what a name says), on one line."""
    shown = str(text)
    if not shown.isprintable():  # what is printable holds none of them: asked of all letters in one
        words = (" " if each in "\r\n\t" else each for each in shown)
        shown = "".join(each for each in words if unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Co"))
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def plain(text: object, most: int = 200) -> str:
    """A person's text for `st.markdown`, a label or a caption: shown letter for letter, nothing in it takes effect."""
    shown = clean(text, most)
    if _INERT.fullmatch(shown):
        return shown
    return _MARKUP.sub(r"\\\1", _AUTOLINK.sub(JOINER, shown)).replace("\\&", "&amp;").replace("\\<", "&lt;")


def html(text: object, most: int = 200) -> str:
    """A person's text for `st.html`: shown letter for letter."""
    return _html.escape(clean(text, most), quote=True)
