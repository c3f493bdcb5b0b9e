"""The whole report: curves, grid, confusion, stamps; nothing of a single patient in it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import baselines, dealt, made_cases, made_context, predicted, probabilities
from sklearn import metrics as reference

from medml.cases import Cases, Fold, Predictions
from medml.evaluate import evaluate, headline, headline_name, metrics_of
from medml.evaluate.curves import plan_precision, plan_roc, read_off, round_to_sum
from medml.evaluate.intervals import once, wilson
from medml.evaluate.report import measured_on
from medml.evaluate.scored import score
from medml.evaluate.thresholds import GRID
from medml.types import Report, SplitPlan


def reported(cases: Cases, folds: list[Fold] | None = None, *, told: Predictions | None = None,
             **changed) -> Report:
    folds = folds or dealt(cases.patients)
    return evaluate(told or predicted(cases, folds), baselines(cases, folds), made_context(cases, folds, **changed),
                    seed=0)


@pytest.fixture(scope="module")
def binary() -> Report:
    cases = made_cases(400)
    return reported(cases, dealt(cases.patients, repeats=2))


def test_the_report_survives_json(binary):
    assert Report.model_validate_json(binary.model_dump_json()) == binary
    for task in ("multiclass", "regression"):
        report = reported(made_cases(200, task=task))
        assert Report.model_validate_json(report.model_dump_json()) == report


def test_no_patients_prediction_is_in_the_report():
    """Neither as it stands nor rounded to 10 digits; probabilities here have 16."""
    cases = made_cases(150)
    folds = dealt(cases.patients, n_folds=3)
    told = predicted(cases, folds)
    text = reported(cases, folds, told=told).model_dump_json()
    numbers = {f"{each:.10f}" for each in _numbers(json.loads(text))}
    private = {f"{each:.10f}" for each in told.p[0].ravel()}
    assert len(private) > 250 and not numbers & private


def _numbers(value) -> list[float]:
    if isinstance(value, dict):
        return [each for one in value.values() for each in _numbers(one)]
    if isinstance(value, list):
        return [each for one in value for each in _numbers(one)]
    return [value] if isinstance(value, float) else []


def test_no_list_in_the_report_is_as_long_as_the_cases():
    report = reported(made_cases(1000))
    assert max(len(each) for each in _lists(json.loads(report.model_dump_json()))) == 101


def _lists(value) -> list[list]:
    if isinstance(value, dict):
        return [each for one in value.values() for each in _lists(one)]
    return [value, *(each for one in value for each in _lists(one))] if isinstance(value, list) else []


def test_curves_have_101_points_with_bands(binary):
    for curve in (binary.roc, binary.precision_recall, binary.calibration):
        assert len(curve.x) == len(curve.y) == len(curve.low) == len(curve.high) == 101
        assert all(low <= y <= high for low, y, high in zip(curve.low, curve.y, curve.high, strict=True))
        assert any(high - low > 0.01 for low, high in zip(curve.low, curve.high, strict=True))


def test_roc_equals_scikit_learns_curve_with_one_fold():
    cases = made_cases(250)
    p = np.round(predicted(cases, dealt(cases.patients)).p[0][:, 1], 2)  # with ties
    told = Predictions(cases.y, probabilities(p)[None], cases.patients, "binary", cases.classes, np.empty(0))
    found = once(plan_roc(score(told).samples[0]), 250)["sensitivity"][:, 0]
    false, true, _ = reference.roc_curve(cases.y, p, drop_intermediate=False)
    assert found == pytest.approx(np.interp(GRID, false, true))


def test_area_under_the_drawn_roc_is_the_auroc(binary):
    assert np.trapezoid(binary.roc.y, binary.roc.x) == pytest.approx(binary.metrics["auroc"].value, abs=0.01)


def test_roc_of_a_weighting_equals_the_curve_of_the_repeated_rows():
    cases = made_cases(120)
    p = predicted(cases, dealt(cases.patients)).p[0][:, 1]
    weights = np.random.default_rng(0).poisson(1.0, (120, 3)).astype(float)
    told = Predictions(cases.y, probabilities(p)[None], cases.patients, "binary", cases.classes, np.empty(0))
    found = plan_roc(score(told).samples[0])(weights)["sensitivity"]
    for draw in range(3):
        rows = np.repeat(np.arange(120), weights[:, draw].astype(int))
        false, true, _ = reference.roc_curve(cases.y[rows], p[rows], drop_intermediate=False)
        assert found[:, draw] == pytest.approx(np.interp(GRID, false, true))


def test_precision_is_read_where_a_sensitivity_is_first_reached():
    """Ranked yes no yes yes no: recall 1/3 at precision 1, 2/3 at 2/3, 1 at 3/4."""
    y, p = np.array([1, 0, 1, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    told = Predictions(y, probabilities(p)[None], np.arange(5), "binary", ["no", "yes"], np.empty(0))
    found = once(plan_precision(score(told).samples[0]), 5)["precision"][:, 0]
    assert found[[0, 33, 34, 66, 67, 100]] == pytest.approx([1, 1, 2 / 3, 2 / 3, 3 / 4, 3 / 4])


def test_precision_of_a_weighting_equals_that_of_the_repeated_rows():
    cases = made_cases(120)
    p = np.round(predicted(cases, dealt(cases.patients)).p[0][:, 1], 2)
    weights = np.random.default_rng(0).poisson(1.0, (120, 3)).astype(float)
    told = Predictions(cases.y, probabilities(p)[None], cases.patients, "binary", cases.classes, np.empty(0))
    found = plan_precision(score(told).samples[0])(weights)["precision"]
    for draw in range(3):
        rows = np.repeat(np.arange(120), weights[:, draw].astype(int))
        again = Predictions(cases.y[rows], probabilities(p[rows])[None], np.arange(len(rows)), "binary",
                            cases.classes, np.empty(0))
        expected = once(plan_precision(score(again).samples[0]), len(rows))["precision"][:, 0]
        assert found[:, draw] == pytest.approx(expected)


def test_curves_of_many_draws_are_read_off_like_one_by_one():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.zeros(4), np.sort(rng.random((4, 6)), axis=1), np.ones(4)])
    y = np.sort(rng.random((4, 8)), axis=1)
    one_by_one = np.stack([np.interp(GRID, *each) for each in zip(x, y, strict=True)], axis=1)
    assert read_off(x, y, GRID) == pytest.approx(one_by_one)


# ---- threshold, grid, confusion --------------------------------------------------------------------------------

def test_the_grid_is_the_confusion_matrix_at_101_thresholds():
    cases = made_cases(300)
    folds = dealt(cases.patients)
    told = predicted(cases, folds)
    report = reported(cases, folds, told=told)
    assert [point.threshold for point in report.grid] == [round(each / 100, 2) for each in range(101)]
    for point in report.grid[::10]:
        (tn, fp), (fn, tp) = reference.confusion_matrix(cases.y, told.p[0][:, 1] >= point.threshold, labels=[0, 1])
        assert (point.tn, point.fp, point.fn, point.tp) == (tn, fp, fn, tp)
        assert point.sensitivity.value == pytest.approx(tp / (tp + fn))
        assert point.specificity.low <= point.specificity.value <= point.specificity.high


def test_a_threshold_that_misses_nobody_is_not_certain_to():
    """All are found: the next one may be missed all the same. Wilson's interval for the patients of that class."""
    cases = made_cases(300)
    p = np.where(cases.y == 1, 0.9, 0.1)
    grid = reported(cases, told=Predictions(cases.y, probabilities(p)[None], cases.patients, "binary", cases.classes,
                                            np.empty(0))).grid
    n = np.bincount(cases.y)
    for at in (2, 50):
        found = grid[at].sensitivity
        assert (found.value, found.low, found.high) == (1.0, pytest.approx(wilson(1.0, n[1]).low), 1.0)
    assert grid[2].specificity.high == pytest.approx(wilson(0.0, n[0]).high)
    assert grid[95].sensitivity.high == pytest.approx(wilson(0.0, n[1]).high)
    assert grid[95].specificity.low == pytest.approx(wilson(1.0, n[0]).low)


