"""What a model is good for: decision curves, probabilities before and after they are put right, what more patients
would bring."""

from __future__ import annotations

from typing import Any

from medml.plots.performance import HEIGHT, Plane
from medml.plots.theme import LIGHT, Ink, layer, plain, shown
from medml.types import Curve, Forecast, NetBenefit, Recalibration

MODEL, EVERYBODY, NOBODY, SCORE = "This model", "Treat everybody", "Treat nobody", "The score in use today"
BEFORE, AFTER = "As the model says", "Put right"


def decision(found: NetBenefit, *, ink: Ink = LIGHT, height: int = HEIGHT) -> dict[str, Any]:
    """Net benefit by threshold of the model (with its band), of treating everybody and nobody, and of a score.

    The stretch that is compared is shaded. Treating everybody is drawn down to a tenth below nothing at most.
    """
    lines = {MODEL: found.model, **({SCORE: found.score} if found.score is not None else {}),
             EVERYBODY: found.everybody, NOBODY: Curve(x=found.model.x, y=[0.0] * len(found.model.x))}
    top = max(*found.model.high, *found.everybody.y, 0.02)
    bottom = -0.1 * top
    rows = [{"line": name, "x": x, "y": y} for name, curve in lines.items()
            for x, y in zip(curve.x, curve.y, strict=True) if y >= bottom]
    band = [{"x": x, "low": max(low, bottom), "high": high} for x, low, high
            in zip(found.model.x, found.model.low, found.model.high, strict=True) if high >= bottom]
    across, up = "Threshold: the risk from which one would act", "Net benefit a patient"
    x = shown("x", title=across, scale={"domain": [0, 1], "nice": False}, axis={"format": "%", "tickCount": 5})
    y = shown("y", title=up, scale={"domain": [bottom, top * 1.05], "nice": False}, axis={"tickCount": 5})
    stretch = layer("stretch", {"type": "rect", "color": ink.quiet, "opacity": 0.10},
                    {"x": shown("x", title=across), "x2": {"field": "x2"}})
    around = layer("band", {"type": "area", "color": ink.accent, "opacity": 0.16},
                   {"x": x, "y": shown("low", title=up), "y2": {"field": "high"}})
    return plain([stretch, around, _lines(list(lines), x, y, ink)],
                 {"stretch": [{"x": found.low, "x2": found.high}], "band": band, "lines": rows}, height=height)


def _lines(names: list[str], x: dict[str, Any], y: dict[str, Any], ink: Ink) -> dict[str, Any]:
    colours = {MODEL: ink.accent, AFTER: ink.accent, BEFORE: ink.second, SCORE: ink.second, EVERYBODY: ink.quiet,
               NOBODY: ink.quiet}
    dashes = {EVERYBODY: [6, 3], NOBODY: [2, 3], BEFORE: [6, 3]}
    legend = {"title": None, "orient": "bottom", "symbolType": "stroke", "columns": 2, "symbolStrokeWidth": 2}
    return layer("lines", {"type": "line", "strokeWidth": 2}, {
        "x": x, "y": y,
        "color": shown("line", "nominal", legend=legend,
                       scale={"domain": names, "range": [colours[name] for name in names]}),
        "strokeDash": shown("line", "nominal", legend=None, scale={
            "domain": names, "range": [dashes.get(name, [1, 0]) for name in names]}),
        "tooltip": [shown("line", "nominal", title=" "), shown("x", title="at", format=".2f"),
                    shown("y", title="is", format=".3f")]})


def put_right(before: Curve, found: Recalibration, *, ink: Ink = LIGHT, height: int = HEIGHT) -> dict[str, Any]:
    """Both calibration curves on one plane; the thin line is where predicted and observed agree.

    raises  ValueError if there is no curve after
    """
    if found.curve is None:
        raise ValueError("this recalibration has no curve")
    lines = {BEFORE: before, AFTER: found.curve}
    rows = [{"line": name, "x": x, "y": y} for name, curve in lines.items()
            for x, y in zip(curve.x, curve.y, strict=True)]
    plane = Plane("Predicted probability", "Observed share")
    agree = layer("agree", {"type": "line", "color": ink.line, "strokeWidth": 1.5}, {"x": plane.x(), "y": plane.y()})
    return plain([agree, _lines(list(lines), plane.x(), plane.y(), ink)],
                 {"agree": [{"x": 0, "y": 0}, {"x": 1, "y": 1}], "lines": rows}, height=height)


def forecast(found: Forecast, *, title: str, ink: Ink = LIGHT, height: int = HEIGHT) -> dict[str, Any]:
    """The headline figure by number of patients learned from: measured points with intervals, and the line beyond."""
    points = [{"x": each.n, "y": each.figure.value, "low": each.figure.low, "high": each.figure.high}
              for each in found.points if each.figure.value is not None]
    curve = [{"x": x, "y": y, "low": low, "high": high} for x, y, low, high
             in zip(found.curve.x, found.curve.y, found.curve.low, found.curve.high, strict=True)]
    x = shown("x", title="Patients learned from", scale={"zero": False, "nice": True},
              axis={"tickCount": 6, "format": ",d"})
    told = {"x": x, "y": shown("y", title=title, scale={"zero": False, "nice": True}, axis={"tickCount": 5}),
            "tooltip": [shown("x", title="Patients", format=",d"), shown("y", title=title, format=".3f"),
                        shown("low", title="from", format=".3f"), shown("high", title="to", format=".3f")]}
    span = {"x": x, "y": shown("low", title=title), "y2": {"field": "high"}}
    dots = {"type": "point", "color": ink.second, "filled": True, "size": 50, "opacity": 1}
    return plain([layer("curve", {"type": "area", "color": ink.accent, "opacity": 0.16}, span),
                  layer("curve", {"type": "line", "color": ink.accent, "strokeWidth": 2}, told),
                  layer("points", {"type": "rule", "color": ink.second}, span), layer("points", dots, told)],
                 {"curve": curve, "points": points}, height=height)
