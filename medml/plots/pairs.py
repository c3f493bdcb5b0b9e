"""Two runs in one picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import altair as alt

from medml.plots.performance import HEIGHT, Plane
from medml.plots.theme import LIGHT, Ink, Rows, layered
from medml.types import Curve

PLANES = {"roc": Plane("1 − specificity (false alarms)", "Sensitivity (events found)"),
          "precision_recall": Plane("Sensitivity (recall)", "Precision (alarms that are right)"),
          "calibration": Plane("Predicted probability", "Observed share")}


def overlaid(which: str, curves: Mapping[str, Curve], *, ink: Ink = LIGHT, height: int = HEIGHT) -> alt.LayerChart:
    """The same curve of several runs, each in its own colour and dash, with its band. No legend: see `shades`.

    which   "roc", "precision_recall" or "calibration";   curves  by the name that the legend shows
    """
    plane, names = PLANES[which], list(curves)
    rows = [{"run": name, "x": x, "y": y, "low": low, "high": high, "order": place}
            for name, curve in curves.items()
            for place, (x, y, low, high) in enumerate(zip(curve.x, curve.y, curve.low or curve.y,
                                                          curve.high or curve.y, strict=True))]
    colours = alt.Scale(domain=names, range=list(shades(names, ink).values()))
    dashes = alt.Scale(domain=names, range=[[1, 0], [7, 3], [2, 2]][:len(names)])
    base = alt.Chart(Rows(values=rows)).encode(
        x=plane.x(), color=alt.Color("run:N", scale=colours, legend=None))
    band = base.mark_area(opacity=0.12).encode(y=plane.y("low"), y2=alt.Y2("high:Q"))
    line = base.mark_line(strokeWidth=2).encode(y=plane.y(), order=alt.Order("order:Q"),
                                                tooltip=[alt.Tooltip("run:N"), *plane.tips()],
                                                strokeDash=alt.StrokeDash("run:N", scale=dashes, legend=None))
    return layered(band, line, height=height)


def shades(names: Iterable[str], ink: Ink = LIGHT) -> dict[str, str]:
    """Which colour stands for which run, for one legend over several pictures."""
    return dict(zip(names, ink.series, strict=False))