def test_counts_add_up_though_repeats_are_averaged(binary):
    events = binary.n_events
    for point in binary.grid:
        assert (point.tp + point.fn, point.fp + point.tn) == (events, binary.n_cases - events)
        assert min(point.tp, point.fp, point.fn, point.tn) >= 0
    assert [sum(row) for row in binary.confusion] == [binary.n_cases - events, events]


def test_rounding_keeps_the_sum():
    assert round_to_sum(np.array([1.5, 2.5, 3.0])) == [2, 2, 3]
    assert round_to_sum(np.array([0.4, 0.4, 0.2])) == [1, 0, 0]
    assert round_to_sum(np.array([10.0, 0.0])) == [10, 0]


def test_several_classes_have_their_own_confusion_matrix():
    cases = made_cases(240, task="multiclass")
    folds = dealt(cases.patients)
    told = predicted(cases, folds)
    report = reported(cases, folds, told=told)
    assert report.confusion == reference.confusion_matrix(cases.y, told.p[0].argmax(axis=1)).tolist()
    assert report.grid == [] and report.threshold is None and report.positive is None
    assert report.roc is not None and report.calibration is not None


def test_the_metrics_belong_to_the_confusion_matrix_of_one_repeat():
    report = reported(made_cases(300))
    (tn, fp), (fn, tp) = report.confusion
    assert report.metrics["sensitivity"].value == pytest.approx(tp / (tp + fn))
    assert report.metrics["ppv"].value == pytest.approx(tp / (tp + fp))


