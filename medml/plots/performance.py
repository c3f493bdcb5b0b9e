"""How well a model tells and how honest its probabilities are: ROC, precision-recall, calibration, residuals."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt

from medml.plots.theme import LIGHT, Ink, Rows, layered
from medml.types import Curve, GridPoint, Report

HEIGHT = 300


@dataclass(frozen=True, slots=True)
class Plane:
    """Two axes that all layers of one chart share. to_one: both go from 0 to 1."""

    across: str
    up: str
    to_one: bool = True

    def x(self) -> alt.X:
        return alt.X("x:Q", title=self.across, scale=self._scale(), axis=alt.Axis(tickCount=5))

    def y(self, field: str = "y") -> alt.Y:
        return alt.Y(f"{field}:Q", title=self.up, scale=self._scale(), axis=alt.Axis(tickCount=5))

    def tips(self) -> list[alt.Tooltip]:
        return [alt.Tooltip("x:Q", title=self.across, format=".3f"), alt.Tooltip("y:Q", title=self.up, format=".3f")]

    def _scale(self) -> alt.Scale:
        return alt.Scale(domain=[0, 1], nice=False) if self.to_one else alt.Scale(zero=False, nice=True)


def roc(report: Report, *, ink: Ink = LIGHT, at: GridPoint | None = None, height: int = HEIGHT) -> alt.LayerChart:
    """Sensitivity against 1 - specificity with its band; the dashed line is a coin; `at` marks a threshold.

    raises  ValueError if the report has no such curve (the caller draws only what a report has)
    """
    curve = _present(report.roc, "ROC")
    plane = Plane("1 − specificity (false alarms)", "Sensitivity (events found)")
    layers = [_reference([(0, 0), (1, 1)], plane, ink), *_with_band(curve, plane, ink)]
    if at is not None and at.specificity.value is not None:
        layers.append(_dot(1 - at.specificity.value, at.sensitivity.value, plane, ink))
    return _joined(layers, height)


def precision_recall(report: Report, *, ink: Ink = LIGHT, at: GridPoint | None = None,
                     height: int = HEIGHT) -> alt.LayerChart:
    """Precision against sensitivity; the dashed line is the share of events, which a model that guesses reaches."""
    curve = _present(report.precision_recall, "precision-recall")
    plane = Plane("Sensitivity (recall)", "Precision (alarms that are right)")
    layers = _with_band(curve, plane, ink)
    if report.n_events is not None and report.n_cases:
        share = report.n_events / report.n_cases
        layers.insert(0, _reference([(0, share), (1, share)], plane, ink))
    if at is not None and at.tp + at.fp > 0:
        layers.append(_dot(at.sensitivity.value, at.tp / (at.tp + at.fp), plane, ink))
    return _joined(layers, height)


def calibration(report: Report, *, ink: Ink = LIGHT, height: int = HEIGHT) -> alt.LayerChart:
    """Observed share against predicted probability with its band; on the dashed line a probability is honest."""
    curve = _present(report.calibration, "calibration")
    plane = Plane("Predicted probability", "Observed share")
    return _joined([_reference([(0, 0), (1, 1)], plane, ink), *_with_band(curve, plane, ink)], height)


def residuals(report: Report, *, ink: Ink = LIGHT, height: int = HEIGHT) -> alt.LayerChart:
    """A number: the mean observed by tenth of the predicted; on the dashed line both agree."""
    curve = _present(report.residuals, "residuals")
    plane = Plane("Predicted", "Observed (mean)", to_one=False)
    low, high = min(curve.x + curve.y), max(curve.x + curve.y)
    layers = [_reference([(low, low), (high, high)], plane, ink), *_with_band(curve, plane, ink, points=True)]
    return _joined(layers, height)


def _present(curve: Curve | None, name: str) -> Curve:
    if curve is None or not curve.x:
        raise ValueError(f"this report has no {name} curve")
    return curve


def _joined(layers: list[alt.Chart], height: int) -> alt.LayerChart:
    return layered(*layers, height=height)


def _with_band(curve: Curve, plane: Plane, ink: Ink, *, points: bool = False) -> list[alt.Chart]:
    banded = len(curve.low) == len(curve.x) == len(curve.high)
    rows = [{"x": a, "y": b, "order": at} for at, (a, b) in enumerate(zip(curve.x, curve.y, strict=True))]
    if banded:
        rows = [row | {"low": low, "high": high} for row, low, high in zip(rows, curve.low, curve.high, strict=True)]
    chart = alt.Chart(Rows(values=rows)).encode(x=plane.x())
    line = chart.mark_line(color=ink.accent, strokeWidth=2).encode(
        y=plane.y(), order=alt.Order("order:Q"), tooltip=plane.tips())
    dots = chart.mark_point(color=ink.accent, filled=True, size=36, opacity=1).encode(y=plane.y(), tooltip=plane.tips())
    band = chart.mark_area(color=ink.accent, opacity=0.16).encode(y=plane.y("low"), y2=alt.Y2("high:Q"))
    return ([band] if banded else []) + [line] + ([dots] if points else [])


def _reference(ends: list[tuple[float, float]], plane: Plane, ink: Ink) -> alt.Chart:
    """A dashed line between two points: what a guess, or perfect agreement, looks like."""
    data = Rows(values=[{"x": a, "y": b} for a, b in ends])
    return alt.Chart(data).mark_line(color=ink.quiet, strokeDash=[5, 4], strokeWidth=1.2).encode(x=plane.x(),
                                                                                                 y=plane.y())


def _dot(x: float | None, y: float | None, plane: Plane, ink: Ink) -> alt.Chart:
    """Where the chosen threshold lies on the curve."""
    return alt.Chart(Rows(values=[{"x": x, "y": y}])).mark_point(
        color=ink.amber, size=140, filled=True, opacity=1, stroke=ink.ground, strokeWidth=2,
    ).encode(x=plane.x(), y=plane.y(), tooltip=plane.tips())
