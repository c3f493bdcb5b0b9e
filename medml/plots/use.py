"""What a model is good for: decision curves, probabilities before and after they are put right, what more patients
would bring."""

from __future__ import annotations

import altair as alt

from medml.plots.performance import HEIGHT
from medml.plots.theme import LIGHT, Ink, Rows, layered
from medml.types import Curve, Forecast, NetBenefit, Recalibration

MODEL, EVERYBODY, NOBODY, SCORE = "This model", "Treat everybody", "Treat nobody", "The score in use today"
BEFORE, AFTER = "As the model says", "Put right"


def decision(found: NetBenefit, *, ink: Ink = LIGHT, height: int = HEIGHT) -> alt.LayerChart:
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
    x = alt.X("x:Q", title=across, scale=alt.Scale(domain=[0, 1], nice=False),
              axis=alt.Axis(format="%", tickCount=5))
    y = alt.Y("y:Q", title=up, scale=alt.Scale(domain=[bottom, top * 1.05], nice=False),
              axis=alt.Axis(tickCount=5))
    stretch = alt.Chart(Rows(values=[{"x": found.low, "x2": found.high}])).mark_rect(
        color=ink.quiet, opacity=0.10).encode(x=alt.X("x:Q", title=across), x2=alt.X2("x2:Q"))
    around = alt.Chart(Rows(values=band)).mark_area(color=ink.accent, opacity=0.16).encode(
        x=x, y=alt.Y("low:Q", title=up), y2=alt.Y2("high:Q"))
    return layered(stretch, around, _lines(rows, list(lines), x, y, ink), height=height)


def _lines(rows: list[dict], names: list[str], x: alt.X, y: alt.Y, ink: Ink) -> alt.Chart:
    colours = {MODEL: ink.accent, AFTER: ink.accent, BEFORE: ink.second, SCORE: ink.second, EVERYBODY: ink.quiet,
               NOBODY: ink.quiet}
    dashes = {EVERYBODY: [6, 3], NOBODY: [2, 3], BEFORE: [6, 3]}
    return alt.Chart(Rows(values=rows)).mark_line(strokeWidth=2).encode(
        x=x, y=y, color=alt.Color("line:N", scale=alt.Scale(domain=names, range=[colours[name] for name in names]),
                                  legend=alt.Legend(title=None, orient="bottom", symbolType="stroke", columns=2,
                                                    symbolStrokeWidth=2)),
        strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=names,
                                                            range=[dashes.get(name, [1, 0]) for name in names]),
                                  legend=None),
        tooltip=[alt.Tooltip("line:N", title=" "), alt.Tooltip("x:Q", title="at", format=".2f"),
                 alt.Tooltip("y:Q", title="is", format=".3f")])


def put_right(before: Curve, found: Recalibration, *, ink: Ink = LIGHT, height: int = HEIGHT) -> alt.LayerChart:
    """Both calibration curves on one plane; the thin line is where predicted and observed agree.

    raises  ValueError if there is no curve after
    """
    if found.curve is None:
        raise ValueError("this recalibration has no curve")
    lines = {BEFORE: before, AFTER: found.curve}
    rows = [{"line": name, "x": x, "y": y} for name, curve in lines.items()
            for x, y in zip(curve.x, curve.y, strict=True)]
    x = alt.X("x:Q", title="Predicted probability", scale=alt.Scale(domain=[0, 1], nice=False),
              axis=alt.Axis(tickCount=5))
    y = alt.Y("y:Q", title="Observed share", scale=alt.Scale(domain=[0, 1], nice=False), axis=alt.Axis(tickCount=5))
    agree = alt.Chart(Rows(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(
        color=ink.line, strokeWidth=1.5).encode(x=x, y=y)
    return layered(agree, _lines(rows, list(lines), x, y, ink), height=height)


def forecast(found: Forecast, *, title: str, ink: Ink = LIGHT, height: int = HEIGHT) -> alt.LayerChart:
    """The headline figure by number of patients learned from: measured points with intervals, and the line beyond."""
    points = [{"x": each.n, "y": each.figure.value, "low": each.figure.low, "high": each.figure.high}
              for each in found.points if each.figure.value is not None]
    curve = [{"x": x, "y": y, "low": low, "high": high} for x, y, low, high
             in zip(found.curve.x, found.curve.y, found.curve.low, found.curve.high, strict=True)]
    x = alt.X("x:Q", title="Patients learned from", scale=alt.Scale(zero=False, nice=True),
              axis=alt.Axis(tickCount=6, format=",d"))
    y = alt.Y("y:Q", title=title, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5))
    tips = [alt.Tooltip("x:Q", title="Patients", format=",d"), alt.Tooltip("y:Q", title=title, format=".3f"),
            alt.Tooltip("low:Q", title="from", format=".3f"), alt.Tooltip("high:Q", title="to", format=".3f")]
    line = alt.Chart(Rows(values=curve)).encode(x=x)
    band = line.mark_area(color=ink.accent, opacity=0.16).encode(y=alt.Y("low:Q", title=title), y2=alt.Y2("high:Q"))
    dots = alt.Chart(Rows(values=points)).encode(x=x)
    return layered(band, line.mark_line(color=ink.accent, strokeWidth=2).encode(y=y, tooltip=tips),
                   dots.mark_rule(color=ink.second).encode(y=alt.Y("low:Q", title=title), y2=alt.Y2("high:Q")),
                   dots.mark_point(color=ink.second, filled=True, size=50, opacity=1).encode(y=y, tooltip=tips),
                   height=height)
