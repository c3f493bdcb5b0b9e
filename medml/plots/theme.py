"""One look for every chart: colours for a light and a dark ground, and what axes, legends and titles are like.

The colours are those of .streamlit/config.toml, so that a chart sits on the page as if drawn on it. No scale runs from
one colour to another: shades are the opacity of one colour, which works by name too (SCREEN). Every mark colour has at
least 3:1 against its ground, every text colour 4.5:1 (WCAG 2.2, 1.4.11 and 1.4.3); a test holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import altair as alt

FONT = "Noto Sans MedML, Noto Sans, Segoe UI, Helvetica Neue, sans-serif"


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours as #RRGGBB.

    ground, card  what lies behind: the page, a card;   text, quiet  words and secondary words
    line          grid lines and frames;   faint  the weakest tint of the accent, for areas
    accent        the one colour of the house, on_accent for words on it;   second  the other series
    amber         caution;   red  stop alone;   series  for three and more things side by side
    """

    ground: str
    card: str
    text: str
    quiet: str
    line: str
    faint: str
    accent: str
    on_accent: str
    second: str
    amber: str
    red: str
    series: tuple[str, ...]


LIGHT = Ink(ground="#FAF8F4", card="#FFFFFF", text="#1D2523", quiet="#55605C", line="#E2DED5", faint="#D9E7E4",
            accent="#0F5E5C", on_accent="#FFFFFF", second="#B26A12", amber="#8A5200", red="#A32A22",
            series=("#0F5E5C", "#B26A12", "#5B6FA8", "#8C4A6B", "#5F7B31", "#7A6A58"))
DARK = Ink(ground="#111514", card="#191F1E", text="#E6EBE9", quiet="#A3AFAB", line="#2E3736", faint="#1F3A38",
           accent="#5BBDB3", on_accent="#0C1413", second="#E3A552", amber="#E7B264", red="#F0958C",
           series=("#5BBDB3", "#E3A552", "#93A5DB", "#CF8FB0", "#A9C46F", "#BBAA96"))
INKS = {"light": LIGHT, "dark": DARK}
# For the screen: each colour by the name that the page's style sheet gives it, so that a chart which is there already
# follows when the system turns light or dark. A test holds the sheet to LIGHT and DARK.
SCREEN = Ink(**{each.name: f"var(--chart-{each.name.replace('_', '-')})" for each in fields(Ink)
                if each.name != "series"},
             series=tuple(f"var(--chart-series-{place})" for place in range(1, 1 + len(LIGHT.series))))


def config(ink: Ink = LIGHT) -> dict[str, Any]:
    """The theme as a Vega-Lite config: what axes, legends, titles and marks are like."""
    axis = {"labelColor": ink.quiet, "titleColor": ink.quiet, "gridColor": ink.line, "domainColor": ink.line,
            "tickColor": ink.line, "labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12,
            "titleFontWeight": "normal", "titlePadding": 10, "labelPadding": 6, "ticks": False}
    words = {"labelColor": ink.text, "titleColor": ink.quiet, "labelFont": FONT, "titleFont": FONT,
             "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return {"background": "transparent", "font": FONT, "padding": {"left": 4, "right": 8, "top": 8, "bottom": 4},
            "view": {"stroke": None}, "axis": axis, "axisX": {"grid": False}, "axisY": {"domain": False},
            "legend": {"orient": "bottom", "symbolType": "circle", "columnPadding": 16} | words,
            "title": {"font": FONT, "color": ink.text, "fontSize": 14, "fontWeight": 600, "anchor": "start",
                      "offset": 12},
            "header": words, "text": {"font": FONT, "color": ink.text}, "mark": {"color": ink.accent},
            "range": {"category": list(ink.series)}}


AXIS, LEGEND = 48, 44  # pixels of a chart's height that its lower axis with a title and a legend below it take


LEAST_SPAN = 0.01  # of a figure, that an axis spans


def roomy(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis for values from low to high: where all are alike it would be labelled to nine digits."""
    more = max(0.0, (LEAST_SPAN * (max(abs(low), abs(high)) or 1) - (high - low)) / 2)
    return low - more, high + more


class Rows(alt.InlineData):
    """What a chart draws: `Rows(values=[{...}])`. Nobody changes it, so it is shared: Altair copies a chart a dozen
    times while its layers are put together, and copying these was a third of that work."""

    def __deepcopy__(self, known: dict | None = None) -> Rows:
        return self


class Layered(alt.LayerChart):
    """Layers put together as they are. `alt.layer` looks in them for selections and facets, of which there are none
    here, and copies each half a dozen times for it: two thirds of the work of a chart."""

    def __init__(self, **parts: Any) -> None:
        super(alt.LayerChart, self).__init__(**parts)


def layered(*layers: alt.Chart, height: int, **more: Any) -> alt.LayerChart:
    """Charts over one another, as wide as their place; `more` as `alt.LayerChart` takes it."""
    return Layered(layer=list(layers), height=height, width="container", **more)


alt.utils.schemapi.DEBUG_MODE = False  # else every part is validated as it is made, a fifth of a page's work


def plain(layers: list[dict[str, Any]], rows: dict[str, list[dict]], *, height: int, **more: Any) -> dict[str, Any]:
    """Layers over one another as `layered` puts them, written in Vega-Lite's own words: for the pictures of a screen
    that shows several at once, since Altair takes 2 to 6 ms for each.

    layers  each with the name of its rows in {"data": {"name": ...}};   rows  by that name
    """
    return {"$schema": alt.SCHEMA_URL, "layer": layers, "datasets": rows, "height": height, "width": "container"} | more


def shown(field: str, kind: str = "quantitative", **more: Any) -> dict[str, Any]:
    """What a mark shows of its rows, and how: the value of one channel of `plain`'s layers."""
    return {"field": field, "type": kind} | more


def layer(rows: str, mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    """One layer of `plain`: a mark for each of the rows of that name."""
    return {"data": {"name": rows}, "mark": mark, "encoding": encoding}


def dressed(drawn: alt.TopLevelMixin | dict[str, Any], ink: Ink = LIGHT) -> dict[str, Any]:
    """The chart as a Vega-Lite specification with the house's theme: the last thing done before it is shown or saved.

    Not validated here (that takes as long as all the rest); tests validate every chart. Costs about 5 ms, of a
    `plain` one 0.1.
    """
    svg = {"embedOptions": {"renderer": "svg"}}  # a canvas knows no style sheet
    spec = drawn if isinstance(drawn, dict) else drawn.to_dict(validate=False)
    return spec | {"config": config(ink), "usermeta": svg}
