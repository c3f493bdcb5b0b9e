"""Two runs in one picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from medml.plots.performance import HEIGHT, Plane
from medml.plots.theme import LIGHT, Ink, layer, plain, shown
from medml.types import Curve

PLANES = {"roc": Plane("1 − specificity (false alarms)", "Sensitivity (events found)"),
          "precision_recall": Plane("Sensitivity (recall)", "Precision (alarms that are right)"),
          "calibration": Plane("Predicted probability", "Observed share")}


def overlaid(which: str, curves: Mapping[str, Curve], *, ink: Ink = LIGHT, height: int = HEIGHT) -> dict[str, Any]:
    """The same curve of several runs, each in its own colour and dash, with its band. No legend: see `shades`.

    which   "roc", "precision_recall" or "calibration";   curves  by the name that the legend shows
    """
    plane, names = PLANES[which], list(curves)
    rows = [{"run": name, "x": x, "y": y, "low": low, "high": high, "order": place}
            for name, curve in curves.items()
            for place, (x, y, low, high) in enumerate(zip(curve.x, curve.y, curve.low or curve.y,
                                                          curve.high or curve.y, strict=True))]
    dashes = {"domain": names, "range": [[1, 0], [7, 3], [2, 2]][:len(names)]}
    base = {"x": plane.x(), "color": shown("run", "nominal", legend=None, scale={
        "domain": names, "range": list(shades(names, ink).values())})}
    band = base | {"y": plane.y("low"), "y2": {"field": "high"}}
    line = base | {"y": plane.y(), "order": shown("order"), "tooltip": [shown("run", "nominal"), *plane.tips()],
                   "strokeDash": shown("run", "nominal", scale=dashes, legend=None)}
    return plain([layer("curves", {"type": "area", "opacity": 0.12}, band),
                  layer("curves", {"type": "line", "strokeWidth": 2}, line)], {"curves": rows}, height=height)


def shades(names: Iterable[str], ink: Ink = LIGHT) -> dict[str, str]:
    """Which colour stands for which run, for one legend over several pictures."""
    return dict(zip(names, ink.series, strict=False))
