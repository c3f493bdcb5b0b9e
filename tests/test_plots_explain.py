"""Charts of an explanation: what they draw, in both themes."""

from __future__ import annotations

import json
import re

import altair as alt
import numpy as np
import pytest
import vl_convert
from sample_report import metric

from medml.explain.found import BedsideScore, Bin, Dependence, Risk, Rule, Step, Weight
from medml.explain.patient import Bar
from medml.plots import INKS, LIGHT, counts, dressed
from medml.plots import explain as drawn
from medml.plots import explain_score as scores
from medml.types import SelectionScore

RNG = np.random.default_rng(0)
WEIGHTS = [Weight(column=name, output="1", mean=metric(value, value / 5)) for name, value in
           (("number of vessels", 0.9), ("chest pain", 0.7), ("age", 0.3), ("cholesterol", 0.1))]
AGE = Dependence(column="age", output="1", bins=[
    Bin(label=label, n_patients=40, mean=metric(value, 0.1))
    for label, value in (("up to 48", -0.5), ("48 to 61", 0.0), ("above 61", 0.6))])
BARS = [Bar("number of vessels", "3", -0.2, 1.4), Bar("chest pain", "typical", 1.4, 0.7), Bar("4 others", "", 0.7, 0.9)]
SCORE = BedsideScore(
    run="r", checkpoint=0, event="“disease” is yes", n_cases=303, n_patients=303, figures={}, model={}, difference={},
    rules=[Rule(column="age", steps=[Step(label="up to 48", points=0), Step(label="48 to 61", points=1),
                                     Step(label="above 61", points=3)]),
           Rule(column="chest pain", steps=[Step(label="none", points=0), Step(label="typical", points=5),
                                            Step(label="any other", points=0)])],
    risks=[Risk(points=at, predicted=1 / (1 + np.exp(2.5 - 0.7 * at))) for at in range(9)])
ADDED, RANK = RNG.normal(size=(60, 3)), np.column_stack([RNG.random((60, 2)), np.full(60, np.nan)])
CHARTS = {
    "weights": lambda ink: drawn.weights(WEIGHTS, "log-odds", ink=ink),
    "swarm": lambda ink: drawn.swarm(["age", "vessels", "sex"], ADDED, RANK, "log-odds", ink=ink),
    "dependence": lambda ink: drawn.dependence(AGE, "log-odds", ink=ink),
    "waterfall": lambda ink: drawn.waterfall(BARS, -0.2, "log-odds", ink=ink),
    "nomogram": lambda ink: scores.nomogram(SCORE, ink=ink),
}


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("theme", INKS)
def test_every_chart_is_drawn_in_both_themes(name, theme):
    spec = dressed(CHARTS[name](INKS[theme]), INKS[theme])
    alt.Chart.from_dict(spec)  # raises where the specification is not valid
    svg = vl_convert.vegalite_to_svg(json.dumps(spec | {"width": 400}))
    assert "<svg" in svg and "NaN" not in svg


def test_the_axis_of_an_answer_that_no_column_moves_has_no_more_digits_than_it():
    spec = dressed(drawn.waterfall([Bar("age", "61", 0.746922, 0.746922)], 0.7469221, "probability"), LIGHT)
    svg = vl_convert.vegalite_to_svg(json.dumps(spec | {"width": 400}))
    ticks = re.findall(r">(0\.7\d*)<", svg)
    assert len(ticks) >= 3 and max(map(len, ticks)) <= 5


LONG = {
    "waterfall": lambda: drawn.waterfall([Bar(f"column {at}", "", at, at + 1) for at in range(9)], 0, "log-odds"),
    "weights": lambda: drawn.weights([WEIGHTS[0].model_copy(update={"column": f"column {at}"}) for at in range(9)],
                                     "log-odds"),
    "selection": lambda: counts.selection([SelectionScore(column=f"column {at}", frequency=at / 9)
                                           for at in range(9)]),
}


@pytest.mark.parametrize("name", LONG)
def test_rows_of_a_long_chart_keep_clear_of_each_other(name):
    """As a screen lays it out: axis and legend take their room out of the height that the chart asks for."""
    spec = dressed(LONG[name](), LIGHT) | {"width": 700, "autosize": {"type": "fit", "contains": "padding"}}
    svg = vl_convert.vegalite_to_svg(json.dumps(spec))
    at = sorted({float(found[1]): None for found in re.finditer(
        r'translate\([-\d.]+,([-\d.]+)\)"[^>]*>column \d', svg)})
    assert len(at) == 9 and np.diff(at).min() >= 18  # the bars are 14 to 16 high, the words 12


def test_dots_of_alike_values_lie_beside_each_other_and_none_leaves_its_row():
    assert sorted(drawn.lanes(np.zeros(5))) == [-2, -1, 0, 1, 2]
    assert np.abs(drawn.lanes(RNG.normal(size=1000))).max() <= drawn.LANES + 1


def test_a_nomogram_puts_every_step_where_its_points_are_and_rises_to_the_risk_of_all():
    spec = scores.nomogram(SCORE, ink=LIGHT).to_dict()
    marks = [row for rows in spec["datasets"].values() for row in rows if "text" in row]
    assert {"x": 0.6, "text": "above 61"}.items() <= next(row for row in marks if row["text"] == "above 61").items()
    assert any(row["text"] == "none / any other" and row["x"] == 0 for row in marks)
    risks = {row["text"]: row["x"] for row in marks if row["text"].endswith(" %")}
    assert list(risks.values()) == sorted(risks.values()) and "50 %" in risks
    assert risks["50 %"] == pytest.approx(2.5 / 0.7 / 8, abs=0.01)


def test_what_cannot_be_drawn_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no group of age"):
        drawn.dependence(AGE.model_copy(update={"bins": []}), "log-odds")
    with pytest.raises(ValueError, match="without predictors"):
        scores.nomogram(SCORE.model_copy(update={"rules": []}))
