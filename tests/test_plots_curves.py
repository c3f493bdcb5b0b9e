"""Charts of a training and of a report: what they draw, and that they can be drawn at all."""

from __future__ import annotations

import json

import altair as alt
import pytest
import sample_report
import vl_convert

from medml.plots import INKS, counts, curves, dressed, performance
from medml.types import Curve, Point

REPORT, HISTORY = sample_report.report(), sample_report.history()
CHARTS = {
    "loss": lambda ink: curves.history(HISTORY, of="train", title="Training loss", ink=ink),
    "figure": lambda ink: curves.history(HISTORY, of="out_of_fold", title="AUROC", ink=ink),
    "nothing yet": lambda ink: curves.history([], of="train", title="Training loss", ink=ink),
    "roc": lambda ink: performance.roc(REPORT, ink=ink, at=REPORT.grid[42]),
    "precision-recall": lambda ink: performance.precision_recall(REPORT, ink=ink, at=REPORT.grid[100]),
    "calibration": lambda ink: performance.calibration(REPORT, ink=ink),
    "residuals": lambda ink: performance.residuals(
        REPORT.model_copy(update={"residuals": Curve(x=[1, 2, 3], y=[1.1, 2, 2.8])}), ink=ink),
    "confusion": lambda ink: counts.confusion(REPORT.confusion, REPORT.classes, ink=ink),
    "selection": lambda ink: counts.selection(REPORT.selection, ink=ink),
    "flow": lambda ink: counts.flow(REPORT.flow, ink=ink),
}


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("theme", INKS)
def test_every_chart_is_drawn_in_both_themes(name, theme):
    spec = dressed(CHARTS[name](INKS[theme]), INKS[theme])
    alt.Chart.from_dict(spec)  # raises where the specification is not valid
    spec["width"] = 400  # the converter knows no container
    svg = vl_convert.vegalite_to_svg(json.dumps(spec))
    assert "<svg" in svg
    assert "NaN" not in svg


@pytest.mark.parametrize("name", [each for each in CHARTS if each not in ("selection", "flow")])
def test_a_chart_that_is_polled_has_a_height_of_its_own(name):
    assert CHARTS[name](INKS["light"]).to_dict()["height"] in (240, 260, 300)


def test_a_fold_that_has_stopped_counts_on_with_its_last_value():
    """By hand: round 2 was reached by one fold alone; the other one stays in the mean with its 0.7."""
    points = [Point(round=1, fold=0, train=0.5), Point(round=1, fold=1, train=0.7), Point(round=2, fold=0, train=0.4),
              Point(round=1, fold=-1, train=0.6)]
    rows = curves.rounds_of(points, "train")
    assert [(row["line"], row["round"], round(row["value"], 6), row["folds"]) for row in rows] == [
        (curves.MEAN, 1, 0.6, 2), (curves.MEAN, 2, 0.55, 2), (curves.FINAL, 1, 0.6, 1)]
    assert (rows[1]["low"], rows[1]["high"]) == (0.4, 0.7)


def turn(fold: int, *rounds: int) -> list[Point]:
    return [Point(round=each, fold=fold, train=float(fold + 1)) for each in rounds]


def means(points: list[Point]) -> dict[int, float]:
    return {row["round"]: row["value"] for row in curves.rounds_of(points, "train", ended=False)
            if row["line"] == curves.MEAN}


def test_a_fold_that_has_only_begun_does_not_bend_the_running_mean():
    """Fold after fold: the second one joins when it is as far as the first."""
    first = turn(0, 1, 2, 3)
    assert means([*first, *turn(1, 1)]) == {1: 1.0, 2: 1.0, 3: 1.0}
    assert means([*first, *turn(1, 1, 2, 3)]) == {1: 1.5, 2: 1.5, 3: 1.5}


def test_folds_that_take_turns_are_all_in_the_running_mean():
    """The first is a turn ahead of the second: nothing jumps at the place where the second stands."""
    once = [*turn(0, 1), *turn(1, 1), *turn(-1, 1)]
    assert means([*once, *turn(0, 2, 3)]) == {1: 1.5, 2: 1.5, 3: 1.5}


def test_a_fold_that_was_passed_over_has_stopped_and_stays_in_the_running_mean():
    """Fold 1 ended after round 1; fold 0 and the final model have had two turns since."""
    points = [*turn(0, 1), *turn(1, 1), *turn(-1, 1), *turn(0, 2), *turn(-1, 2), *turn(0, 3), *turn(-1, 3), *turn(0, 4)]
    assert means(points) == {1: 1.5, 2: 1.5, 3: 1.5, 4: 1.5}


def test_the_curve_of_kept_out_rows_never_mixes_losses_with_the_figure():
    losses = [Point(round=each, fold=0, out_of_fold=0.9, unit="loss") for each in (1, 2)]
    points = [*losses, Point(round=2, fold=0, out_of_fold=0.7, unit="metric")]
    assert [(row["round"], row["value"]) for row in curves.rounds_of(points, "out_of_fold")] == [(2, 0.7)]


def test_a_point_repeated_after_a_resume_counts_once():
    points = [Point(round=1, fold=0, train=0.5), Point(round=1, fold=0, train=0.5), Point(round=1, fold=1, train=0.8)]
    assert curves.rounds_of(points, "train")[0]["value"] == pytest.approx(0.65)


def test_a_long_history_is_thinned_and_keeps_its_ends():
    kept = curves.thinned(list(range(1, 1001)))
    assert len(kept) <= curves.MOST_ROUNDS + 1
    assert (kept[0], kept[-1]) == (1, 1000)


def test_matrix_at_a_threshold_has_truth_in_rows():
    """At threshold 0 everybody is called: no misses, no true negatives."""
    assert counts.matrix_at(REPORT.grid[0]) == [[0, 164], [0, 139]]


def test_a_matrix_without_a_name_for_each_class_is_refused():
    with pytest.raises(ValueError, match="2 rows for 3 classes"):
        counts.confusion([[1, 2], [3, 4]], ["a", "b", "c"])


def test_precision_recall_names_the_share_of_events_as_a_guess():
    spec = json.dumps(performance.precision_recall(REPORT).to_dict())
    assert str(139 / 303) in spec


def test_a_report_without_a_curve_is_refused():
    with pytest.raises(ValueError, match="no ROC curve"):
        performance.roc(REPORT.model_copy(update={"roc": None}))
