"""Charts of use: what they draw and in which colours, from reports alone."""

from __future__ import annotations

import pytest
from sample_report import AXIS, metric

from medml.measured import SizePoint
from medml.plots import use
from medml.plots.theme import SCREEN, dressed
from medml.types import Curve, Forecast, NetBenefit, Recalibration


def band(y: list[float], x: list[float] = AXIS[:-1]) -> Curve:
    return Curve(x=x, y=y, low=[each - 0.05 for each in y], high=[each + 0.05 for each in y])


def benefit(**changed) -> NetBenefit:
    known = {"low": 0.2, "high": 0.6, "range_reason": "stated", "gain": metric(0.05),
             "model": band([0.4 * (1 - each) for each in AXIS[:-1]]),
             "everybody": band([0.4 - 0.6 * each / (1 - each) for each in AXIS[:-1]])}
    return NetBenefit(**known | changed)


def drawn(chart) -> dict:
    return dressed(chart, SCREEN)


def values_of(spec: dict) -> list[list[dict]]:
    return [layer["data"]["values"] if "values" in layer["data"] else spec["datasets"][layer["data"]["name"]]
            for layer in spec["layer"]]


def test_a_decision_curve_shows_the_model_both_extremes_and_the_stretch():
    stretch, around, lines = values_of(drawn(use.decision(benefit())))
    assert stretch == [{"x": 0.2, "x2": 0.6}] and len(around) == 100
    assert {each["line"] for each in lines} == {use.MODEL, use.EVERYBODY, use.NOBODY}
    assert min(each["y"] for each in lines) >= -0.1  # treating everybody falls without end
    with_score = values_of(drawn(use.decision(benefit(score=band([0.2] * 100)))))[-1]
    assert use.SCORE in {each["line"] for each in with_score}


def test_both_calibration_curves_lie_on_one_plane():
    found = Recalibration(method="platt", chosen={"platt": 5}, before={}, after={}, curve=band(AXIS, AXIS))
    agree, lines = values_of(drawn(use.put_right(band(AXIS, AXIS), found)))
    assert agree == [{"x": 0, "y": 0}, {"x": 1, "y": 1}] and {each["line"] for each in lines} == {use.BEFORE, use.AFTER}
    with pytest.raises(ValueError, match="no curve"):
        use.put_right(band(AXIS, AXIS), found.model_copy(update={"curve": None}))


def test_a_forecast_shows_measured_points_and_the_line_beyond():
    found = Forecast(checkpoint=0, points=[SizePoint(n=100, figure=metric(0.8)), SizePoint(n=200, figure=metric(0.85))],
                     curve=band([0.8, 0.85, 0.87], [100, 200, 300]), more=100, then=metric(0.87), gain=metric(0.02),
                     said="")
    layers = values_of(drawn(use.forecast(found, title="AUROC")))
    assert [each["x"] for each in layers[1]] == [100, 200, 300] and [each["x"] for each in layers[-1]] == [100, 200]
