"""Calibration line and curve, sample size: against published figures, unpenalised regression and what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import dealt, made_cases, predicted, probabilities
from sklearn.linear_model import LinearRegression, LogisticRegression

from medml.cases import Predictions
from medml.evaluate.calibration import curve_grid, logit, plan_curve, plan_line, recalibration
from medml.evaluate.figures import figures_of
from medml.evaluate.intervals import bootstrap, once
from medml.evaluate.sample_size import corrected_r2cs, max_r2cs, needed, needed_for_classes, needed_for_number
from medml.evaluate.scored import score


def sample(y: np.ndarray, p: np.ndarray):
    told = Predictions(y, probabilities(p)[None], np.arange(len(y)), "binary", ["no", "yes"], np.empty(0))
    return score(told).samples[0]


def drawn_outcomes(n: int, *, slope: float = 1.0, shift: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes that follow shift + slope * logit(p)."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(-0.5, 1.2, n)))
    true = 1 / (1 + np.exp(-(shift + slope * logit(p))))
    return (rng.random(n) < true).astype(int), p


def test_line_equals_unpenalised_logistic_regression():
    y, p = drawn_outcomes(800, slope=0.6, shift=0.3)
    slope, own, _ = recalibration(y, p)
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(p)[:, None], y)
    assert slope == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    assert own == pytest.approx(fitted.intercept_[0], abs=1e-4)


def test_lines_of_several_classes_equal_logistic_regression_of_each_against_the_rest():
    cases = made_cases(400, task="multiclass")
    told = predicted(cases, dealt(cases.patients))
    lines = figures_of(score(told), seed=0, draws=200).class_lines(400, dict(enumerate(cases.classes)))
    assert list(lines) == cases.classes and figures_of(score(told), seed=0, draws=20).line(400).keys() == {"ici"}
    for place, label in enumerate(cases.classes):
        x, y = logit(told.p[0][:, place]), (told.y == place).astype(int)
        fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x[:, None], y)
        slope, large = lines[label]["slope"], lines[label]["intercept"]
        assert slope.value == pytest.approx(fitted.coef_[0, 0], abs=1e-3) and slope.low < slope.value < slope.high
        assert (1 / (1 + np.exp(-(x + large.value)))).sum() == pytest.approx(y.sum(), rel=1e-6)  # what it is defined by


def test_line_finds_what_was_put_in():
    y, p = drawn_outcomes(40_000, slope=0.6)
    slope, own, _ = recalibration(y, p)
    assert slope == pytest.approx(0.6, abs=0.03) and own == pytest.approx(0.0, abs=0.03)
    y, p = drawn_outcomes(40_000, shift=0.5)
    assert recalibration(y, p)[2] == pytest.approx(0.5, abs=0.03)


def test_calibration_in_the_large_makes_predicted_equal_observed():
    y, p = drawn_outcomes(500, shift=-0.7)
    large = recalibration(y, p)[2]
    assert (1 / (1 + np.exp(-(logit(p) + large)))).sum() == pytest.approx(y.sum())


def test_one_step_bootstrap_agrees_with_refitting_in_every_draw():
    y, p = drawn_outcomes(400, slope=0.7)
    drawn = bootstrap(plan_line(sample(y, p)), np.arange(400), 400, seed=0, draws=300)
    refitted = []
    for weights in np.concatenate(list(_weights(400, 300)), axis=1).T:
        rows = np.repeat(np.arange(400), weights.astype(int))
        refitted.append(recalibration(y[rows], p[rows])[::2])
    slopes, larges = np.array(refitted).T
    assert drawn["slope"].std() == pytest.approx(slopes.std(), rel=0.08)
    assert np.percentile(drawn["slope"], [2.5, 97.5]) == pytest.approx(np.percentile(slopes, [2.5, 97.5]), abs=0.04)
    assert np.percentile(drawn["intercept"], [2.5, 97.5]) == pytest.approx(np.percentile(larges, [2.5, 97.5]), abs=0.03)


def _weights(n: int, draws: int):
    from medml.evaluate.intervals import patient_weights

    return patient_weights(np.arange(n), n, seed=0, draws=draws)


def test_where_there_is_no_line_there_is_no_figure():
    assert np.isnan(recalibration(np.zeros(20), np.linspace(0.1, 0.9, 20))).all()
    slope, _, large = recalibration(np.array([0, 1] * 10), np.full(20, 0.25))
    assert np.isnan(slope) and large == pytest.approx(np.log(3))  # from odds of 1/3 to even odds
    apart = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    assert np.isnan(recalibration((apart > 0.5).astype(int), apart)[0])


def test_line_of_a_number_equals_least_squares():
    cases = made_cases(200, task="regression")
    told = predicted(cases, dealt(cases.patients))
    line = figures_of(score(told), seed=0, draws=200).line(200)
    fitted = LinearRegression().fit(told.p[0][:, None], told.y)
    assert line["slope"].value == pytest.approx(fitted.coef_[0])
    assert line["intercept"].value == pytest.approx((told.y - told.p[0]).mean())
    assert line["slope"].low < line["slope"].value < line["slope"].high


# ---- the curve -------------------------------------------------------------------------------------------------

def test_curve_of_a_calibrated_model_is_the_diagonal():
    y, p = drawn_outcomes(20_000)
    grid = curve_grid(p, 10)
    observed = once(plan_curve(sample(y, p), grid), len(y))["observed"][:, 0]
    assert np.abs(observed - grid).max() < 0.03


def test_curve_shows_a_bent_truth():
    y, p = drawn_outcomes(20_000, slope=0.4)
    grid = curve_grid(p, 10)
    observed = once(plan_curve(sample(y, p), grid), len(y))["observed"][:, 0]
    true = 1 / (1 + np.exp(-0.4 * logit(grid)))
    assert np.abs(observed - true).max() < 0.06


def test_curve_is_a_local_line_worked_out_case_by_case():
    y, p = drawn_outcomes(150)
    grid = np.linspace(0.2, 0.6, 5)
    weights = np.random.default_rng(0).poisson(1.0, 150).astype(float)
    observed = plan_curve(sample(y, p), grid)(weights[:, None])["observed"][:, 0]
    for point, found in zip(grid, observed, strict=True):
        distance = np.abs(p - point)
        reach = np.sort(distance)[int(np.ceil(0.6 * 150)) - 1]
        kernel = np.clip(1 - np.clip(distance / reach, 0, 1) ** 3, 0, 1) ** 3 * weights
        design = np.column_stack([np.ones_like(p), p - point])
        expected = np.linalg.solve(design.T @ (kernel[:, None] * design), design.T @ (kernel * y))[0]
        assert found == pytest.approx(expected, abs=0.01)  # cells of 1/400 of probability


def test_grid_leaves_ten_patients_beyond_each_end_and_is_round():
    p = np.random.default_rng(0).random(200)
    grid = curve_grid(p, 10)
    assert len(grid) == 101
    assert (p < grid[0] + 0.01).sum() >= 10 and (p > grid[-1] - 0.01).sum() >= 10
    assert round(grid[0], 2) == grid[0] and round(grid[-1], 2) == grid[-1]


def test_a_constant_prediction_still_has_a_grid():
    assert np.all(np.diff(curve_grid(np.full(50, 0.3), 10)) > 0)


# ---- sample size -----------------------------------------------------------------------------------------------

def test_riley_for_two_classes_equals_the_published_example():
    """24 parameters, prevalence 0.174, R2cs 0.288: 623, 662 and 221 patients (Riley, BMJ 2020;368:m441)."""
    need = needed_for_classes(24, 0.174, 0.288)
    assert (need.shrinkage, need.optimism, need.precision, need.n) == (623, 662, 221, 662)


def test_riley_for_a_number_equals_published_examples():
    """25 parameters, R2 0.2: 918 and 401 patients; 20 parameters, R2 0.9: 254 (pmsampsize's help; BMJ 2020)."""
    need = needed_for_number(25, 0.2)
    assert (need.shrinkage, need.optimism, need.n) == (918, 401, 918)
    assert needed_for_number(20, 0.9).n == 254


def test_largest_r2_at_half_is_three_quarters():
    assert max_r2cs(0.5) == pytest.approx(0.75)  # 1 - exp(2 ln 0.5)


def test_without_an_expected_r2_it_is_015_of_the_largest():
    assert needed_for_classes(10, 0.5).r2 == pytest.approx(0.15 * 0.75)
    assert needed_for_classes(10, 0.5, -0.1).r2 == needed_for_classes(10, 0.5).r2
    assert needed("binary", 10, shares=[0.7, 0.3]).n == needed_for_classes(10, 0.3).n


def test_several_classes_take_the_neediest_class():
    shares = [0.6, 0.3, 0.1]
    assert needed("multiclass", 12, shares=shares).n == max(needed_for_classes(12, each).n for each in shares)


def test_out_of_fold_r2_is_free_of_noise():
    y, p = drawn_outcomes(20_000)
    share = y.mean()
    gained = np.where(y == 1, np.log(p / share), np.log((1 - p) / (1 - share))).mean()
    assert corrected_r2cs(y, p) == pytest.approx(1 - np.exp(-2 * gained), abs=0.002)
    rng = np.random.default_rng(1)
    assert corrected_r2cs(y, rng.random(20_000)) == pytest.approx(0.0, abs=0.001)
    assert corrected_r2cs(y, 1 - p) == 0.0  # worse than nothing


def test_classes_told_apart_without_an_error_explain_all_that_can_be():
    """No slope can be fitted there: it would be endless. The most there is to explain: Riley, BMJ 2020;368:m441."""
    y, rng = np.repeat([0.0, 1.0], [80, 20]), np.random.default_rng(0)
    p = np.where(y == 1, rng.uniform(0.5, 0.9, 100), rng.uniform(0.1, 0.5, 100))
    assert corrected_r2cs(y, p) == pytest.approx(max_r2cs(0.2)) == pytest.approx(1 - (0.2**0.2 * 0.8**0.8) ** 2)
    assert corrected_r2cs(y, 1 - p) == 0.0 and corrected_r2cs(y, np.full(100, 0.2)) == 0.0
    touching = np.where(y == 1, np.maximum(p, 0.6), np.minimum(p, 0.4))
    touching[[0, 99]] = 0.5  # one of each class at the same probability
    assert corrected_r2cs(y, touching) == pytest.approx(max_r2cs(0.2), abs=0.05)
