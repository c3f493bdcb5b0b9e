"""Where cells are missing: one strip a column, from the first row of the file to the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from medml.plots.theme import LIGHT, Ink, plain, shown

BANDS = 80  # parts into which the rows are cut
MOST_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class Holes:
    """What to draw.

    columns  names, most missing first;   share  (columns,) of all rows, 0-1
    bands    (columns, bands) share of each band's rows that is missing;   edges  (bands + 1,) row numbers
    whole    columns of the table that miss nothing;   more  columns with missing cells that are not drawn
    """

    columns: list[str]
    share: list[float]
    bands: np.ndarray
    edges: list[int]
    whole: int
    more: int


def holes(missing: dict[str, np.ndarray], *, most: int = MOST_COLUMNS) -> Holes | None:
    """Count missing cells by column and band of rows from {column: (n,) bool}. None where nothing is missing."""
    rows = max((len(each) for each in missing.values()), default=0)
    shares = {name: float(each.mean()) for name, each in missing.items() if len(each) and each.any()}
    if not shares:
        return None
    order = sorted(shares, key=lambda name: -shares[name])
    edges = np.unique(np.linspace(0, rows, min(BANDS, rows) + 1).astype(int))
    width = np.diff(edges)
    bands = np.array([np.add.reduceat(missing[name], edges[:-1]) / width for name in order[:most]])
    return Holes(order[:most], [shares[name] for name in order[:most]], bands, edges.tolist(),
                 len(missing) - len(shares), max(0, len(order) - most))


def missing_picture(found: Holes, *, ink: Ink = LIGHT) -> dict[str, Any]:
    """Strips (darker: more of that part of the file is missing) and, beside each, the share of the whole column."""
    strips = [{"column": name, "from": low, "to": high, "share": share}
              for name, strip in zip(found.columns, found.bands.tolist(), strict=True)
              for low, high, share in zip(found.edges, found.edges[1:], strip, strict=False)]
    totals = [{"column": name, "share": share, "words": _percent(share)}
              for name, share in zip(found.columns, found.share, strict=True)]
    whole = [{"column": name, "from": 0, "to": found.edges[-1]} for name in found.columns]
    height = 22 * len(found.columns) + 48  # the axis and its title are inside
    return plain(_layers(found, ink), {"whole": whole, "strips": strips, "totals": totals}, height=height,
                 padding={"right": 64, "left": 4, "top": 4, "bottom": 4})


def _layers(found: Holes, ink: Ink) -> list[dict[str, Any]]:
    """The ground of each strip, its parts, and the words beside it."""
    y = shown("column", "nominal", sort=found.columns, title=None, axis={"labelLimit": 180, "domain": False},
              scale={"paddingInner": 0.28})
    x = shown("from", title="Row of the file", scale={"domain": [0, found.edges[-1]], "nice": False},
              axis={"tickCount": 5, "format": ",d", "labelFlush": True})
    place = {"y": y, "x": x, "x2": {"field": "to"}}
    share = shown("share", legend=None, scale={"type": "sqrt", "domain": [0, 1], "range": [0, 1]})
    tips = [shown("column", "nominal", title="Column"), shown("from", title="From row", format=",d"),
            shown("share", title="Missing here", format=".0%")]
    return [{"data": {"name": "whole"}, "mark": {"type": "rect", "fill": ink.line}, "encoding": place},
            {"data": {"name": "strips"}, "mark": {"type": "rect", "fill": ink.amber},
             "encoding": place | {"fillOpacity": share, "tooltip": tips}},
            {"data": {"name": "totals"},
             "mark": {"type": "text", "align": "left", "dx": 8, "color": ink.quiet, "fontSize": 12},
             "encoding": {"y": y, "x": {"datum": found.edges[-1]}, "text": shown("words", "nominal")}}]


def _percent(share: float) -> str:
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
