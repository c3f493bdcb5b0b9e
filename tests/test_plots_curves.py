"""Charts of a training and of a report: what they draw, and that they can be drawn at all."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import altair as alt
import pytest
import sample_report
import vl_convert

from medml.plots import DARK, INKS, LIGHT, SCREEN, counts, curves, dressed, pairs, performance
from medml.types import Curve, FlowStep, Point

SHEET = Path(__file__).resolve().parents[1] / "pages" / "static" / "look_1_frame.css"
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
    assert dressed(CHARTS[name](INKS["light"]))["height"] in (240, 260, 300)


def test_colours_of_the_screen_are_those_of_the_style_sheet():
    """Every name that SCREEN uses is set in the sheet to the colour of LIGHT and DARK."""
    names = re.findall(r"(--[\w-]+): ([^;]+);", SHEET.read_text(encoding="utf-8"))
    sheet = {name: value for name, value in names if value.startswith(("light-dark", "var"))}
    for place, ink in enumerate((LIGHT, DARK)):
        for each in fields(ink):
            colours, drawn = getattr(ink, each.name), getattr(SCREEN, each.name)
            pairs = [(colours, drawn)] if isinstance(colours, str) else zip(colours, drawn, strict=True)
            for colour, said in pairs:
                value = said
                while found := re.fullmatch(r"var\((--[\w-]+)\)", value):
                    value = sheet[found[1]]
                assert re.findall(r"#\w{6}", value)[place] == colour, said


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_of_the_screen_holds_no_colour_of_its_own(name):
    """So that it follows when the system turns dark while the page is open."""
    assert re.findall(r'"#[0-9A-Fa-f]{3,8}"', json.dumps(dressed(CHARTS[name](SCREEN), SCREEN))) == []


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


@pytest.mark.parametrize("values", [(0.7469217,), (0.7469217, 0.7469217), (0.7469217, 0.74692171)])
def test_an_axis_of_a_curve_that_is_flat_has_no_more_digits_than_the_figure(values):
    points = [Point(round=at, fold=0, out_of_fold=each, unit="metric") for at, each in enumerate(values, start=1)]
    spec = dressed(curves.history(points, of="out_of_fold", title="AUROC"), LIGHT) | {"width": 400}
    ticks = [each for each in re.findall(r">(\d[\d.]*)<", vl_convert.vegalite_to_svg(json.dumps(spec))) if "." in each]
    assert len(ticks) >= 3 and all(len(each) <= 5 and abs(float(each) - 0.7469) < 0.01 for each in ticks)


def test_a_long_history_is_thinned_and_keeps_its_ends():
    kept = curves.thinned(list(range(1, 1001)))
    assert len(kept) <= curves.MOST_ROUNDS + 1
    assert (kept[0], kept[-1]) == (1, 1000)


def test_matrix_at_a_threshold_has_truth_in_rows():
    """At threshold 0 everybody is called: no misses, no true negatives."""
    assert counts.matrix_at(REPORT.grid[0]) == [[0, 164], [0, 139]]


def drawn_rows(spec: dict) -> list[dict]:
    """Every row of data in a chart."""
    return [row for rows in spec["datasets"].values() for row in rows]


def test_names_of_classes_stand_on_short_lines_and_stay_apart():
    names = ["not above 0", "no carcinoma found in the tissue at all", "a"]
    rows = drawn_rows(counts.confusion([[1, 0, 0]] * 3, names))
    assert [row["across"] for row in rows[:3]] == ["not above 0", "no carcinoma\nfound in the\ntissue at …", "a"]
    long = ["the same beginning of a long name, once", "the same beginning of a long name, again", "x"]
    rows = drawn_rows(counts.confusion([[1, 0, 0]] * 3, long))
    assert {row["across"] for row in rows} == set(long)


def test_the_flow_has_boxes_for_steps_that_left_somebody_out_alone():
    steps = [FlowStep(what="Rows in the file", n_before=303, n_removed=0, n_after=303),
             FlowStep(what="Exact copies", n_before=303, n_removed=3, n_after=300),
             FlowStep(what="Rows without an outcome", n_before=300, n_removed=0, n_after=300)]
    words = [row["text"] for row in drawn_rows(counts.flow(steps)) if "text" in row and "x2" not in row]
    assert words == ["Rows in the file", "n = 303", "Used to train and to judge", "n = 300", "Left out: exact copies",
                     "n = 3 of 303"]
    assert counts.nobody_left_out(steps) == ["rows without an outcome"]


def test_a_matrix_without_a_name_for_each_class_is_refused():
    with pytest.raises(ValueError, match="2 rows for 3 classes"):
        counts.confusion([[1, 2], [3, 4]], ["a", "b", "c"])


@pytest.mark.parametrize("draw", [lambda at: performance.roc(REPORT, at=at),
                                  lambda at: performance.precision_recall(REPORT, at=at),
                                  lambda at: counts.confusion(counts.matrix_at(at), ["no", "yes"])])
def test_a_threshold_that_moves_changes_rows_alone(draw):
    """Only then does the browser keep the picture and move what is in it; of a curve only the dot moves."""
    before, after = (draw(REPORT.grid[at]) for at in (30, 60))
    moved = [name for name, rows in before.pop("datasets").items() if rows != after["datasets"][name]]
    assert before == {name: part for name, part in after.items() if name != "datasets"}
    assert moved in (["dot"], ["cells"])


def test_precision_recall_names_the_share_of_events_as_a_guess():
    spec = json.dumps(performance.precision_recall(REPORT))
    assert str(139 / 303) in spec


def test_a_report_without_a_curve_is_refused():
    with pytest.raises(ValueError, match="no ROC curve"):
        performance.roc(REPORT.model_copy(update={"roc": None}))


def test_two_runs_in_one_picture_have_the_colours_of_their_legend():
    spec = json.dumps(pairs.overlaid("roc", {"first": REPORT.roc, "second": REPORT.roc}))
    shades = pairs.shades(["first", "second"])
    assert json.dumps({"domain": ["first", "second"], "range": list(shades.values())}) in spec
    assert len(set(shades.values())) == 2