def test_the_threshold_and_its_reason_are_recorded(binary):
    assert 0 < binary.threshold < 1
    assert "Youden" in binary.threshold_reason
    assert "cases that the model had not learned from" in binary.threshold_reason


def test_a_held_out_part_is_judged_by_the_reports_threshold():
    cases = made_cases(200)
    told = predicted(cases, dealt(cases.patients))
    found = metrics_of(told, threshold=0.8, seed=0)
    assert found["sensitivity"].value == pytest.approx((told.p[0][cases.y == 1, 1] >= 0.8).mean())


# ---- a number --------------------------------------------------------------------------------------------------

def test_residuals_are_means_of_tenths():
    cases = made_cases(200, task="regression")
    folds = dealt(cases.patients)
    told = predicted(cases, folds)
    curve = reported(cases, folds, told=told).residuals
    lowest = np.argsort(told.p[0])[:20]
    assert len(curve.x) == 10
    assert curve.x[0] == pytest.approx(told.p[0][lowest].mean(), rel=0.01)
    assert curve.y[0] == pytest.approx(cases.y[lowest].mean(), rel=0.01)
    assert curve.low[0] < curve.y[0] < curve.high[0]


def test_no_group_of_residuals_is_smaller_than_ten():
    assert len(reported(made_cases(45, task="regression")).residuals.x) == 4
    few = made_cases(19, task="regression")
    assert reported(few, dealt(few.patients, n_folds=2)).residuals is None


# ---- what goes with it -----------------------------------------------------------------------------------------

def test_the_headline_is_named_by_task(binary):
    assert headline(binary) == headline_name("binary") == headline_name("multiclass") == "auroc"
    assert headline_name("regression") == "r2"


def test_what_it_was_measured_on_is_said():
    folds = dealt(np.arange(50), repeats=2)
    assert measured_on(SplitPlan(by="row", scheme="cross_validation"), folds) == (
        "cases that the model had not learned from (cross-validation in 5 parts, twice)")
    assert measured_on(SplitPlan(by="row", scheme="held_out"), folds[:5]) == (
        "cases that the model had not learned from (cross-validation in 5 parts, the part kept closed aside)")
    assert measured_on(SplitPlan(by="row", scheme="held_out"), folds[:1]) == "validation part"


