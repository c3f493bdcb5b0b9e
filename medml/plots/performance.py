"""How well a model tells and how honest its probabilities are: ROC, precision-recall, calibration, residuals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from medml.plots.theme import LIGHT, Ink, layer, plain, shown
from medml.types import Curve, GridPoint, Report

HEIGHT = 300


@dataclass(frozen=True, slots=True)
class Plane:
    """Two axes that all layers of one chart share. to_one: both go from 0 to 1."""

    across: str
    up: str
    to_one: bool = True

    def x(self) -> dict[str, Any]:
        return shown("x", title=self.across, scale=self._scale(), axis={"tickCount": 5})

    def y(self, name: str = "y") -> dict[str, Any]:
        return shown(name, title=self.up, scale=self._scale(), axis={"tickCount": 5})

    def tips(self) -> list[dict[str, Any]]:
        return [shown("x", title=self.across, format=".3f"), shown("y", title=self.up, format=".3f")]

    def _scale(self) -> dict[str, Any]:
        return {"domain": [0, 1], "nice": False} if self.to_one else {"zero": False, "nice": True}


@dataclass(slots=True)
class Drawing:
    """Layers of one chart with their rows, in the order in which they are drawn."""

    plane: Plane
    ink: Ink
    layers: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, list[dict]] = field(default_factory=dict)

    def reference(self, ends: list[tuple[float, float]]) -> None:
        """A dashed line between two points: what a guess, or perfect agreement, looks like."""
        self.rows["reference"] = [{"x": a, "y": b} for a, b in ends]
        dashes = {"type": "line", "color": self.ink.quiet, "strokeDash": [5, 4], "strokeWidth": 1.2}
        self.layers.append(layer("reference", dashes, self._place()))

    def curve(self, curve: Curve, *, points: bool = False) -> None:
        """The curve, its band behind it where it has one, and dots on it."""
        banded = len(curve.low) == len(curve.x) == len(curve.high)
        rows = [{"x": a, "y": b, "order": at} for at, (a, b) in enumerate(zip(curve.x, curve.y, strict=True))]
        if banded:
            rows = [row | {"low": low, "high": high} for row, low, high
                    in zip(rows, curve.low, curve.high, strict=True)]
            self.layers.append(layer("curve", {"type": "area", "color": self.ink.accent, "opacity": 0.16},
                                     self._place("low") | {"y2": {"field": "high"}}))
        self.rows["curve"] = rows
        told = self._place() | {"tooltip": self.plane.tips()}
        self.layers.append(layer("curve", {"type": "line", "color": self.ink.accent, "strokeWidth": 2},
                                 told | {"order": shown("order")}))
        if points:
            dots = {"type": "point", "color": self.ink.accent, "filled": True, "size": 36, "opacity": 1}
            self.layers.append(layer("curve", dots, told))

    def dot(self, x: float | None, y: float | None) -> None:
        """Where the chosen threshold lies on the curve."""
        self.rows["dot"] = [{"x": x, "y": y}]
        dot = {"type": "point", "color": self.ink.amber, "size": 140, "filled": True, "opacity": 1,
               "stroke": self.ink.ground, "strokeWidth": 2}
        self.layers.append(layer("dot", dot, self._place() | {"tooltip": self.plane.tips()}))

    def spec(self, height: int) -> dict[str, Any]:
        """All of it as a Vega-Lite specification."""
        return plain(self.layers, self.rows, height=height)

    def _place(self, up: str = "y") -> dict[str, Any]:
        return {"x": self.plane.x(), "y": self.plane.y(up)}


def roc(report: Report, *, ink: Ink = LIGHT, at: GridPoint | None = None, height: int = HEIGHT) -> dict[str, Any]:
    """Sensitivity against 1 - specificity with its band; the dashed line is a coin; `at` marks a threshold.

    raises  ValueError if the report has no such curve (the caller draws only what a report has)
    """
    curve = _present(report.roc, "ROC")
    drawn = Drawing(Plane("1 − specificity (false alarms)", "Sensitivity (events found)"), ink)
    drawn.reference([(0, 0), (1, 1)])
    drawn.curve(curve)
    if at is not None and at.specificity.value is not None:
        drawn.dot(1 - at.specificity.value, at.sensitivity.value)
    return drawn.spec(height)


def precision_recall(report: Report, *, ink: Ink = LIGHT, at: GridPoint | None = None,
                     height: int = HEIGHT) -> dict[str, Any]:
    """Precision against sensitivity; the dashed line is the share of events, which a model that guesses reaches."""
    curve = _present(report.precision_recall, "precision-recall")
    drawn = Drawing(Plane("Sensitivity (recall)", "Precision (alarms that are right)"), ink)
    if report.n_events is not None and report.n_cases:
        share = report.n_events / report.n_cases
        drawn.reference([(0, share), (1, share)])
    drawn.curve(curve)
    if at is not None and at.tp + at.fp > 0:
        drawn.dot(at.sensitivity.value, at.tp / (at.tp + at.fp))
    return drawn.spec(height)


def calibration(report: Report, *, ink: Ink = LIGHT, height: int = HEIGHT) -> dict[str, Any]:
    """Observed share against predicted probability with its band; on the dashed line a probability is honest."""
    curve = _present(report.calibration, "calibration")
    drawn = Drawing(Plane("Predicted probability", "Observed share"), ink)
    drawn.reference([(0, 0), (1, 1)])
    drawn.curve(curve)
    return drawn.spec(height)


def residuals(report: Report, *, ink: Ink = LIGHT, height: int = HEIGHT) -> dict[str, Any]:
    """A number: the mean observed by tenth of the predicted; on the dashed line both agree."""
    curve = _present(report.residuals, "residuals")
    drawn = Drawing(Plane("Predicted", "Observed (mean)", to_one=False), ink)
    low, high = min(curve.x + curve.y), max(curve.x + curve.y)
    drawn.reference([(low, low), (high, high)])
    drawn.curve(curve, points=True)
    return drawn.spec(height)


def _present(curve: Curve | None, name: str) -> Curve:
    if curve is None or not curve.x:
        raise ValueError(f"this report has no {name} curve")
    return curve
