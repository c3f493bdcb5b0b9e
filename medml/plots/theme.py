"""One look for every chart: colours for a light and a dark ground, and what axes, legends and titles are like.

The colours are those of .streamlit/config.toml, so that a chart sits on the page as if drawn on it. Every mark colour
has at least 3:1 against its ground, every text colour 4.5:1 (WCAG 2.2, 1.4.11 and 1.4.3); a test holds it.
"""

from __future__ import annotations

from dataclasses import dataclass

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


def dressed(drawn: alt.TopLevelMixin, ink: Ink = LIGHT) -> alt.TopLevelMixin:
    """The chart with the house's theme around it; the last thing done to a chart before it is shown or saved."""
    axis = {"labelColor": ink.quiet, "titleColor": ink.quiet, "gridColor": ink.line, "domainColor": ink.line,
            "tickColor": ink.line, "labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12,
            "titleFontWeight": "normal", "titlePadding": 10, "labelPadding": 6, "ticks": False}
    words = {"labelColor": ink.text, "titleColor": ink.quiet, "labelFont": FONT, "titleFont": FONT,
             "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return (drawn.configure(background="transparent", font=FONT, padding={"left": 4, "right": 8, "top": 8, "bottom": 4})
            .configure_view(stroke=None)
            .configure_axis(**axis)
            .configure_axisX(grid=False)
            .configure_axisY(domain=False)
            .configure_legend(orient="bottom", symbolType="circle", columnPadding=16, **words)
            .configure_title(font=FONT, color=ink.text, fontSize=14, fontWeight=600, anchor="start", offset=12)
            .configure_header(**words)
            .configure_text(font=FONT, color=ink.text)
            .configure_mark(color=ink.accent)
            .configure_range(category=list(ink.series)))
