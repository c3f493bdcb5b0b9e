"""Figures on the screen: numbers with their interval, tiles, charts with words under them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import streamlit as st
from pydantic_core import to_json

from medml.measured import NO_INTERVAL
from medml.types import Metric
from pages._ui_terms import draw, linked
from pages._ui_words import chip, count, html, number

KEPT = 48  # charts of reports that a session keeps

if TYPE_CHECKING:
    import altair as alt

    from medml.plots import Ink

    Drawn = alt.TopLevelMixin | dict[str, Any]  # as a function of medml.plots gives it


def number_with_interval(label: str, metric: Metric | None, *, help: str = "", large: bool = True,
                         digits: int = 3) -> None:
    """One figure: large, its 95 % interval beside it in grey, n under it. "Could not tell" where there is none."""
    draw(figure(label, metric, help=help, large=large, digits=digits))


def figure(label: str, metric: Metric | None, *, help: str = "", large: bool = True, digits: int = 3) -> str:
    """The HTML of `number_with_interval`."""
    tone = " m-figure-large" if large else ""
    under = f'<p class="m-figure-help">{linked(help, 300)}</p>' if help else ""
    if metric is None or metric.value is None:
        return (f'<div class="m-figure{tone}"><p class="m-figure-label">{linked(label)}</p>'
                f'<p class="m-figure-value m-figure-unknown">Could not tell</p>{under}</div>')
    interval = f"{fixed(metric.low, digits)} to {fixed(metric.high, digits)}" if metric.spread else NO_INTERVAL
    return (f'<div class="m-figure{tone}"><p class="m-figure-label">{linked(label)}</p><p class="m-figure-value">'
            f'{fixed(metric.value, digits)}<span class="m-figure-interval" title="95 % interval, '
            f'n = {metric.n:,}">{interval}</span></p>{under}</div>')


def fixed(value: float, digits: int = 3) -> str:
    """0.8461 -> "0.846"; as many decimals in the interval as in the value. Figures of 100 and more: 3 significant."""
    return f"{value:.{digits}f}" if abs(value) < 100 else number(value, 4)


def figures(rows: Iterable[tuple[str, Metric | None]], *, large: bool = False, digits: int = 3) -> None:
    """Several figures side by side in one card; they wrap on a narrow screen."""
    cells = "".join(figure(label, metric, large=large, digits=digits) for label, metric in rows)
    draw(f'<div class="m-card m-figures">{cells}</div>')


def tiles(rows: Iterable[tuple[str, object]]) -> None:
    """Plain counts side by side: (label, value). A value that is text is shown as it is."""
    cells = "".join(
        f'<div class="m-tile"><p class="m-tile-value">{html(count(value) if isinstance(value, int) else value)}</p>'
        f'<p class="m-tile-label">{html(label)}</p></div>' for label, value in rows)
    st.html(f'<div class="m-tiles">{cells}</div>')


def judged(verdict: tuple[str, str], title: str, aside: str, what: str, fix: str, *, mark: str = "") -> str:
    """HTML of one line in a list of what was looked at: verdict (words, tone), what was found, what to do."""
    then = f'<p class="m-fix">{linked(fix, 600)}</p>' if fix else ""
    return (f'<div class="{f"m-check {mark}".strip()}"><div class="m-check-side">{chip(*verdict)}</div>'
            f'<div><p class="m-what">{linked(title)} <span class="m-quiet">{html(aside)}</span></p>'
            f'<p>{linked(what, 800)}</p>{then}</div></div>')


def ink() -> Ink:
    """The colours of charts on a page, which follow the theme; pass it to every function of medml.plots."""
    from medml.plots import SCREEN

    return SCREEN


def legend(shades: dict[str, str], title: str = "") -> None:
    """What the colours of several charts mean, once over all of them."""
    keys = "".join(f'<span class="m-key"><span style="background:{shade}"></span>{html(name, 120)}</span>'
                   for name, shade in shades.items())
    if keys:
        said = f'<span class="m-quiet">{html(title, 60)}</span>' if title else ""
        st.html(f'<p class="m-keys">{said}{keys}</p>')


def chart(drawn: Drawn | Callable[[], Drawn], words: str, *, key: str | None = None, about: str = "",
          of: tuple = ()) -> None:
    """One chart in the house's theme with a sentence under it, which is also its text for a screen reader.

    drawn  a chart of medml.plots, or what `sent` made of one before (kept by the caller)
    about  what is drawn, said before `words` to a screen reader alone, where a heading tells it to the eye
    of     all that a chart is made from, where `drawn` makes it: it is then made once a session
    """
    from medml.plots import dressed

    if callable(drawn):
        spec = _drawn_once(key, to_json(of), drawn)
    else:
        spec = sent(drawn if isinstance(drawn, dict) else dressed(drawn, ink()))
    st.vega_lite_chart(spec=spec, theme=None, width="stretch", key=key, alt=f"{about} {words}".strip())
    draw(f'<p class="m-words">{linked(words, 600)}</p>')


def _drawn_once(key: str, of: bytes, make: Callable[[], Drawn]) -> dict[str, Any]:
    """Kept in the session: a cache of the server would be everybody's."""
    from medml.plots import dressed

    known = st.session_state.setdefault("m_charts", {})
    if (key, of) not in known:
        known[key, of] = sent(dressed(make(), ink()))
    for oldest in list(known)[:-KEPT]:
        del known[oldest]
    return known[key, of]


def sent(spec: dict[str, Any]) -> dict[str, Any]:
    """A specification that `medml.plots.dressed` made, with its rows in the form that Streamlit sends: to keep it so
    is cheap, and by way of Pandas it takes ten times the work."""
    return spec | {"datasets": {name: rows if isinstance(rows, bytes) else _columns(rows)
                                for name, rows in spec.get("datasets", {}).items()}}


def _columns(rows: list[dict[str, Any]]) -> bytes:
    """Rows as an Arrow stream, a column for every name in them."""
    import pyarrow as arrow

    names = dict.fromkeys(name for row in rows for name in row)
    table = arrow.table({name: arrow.array([row.get(name) for row in rows]) for name in names})
    with arrow.BufferOutputStream() as into:
        with arrow.ipc.new_stream(into, table.schema) as stream:
            stream.write_table(table)
        return into.getvalue().to_pybytes()
