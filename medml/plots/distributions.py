"""How the values of one column are spread, whole or by outcome: counts in bins, never a point a patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from medml.plots.theme import LIGHT, Ink, Rows, dressed, layered

BINS = 24
MOST_LEVELS = 6  # bars of a category; the rest is one bar more
TAIL = 0.5  # per cent on either side that stands in the outermost bins, so that one typing error squeezes nothing
ALL = ""  # the name of the one group where rows are not told apart


@dataclass(frozen=True, slots=True)
class Spread:
    """Counts to draw.

    edges   (bins + 1,) of numbers, or () for categories;   labels  names of categories, or []
    counts  {group: (bins,) rows};   beyond  rows outside the outer edges, counted in the outermost bins
    """

    edges: tuple[float, ...]
    labels: list[str]
    counts: dict[str, list[int]]
    beyond: int = 0
    dates: bool = False


def spread_of_numbers(values: np.ndarray, groups: np.ndarray | None = None, *, bins: int = BINS,
                      dates: bool = False) -> Spread | None:
    """Count numbers (n,) float64 with NaN in bins of equal width, for each of at most a handful of groups (n,) str.

    Whole numbers over a short range get a bin each. None where there is nothing to count.
    """
    known = np.isfinite(values)
    if not known.any():
        return None
    low, high = (float(each) for each in np.percentile(values[known], [TAIL, 100 - TAIL]))
    edges = _edges(values[known], low, high, bins)
    inside = np.clip(values, edges[0], edges[-1])
    counts = {name: np.histogram(inside[rows], edges)[0].tolist() for name, rows in _grouped(groups, known)}
    beyond = int(((values[known] < edges[0]) | (values[known] > edges[-1])).sum())
    return Spread(tuple(float(each) for each in edges), [], counts, beyond, dates)


def _edges(values: np.ndarray, low: float, high: float, bins: int) -> np.ndarray:
    whole = bool((values == np.round(values)).all())
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    if whole and high - low <= 2 * bins:
        width = max(1, int(np.ceil((high - low + 1) / bins)))
        return np.arange(np.floor(low), high + 1 + width, width) - 0.5
    return np.linspace(low, high, bins + 1)


def spread_of_names(names: np.ndarray, groups: np.ndarray | None = None, *, most: int = MOST_LEVELS) -> Spread | None:
    """Count categories (n,) object with None, the most frequent first, the rest together."""
    known = np.array([each is not None for each in names], dtype=bool)
    if not known.any():
        return None
    levels, codes = np.unique(names[known].astype(str), return_inverse=True)
    order = np.argsort(-np.bincount(codes), kind="stable")
    shown = order if len(order) <= most + 1 else order[:most]
    labels = [str(levels[each]) for each in shown]
    place = np.full(len(levels), len(shown))
    place[shown] = np.arange(len(shown))
    rest = len(order) - len(shown)
    if rest:
        labels.append(f"{rest:,} more")
    at = np.full(len(names), -1)
    at[known] = place[codes]
    counts = {name: np.bincount(at[rows], minlength=len(labels)).tolist() for name, rows in _grouped(groups, known)}
    return Spread((), labels, counts)


def _grouped(groups: np.ndarray | None, known: np.ndarray) -> list[tuple[str, np.ndarray]]:
    if groups is None:
        return [(ALL, known)]
    names = sorted({str(each) for each in groups[known] if each is not None})
    return [(name, known & (groups == name)) for name in names]


def spread(drawn: Spread, *, ink: Ink = LIGHT, colours: dict[str, str] | None = None,
           height: int = 148) -> alt.TopLevelMixin:
    """Bars of one column; groups share their total, so that a rare outcome can be compared with a frequent one.

    colours  {group: colour}, so that a group looks the same on every chart of a page
    """
    shades = colours or dict(zip(drawn.counts, [ink.accent, ink.second, *ink.series[2:]], strict=False))
    return layered(*(_bars_of_numbers if drawn.edges else _bars_of_names)(drawn, ink, shades), height=height)


def spread_dressed(drawn: Spread, *, ink: Ink = LIGHT, colours: dict[str, str] | None = None) -> dict[str, Any]:
    """What `dressed(spread(drawn))` is, but for the name of its rows. Of numbers in a tenth of the time: pictures with
    the same groups differ in their rows and in where their axis ends alone, so the rest is made once."""
    if not drawn.edges:
        return dressed(spread(drawn, ink=ink, colours=colours), ink)
    once = _dressed_once(tuple(drawn.counts), drawn.dates, ink, tuple((colours or {}).items()))
    rows = [row for name, counts in drawn.counts.items() for row in _bins(drawn, name, counts)]
    layers = [each | {"encoding": each["encoding"] | {"x": _ending(each["encoding"]["x"], drawn)}}
              for each in once["layer"]]
    return once | {"layer": layers, "datasets": dict.fromkeys(once["datasets"], rows)}


def _ending(x: dict[str, Any], drawn: Spread) -> dict[str, Any]:
    return x | {"scale": x["scale"] | {"domain": [drawn.edges[0], drawn.edges[-1]]}}


@lru_cache(maxsize=128)
def _dressed_once(names: tuple[str, ...], dates: bool, ink: Ink, colours: tuple[tuple[str, str], ...]) -> dict:
    """A picture of one bin, for its looks."""
    return dressed(spread(Spread((0.0, 1.0), [], {name: [1] for name in names}, dates=dates), ink=ink,
                          colours=dict(colours)), ink)


def _colour(drawn: Spread, ink: Ink, shades: dict[str, str]) -> alt.Color:
    names = list(drawn.counts)
    return alt.Color("group:N", legend=None, scale=alt.Scale(
        domain=names, range=[ink.accent] if names == [ALL] else [shades.get(name, ink.quiet) for name in names]))


def _bars_of_numbers(drawn: Spread, ink: Ink, shades: dict[str, str]) -> list[alt.Chart]:
    several = list(drawn.counts) != [ALL]
    rows = [row for name, counts in drawn.counts.items() for row in _bins(drawn, name, counts)]
    labels = alt.Axis(tickCount=4, labelFlush=True, labelOverlap=True)
    if drawn.dates:
        labels.labelExpr = "utcFormat(datum.value * 86400000, '%Y-%m')"
    span = alt.Scale(domain=[drawn.edges[0], drawn.edges[-1]], nice=False, zero=False)
    base = alt.Chart(Rows(values=rows)).encode(
        x=alt.X("from:Q", scale=span, title=None, axis=labels),
        y=alt.Y("share:Q", title=None, axis=None, stack=None))
    tips = [alt.Tooltip("where:N", title="Values"), alt.Tooltip("n:Q", title="Rows", format=","),
            alt.Tooltip("share:Q", title="Share", format=".1%")]
    if not several:
        return [base.mark_rect(stroke=ink.card, strokeWidth=0.6, color=ink.accent).encode(
            x2=alt.X2("to:Q"), y2=alt.Y2("none:Q"), tooltip=tips)]
    tips = [alt.Tooltip("group:N", title="Outcome"), *tips]
    steps = base.encode(color=_colour(drawn, ink, shades), tooltip=tips)
    return [steps.mark_area(interpolate="step-after", fillOpacity=0.16),
            steps.mark_line(interpolate="step-after", strokeWidth=1.6),
            steps.mark_rect(fillOpacity=0, strokeOpacity=0).encode(  # where to point
                x2=alt.X2("to:Q"), y2=alt.Y2("none:Q"))]


def _bins(drawn: Spread, name: str, counts: list[int]) -> list[dict]:
    """One row a bin of one group, and a last one that closes its outline."""
    total = sum(counts) or 1
    rows = [{"from": low, "to": high, "n": n, "share": n / total, "none": 0, "group": name,
             "where": _where(low, high, drawn.dates)}
            for low, high, n in zip(drawn.edges, drawn.edges[1:], counts, strict=False)]
    return rows if name == ALL else [*rows, rows[-1] | {"from": drawn.edges[-1], "to": drawn.edges[-1]}]


def _bars_of_names(drawn: Spread, ink: Ink, shades: dict[str, str]) -> list[alt.Chart]:
    rows = []
    for name, counts in drawn.counts.items():
        total = sum(counts) or 1
        rows += [{"label": label, "n": n, "share": n / total, "group": name}
                 for label, n in zip(drawn.labels, counts, strict=True)]
    several = list(drawn.counts) != [ALL]
    tips = [alt.Tooltip("label:N", title="Value"), alt.Tooltip("n:Q", title="Rows", format=","),
            alt.Tooltip("share:Q", title="Share", format=".1%")]
    y = alt.Y("label:N", sort=drawn.labels, title=None, axis=alt.Axis(labelLimit=110))
    base = alt.Chart(Rows(values=rows)).encode(
        y=y, x=alt.X("share:Q", title=None, axis=None, scale=alt.Scale(domainMin=0)),
        color=_colour(drawn, ink, shades), tooltip=tips)
    if several:
        base = base.encode(tooltip=[alt.Tooltip("group:N", title="Outcome"), *tips])
        base = base.encode(yOffset=alt.YOffset("group:N", sort=list(drawn.counts)))
    thick = max(4, min(20, 118 / (len(drawn.labels) * (len(drawn.counts) if several else 1)) * 0.8))
    return [base.mark_bar(cornerRadiusEnd=2, height=thick)]


def _where(low: float, high: float, dates: bool) -> str:
    if dates:
        first, last = (date(1970, 1, 1) + timedelta(days=round(each)) for each in (low, high))
        return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    if high - low == 1 and low != round(low):
        return f"{low + 0.5:g}"
    return f"{low:.4g} to {high:.4g}"
