"""Words and numbers on the screen. Whatever a person typed or named comes out as plain text, never as markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from medml import clock
from medml.types import Severity
from pages._ui_plain import clean, html
from pages._ui_terms import draw, linked

LONG_WORD = 20  # letters from which a word may be broken in a narrow column
_TITLES = {"stop": "Stop", "caution": "Caution", "note": "Note"}


def say(severity: Severity, what: str, fix: str = "", *, about: Sequence[str] = ()) -> None:
    """What happened, then what to do. Red for stop alone, amber for caution, grey for a note. Plain text, escaped.

    about  names of the columns or files it holds for, shown before the words
    """
    draw(message(severity, what, fix, about=about))


def message(severity: Severity, what: str, fix: str = "", *, about: Sequence[str] = ()) -> str:
    """The HTML of `say`, for a card that holds several."""
    role = "alert" if severity == "stop" else "status"
    then = f'<p class="m-fix">{linked(fix, 600)}</p>' if fix else ""
    mark = f'<span class="m-mark" role="img" aria-label="{_TITLES[severity]}"></span>'
    names = ", ".join(html(each, 60) for each in about[:8])
    more = f" and {len(about) - 8:,} more" if len(about) > 8 else ""
    subject = f'<span class="m-about">{names}{more}</span> ' if about else ""
    return (f'<div class="m-say m-say-{severity}" role="{role}">{mark}'
            f'<div><p class="m-what">{subject}{linked(what, 600)}</p>{then}</div></div>')


def section(title: str, words: str = "") -> None:
    """A heading inside a page with a sentence under it."""
    under = f'<p class="m-under">{linked(words, 600)}</p>' if words else ""
    draw(f'<div class="m-section"><h2>{linked(title)}</h2>{under}</div>')


def heading(title: str, words: str = "") -> None:
    """The heading of a card, with a sentence under it."""
    under = f'<p class="m-under">{linked(words, 600)}</p>' if words else ""
    draw(f'<div class="m-heading"><h2>{linked(title)}</h2>{under}</div>')


def note(words: str) -> None:
    """A quiet line of help or provenance."""
    draw(f'<p class="m-note">{linked(words, 800)}</p>')


def reasons(rows: list[tuple[str, str]]) -> None:
    """Names with a reason each, quietly, in two columns."""
    lines = "".join(f"<dt>{html(name, 60)}</dt><dd>{linked(why, 300)}</dd>" for name, why in rows)
    draw(f'<dl class="m-reasons">{lines}</dl>')


def eyebrow(words: str) -> None:
    """A small line above something."""
    st.html(f'<p class="m-eyebrow">{html(words)}</p>')


def empty(what: str, fix: str) -> None:
    """Where there is nothing to show yet: why, and what makes something appear."""
    draw(f'<div class="m-empty"><p class="m-what">{linked(what, 400)}</p><p class="m-fix">{linked(fix, 400)}</p></div>')


def chip(text: str, tone: str = "quiet", more: str = "") -> str:
    """HTML of a small label. tone: quiet, teal, caution, stop;   more: a sentence shown on hover."""
    said = f' title="{html(more, 400)}"' if more else ""
    return f'<span class="m-chip m-chip-{tone}"{said}>{html(text, 60)}</span>'


def breakable(text: object, most: int = 300) -> str:
    """HTML of a person's text whose long words (a column's name, a hash) may break at "_", "-" and "/"."""
    return " ".join(_breaks(each) if len(each) > LONG_WORD else html(each) for each in clean(text, most).split(" "))


def _breaks(word: str) -> str:
    pieces = [piece for part in re.findall(r"[^_/-]*[_/-]+|[^_/-]+", word)
              for piece in (part[at:at + LONG_WORD] for at in range(0, len(part), LONG_WORD))]
    return "<wbr>".join(html(each) for each in pieces)


def count(n: int | float | None, one: str = "", many: str = "") -> str:
    """1,234 rows; "1 row"; a dash where it is not known. Thin spaces are not used: they break when copied."""
    if n is None:
        return "–"
    words = f"{int(n):,}"
    return words if not one else f"{words} {one if n == 1 else many or one + 's'}"


def about(n: int, exact: bool, one: str = "", many: str = "") -> str:
    """A count that may be an estimate: "about 12,000", to two significant digits (it is within some per cent)."""
    return count(n, one, many) if exact else "about " + count(float(f"{n:.2g}"), one, many)


def unit_beside(name: str, unit: str | None) -> str:
    """The unit as it stands beside a name; "" where there is none, or the name ends with it already."""
    said = not unit or re.search(rf"(?:^|[\W_]){re.escape(unit)}[\s)\]}}]*$", name, re.IGNORECASE)
    return "" if said else str(unit)


def number(value: float | None, digits: int = 3) -> str:
    """A figure to some significant digits, with thousands separated and no exponent below a billion."""
    if value is None:
        return "–"
    if value == 0 or 1e-4 <= abs(value) < 1e9:
        rounded = float(f"{value:.{digits}g}")
        decimals = max(0, digits - 1 - (int(f"{abs(rounded):e}".split("e")[1]) if rounded else 0))
        words = f"{rounded:,.{min(decimals, 6)}f}"
        return words.rstrip("0").rstrip(".") if "." in words else words
    return f"{value:.{digits}g}"


def percent(fraction: float | None, digits: int = 0) -> str:
    """0.123 -> "12 %"; small shares keep a digit so that something never reads as nothing."""
    if fraction is None:
        return "–"
    least = 10.0**-digits
    if 0 < 100 * fraction < least / 2:
        return f"under {least:.{digits}f} %"
    return f"{100 * fraction:.{digits}f} %"


def size(n_bytes: int | float) -> str:
    """Bytes as a person says them."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000 or unit == "GB":
            return f"{n_bytes:,.0f} {unit}" if unit in ("B", "kB") or n_bytes >= 100 else f"{n_bytes:,.1f} {unit}"
        n_bytes /= 1000
    raise AssertionError("unreachable")


def duration(seconds: float | None) -> str:
    """How long, as a person says it; a dash where it is not known."""
    return "–" if seconds is None else clock.duration(seconds)


def when(moment: float | str | None) -> str:
    """A moment (seconds since 1970 or ISO) in the words of somebody looking at it now, in the machine's own time."""
    if moment is None:
        return "–"
    if isinstance(moment, str):
        then = datetime.fromisoformat(moment)
    else:
        then = datetime.fromtimestamp(moment, UTC)
    past = (datetime.now(UTC) - then).total_seconds()
    if 0 <= past < 60:
        return "just now"
    if 0 <= past < 3600:
        return count(int(past // 60), "minute") + " ago"
    local, today = then.astimezone(), datetime.now().astimezone().date()
    for days, day in enumerate(("yesterday", "today", "tomorrow"), start=-1):
        if local.date() == today + timedelta(days):
            return f"{day}, {local:%H:%M}"
    return f"{local.day} {local:%B}{'' if local.year == today.year else f' {local.year}'}, {local:%H:%M}"