def test_a_validation_part_alone_is_enough():
    cases = made_cases(300)
    fold = [Fold(np.arange(100), np.arange(100, 200), 0, 0)]
    report = reported(cases, fold, held_out=np.arange(200, 300),
                      config={"split": SplitPlan(by="row", scheme="held_out")})
    assert report.n_cases == 100 and report.measured_on == "validation part"
    assert report.metrics["auroc"].low < report.metrics["auroc"].value < report.metrics["auroc"].high


def test_every_report_is_stamped(binary):
    assert binary.stamps == ["internally validated only"]


def test_patients_and_cases_are_counted_apart():
    cases = replace(made_cases(300), patients=np.repeat(np.arange(100), 3))
    report = reported(cases, config={"split": SplitPlan(by="patient", scheme="cross_validation")})
    assert (report.n_cases, report.n_patients, report.n_events) == (300, 100, int(cases.y.sum()))


def test_gaps_are_shared_by_column():
    X = made_cases(200).X.copy()
    X.loc[:49, "crp"] = np.nan
    assert reported(replace(made_cases(200), X=X)).missing == {"crp": 0.25}


def test_the_same_seed_gives_the_same_report():
    assert reported(made_cases(120)) == reported(made_cases(120))


def test_pages_can_import_the_words_without_the_science_libraries():
    code = ("import sys, medml.evaluate, medml.evaluate.words; "
            "print([each for each in ('torch', 'sklearn', 'scipy', 'pandas', 'polars') if each in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).resolve().parents[1])
    assert done.stdout.strip() == "[]"


# ---- what cannot be told is left open, never a crash -----------------------------------------------------------

def _strange(cases: Cases, told: Predictions) -> dict[str, tuple[Cases, np.ndarray]]:
    k = told.p.shape[-1]
    right = np.broadcast_to(np.eye(k)[cases.y], told.p.shape)
    one_event = replace(cases, y=(np.arange(len(cases.y)) == 3).astype(np.int64))
    return {"the same for everybody": (cases, np.full_like(told.p, 1 / k)), "never in doubt": (cases, right),
            "always wrong": (cases, np.roll(right, 1, axis=-1)), "one event": (one_event, told.p),
            "one class": (replace(cases, y=np.zeros_like(cases.y)), told.p),
            "one patient": (replace(cases, patients=np.zeros_like(cases.patients)), told.p),
            "nothing known": (replace(cases, X=cases.X.assign(crp=np.nan, sex=None)), told.p)}


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("n", [6, 45])
def test_strange_predictions_leave_figures_open(task, n):
    cases = made_cases(n, task=task, prevalence=0.5)
    folds = dealt(cases.patients, n_folds=2, repeats=2)
    told = predicted(cases, folds)
    for name, (changed, p) in _strange(cases, told).items():
        answer = Predictions(changed.y, p, changed.patients, task, cases.classes, told.train)
        report = evaluate(answer, baselines(changed, folds), made_context(changed, folds), seed=0)
        assert Report.model_validate_json(report.model_dump_json()) == report, name
        assert all((each.value is None) == (each.low is None) for each in report.metrics.values()), name


def test_a_number_that_never_changes_leaves_r2_open():
    cases = replace(made_cases(40, task="regression"), y=np.ones(40))
    report = reported(cases)
    assert report.metrics["r2"].value is None and report.metrics["mae"].value is not None


def test_a_fold_of_one_class_only_does_not_stop_the_others():
    cases = replace(made_cases(100), y=(np.arange(100) < 40).astype(np.int64))
    folds = [Fold(np.setdiff1d(np.arange(100), test), test, 0, number)
             for number, test in enumerate([np.arange(30), np.arange(30, 70), np.arange(70, 100)])]
    told = predicted(cases, folds)
    inside = reference.roc_auc_score(cases.y[30:70], told.p[0][30:70, 1])
    assert reported(cases, folds, told=told).metrics["auroc"].value == pytest.approx(inside)
