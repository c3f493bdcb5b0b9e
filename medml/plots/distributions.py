"""How the values of one column are spread, whole or by outcome: counts in bins, never a point a patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from medml.plots.theme import LIGHT, Ink, plain, shown

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
           height: int = 148) -> dict[str, Any]:
    """Bars of one column; groups share their total, so that a rare outcome can be compared with a frequent one.

    colours  {group: colour}, so that a group looks the same on every chart of a page
    """
    shades = colours or dict(zip(drawn.counts, [ink.accent, ink.second, *ink.series[2:]], strict=False))
    bars, rows = (_bars_of_numbers, _bins) if drawn.edges else (_bars_of_names, _names)
    layers = [{"data": {"name": "rows"}} | each for each in bars(drawn, ink, shades)]
    return plain(layers, {"rows": rows(drawn)}, height=height)


def _colour(drawn: Spread, ink: Ink, shades: dict[str, str]) -> dict[str, Any]:
    names = list(drawn.counts)
    return shown("group", "nominal", legend=None, scale={
        "domain": names, "range": [ink.accent] if names == [ALL] else [shades.get(name, ink.quiet) for name in names]})


def _tips(what: str, title: str, several: bool) -> list[dict[str, Any]]:
    """What pointing at a bar says."""
    tips = [shown(what, "nominal", title=title), shown("n", title="Rows", format=","),
            shown("share", title="Share", format=".1%")]
    return [shown("group", "nominal", title="Outcome"), *tips] if several else tips


def _bars_of_numbers(drawn: Spread, ink: Ink, shades: dict[str, str]) -> list[dict[str, Any]]:
    labels = {"tickCount": 4, "labelFlush": True, "labelOverlap": True}
    if drawn.dates:
        labels["labelExpr"] = "utcFormat(datum.value * 86400000, '%Y-%m')"
    span = {"domain": [drawn.edges[0], drawn.edges[-1]], "nice": False, "zero": False}
    several = list(drawn.counts) != [ALL]
    base = {"x": shown("from", scale=span, title=None, axis=labels),
            "y": shown("share", title=None, axis=None, stack=None), "tooltip": _tips("where", "Values", several)}
    whole = {"x2": {"field": "to"}, "y2": {"field": "none"}}
    if not several:
        bars = {"type": "rect", "stroke": ink.card, "strokeWidth": 0.6, "color": ink.accent}
        return [{"mark": bars, "encoding": base | whole}]
    steps = base | {"color": _colour(drawn, ink, shades)}
    return [{"mark": {"type": "area", "interpolate": "step-after", "fillOpacity": 0.16}, "encoding": steps},
            {"mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6}, "encoding": steps},
            {"mark": {"type": "rect", "fillOpacity": 0, "strokeOpacity": 0}, "encoding": steps | whole}]  # to point at


def _bins(drawn: Spread) -> list[dict]:
    """One row a bin of each group, and a last one that closes its outline."""
    places = [(low, high, _where(low, high, drawn.dates)) for low, high in pairwise(drawn.edges)]
    rows = []
    for name, counts in drawn.counts.items():
        total = sum(counts) or 1
        rows += [{"from": low, "to": high, "n": n, "share": n / total, "none": 0, "group": name, "where": where}
                 for (low, high, where), n in zip(places, counts, strict=True)]
        if name != ALL:
            rows.append(rows[-1] | {"from": drawn.edges[-1], "to": drawn.edges[-1]})
    return rows


def _names(drawn: Spread) -> list[dict]:
    """One row a category of each group."""
    totals = {name: sum(counts) or 1 for name, counts in drawn.counts.items()}
    return [{"label": label, "n": n, "share": n / totals[name], "group": name}
            for name, counts in drawn.counts.items() for label, n in zip(drawn.labels, counts, strict=True)]


def _bars_of_names(drawn: Spread, ink: Ink, shades: dict[str, str]) -> list[dict[str, Any]]:
    several = list(drawn.counts) != [ALL]
    base = {"y": shown("label", "nominal", sort=drawn.labels, title=None, axis={"labelLimit": 110}),
            "x": shown("share", title=None, axis=None, scale={"domainMin": 0}),
            "color": _colour(drawn, ink, shades), "tooltip": _tips("label", "Value", several)}
    if several:
        base["yOffset"] = shown("group", "nominal", sort=list(drawn.counts))
    thick = max(4, min(20, 118 / (len(drawn.labels) * (len(drawn.counts) if several else 1)) * 0.8))
    return [{"mark": {"type": "bar", "cornerRadiusEnd": 2, "height": thick}, "encoding": base}]


def _where(low: float, high: float, dates: bool) -> str:
    if dates:
        first, last = (date(1970, 1, 1) + timedelta(days=round(each)) for each in (low, high))
        return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    if high - low == 1 and low != round(low):
        return f"{low + 0.5:g}"
    return f"{low:.4g} to {high:.4g}"
