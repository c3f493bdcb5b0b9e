"""Intervals against published values, closed forms and each other."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import dealt, made_cases, predicted, probabilities

from medml.cases import Fold, Predictions
from medml.evaluate import intervals, metrics_of, prevalence_baseline, quick_figure
from medml.evaluate.intervals import bootstrap, metric, patient_weights, percentiles, wilson, with_training
from medml.evaluate.winner import bbc_cv


def of(y: np.ndarray, p: np.ndarray, patients: np.ndarray | None = None) -> Predictions:
    return Predictions(y, probabilities(p)[None], np.arange(len(y)) if patients is None else patients, "binary",
                       ["no", "yes"], np.empty(0))


def delong(y: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """AUROC and its standard error (DeLong, Biometrics 1988;44:837), in the quick form of Sun and Xu (2014).

    y (n,) 0/1, both classes present; score (n,), larger for the outcome; rows are taken as one patient each
    """
    from scipy.stats import rankdata

    positive, negative = score[y == 1], score[y == 0]
    m, n = len(positive), len(negative)
    if not m or not n:
        raise ValueError("DeLong's variance needs both classes")
    together = rankdata(np.concatenate([positive, negative]))
    above = (together[:m] - rankdata(positive)) / n  # share of negatives below each positive
    below = 1 - (together[m:] - rankdata(negative)) / m
    auroc = float(above.mean())
    variance = (above.var(ddof=1) / m if m > 1 else 0.0) + (below.var(ddof=1) / n if n > 1 else 0.0)
    return auroc, float(np.sqrt(variance))


def test_delong_equals_the_published_value_of_hanley_and_mcneils_films():
    """CT films of Hanley and McNeil (Radiology 1982;143:29), ratings 1-5. Stata's manual (roctab, DeLong): 0.8932,
    standard error 0.0307, 95 % interval 0.83295 to 0.95339."""
    rating = np.arange(1, 6)
    normal, abnormal = np.repeat(rating, [33, 6, 6, 11, 2]), np.repeat(rating, [3, 2, 2, 11, 33])
    y = np.repeat([0, 1], [len(normal), len(abnormal)])
    auroc, error = delong(y, np.concatenate([normal, abnormal]))
    assert (round(auroc, 4), round(error, 4)) == (0.8932, 0.0307)
    assert auroc - 1.959964 * error == pytest.approx(0.83295, abs=5e-5)
    assert auroc + 1.959964 * error == pytest.approx(0.95339, abs=5e-5)


def test_bootstrap_agrees_with_delong_where_rows_are_patients():
    cases = made_cases(600)
    p = predicted(cases, dealt(cases.patients)).p[0][:, 1]
    auroc, error = delong(cases.y, p)
    found = metrics_of(of(cases.y, p), seed=0)["auroc"]
    assert found.value == pytest.approx(auroc)
    assert found.low == pytest.approx(auroc - 1.96 * error, abs=0.006)
    assert found.high == pytest.approx(auroc + 1.96 * error, abs=0.006)


def test_bootstrap_of_a_mean_has_the_closed_form_width():
    rng = np.random.default_rng(0)
    values = rng.normal(size=500)
    drawn = bootstrap(lambda weights: {"mean": values @ weights / weights.sum(axis=0)}, np.arange(500), 500, seed=1,
                      draws=4000)["mean"]
    assert drawn.std() == pytest.approx(values.std() / np.sqrt(500), rel=0.05)


def test_rows_of_one_patient_are_drawn_together():
    patient = np.repeat(np.arange(30), 4)
    weights = np.concatenate(list(patient_weights(patient, 30, seed=0, draws=50)), axis=1)
    assert weights.shape == (120, 50)
    assert (weights.reshape(30, 4, 50) == weights.reshape(30, 4, 50)[:, :1]).all()
    assert (weights[::4].sum(axis=0) == 30).all()


def test_copies_of_a_patient_do_not_narrow_the_interval():
    cases = made_cases(100)
    p = predicted(cases, dealt(cases.patients)).p[0][:, 1]
    once = metrics_of(of(cases.y, p), seed=0)["brier"]
    ten = metrics_of(of(np.tile(cases.y, 10), np.tile(p, 10), np.tile(np.arange(100), 10)), seed=0)["brier"]
    rows = metrics_of(of(np.tile(cases.y, 10), np.tile(p, 10)), seed=0)["brier"]
    assert ten.high - ten.low == pytest.approx(once.high - once.low, rel=0.05)
    assert rows.high - rows.low < 0.5 * (once.high - once.low)


def test_pieces_hold_bounded_memory_and_the_same_number_of_draws(monkeypatch):
    monkeypatch.setattr(intervals, "CELLS_AT_ONCE", 1000)
    pieces = list(patient_weights(np.arange(90), 90, seed=0, draws=25))
    assert max(each.size for each in pieces) <= 1000
    assert sum(each.shape[1] for each in pieces) == 25


def test_draws_that_are_kept_are_those_that_would_be_made_anew(monkeypatch):
    """A report measures a dozen things in the same draws; pieces of another size change none of them."""
    patient = np.repeat(np.arange(30), 3)
    kept = list(patient_weights(patient, 30, seed=4, draws=25))
    monkeypatch.setattr(intervals, "KEPT_CELLS", 0)
    monkeypatch.setattr(intervals, "CELLS_AT_ONCE", 1000)
    anew = list(patient_weights(patient, 30, seed=4, draws=25))
    assert len(kept) == 1 and len(anew) == 3
    assert np.array_equal(kept[0], np.concatenate(anew, axis=1)) and kept[0].dtype == anew[0].dtype == float


def test_same_seed_same_interval():
    cases = made_cases(150)
    told = predicted(cases, dealt(cases.patients))
    assert metrics_of(told, seed=5) == metrics_of(told, seed=5)
    assert metrics_of(told, seed=5) != metrics_of(told, seed=6)


def test_an_interval_always_holds_its_figure():
    cases = made_cases(60)
    for name, each in metrics_of(predicted(cases, dealt(cases.patients)), seed=0).items():
        assert each.low <= each.value <= each.high, name


def test_no_figure_without_an_interval():
    """One case of the class: a third of the draws have none, so the AUROC cannot be told, nor its interval."""
    y = np.zeros(40, dtype=int)
    y[7] = 1
    found = metrics_of(of(y, np.linspace(0, 1, 40)), seed=0)
    assert found["auroc"].value is None and found["auroc"].low is None and found["auroc"].n == 40
    assert metric(0.7, np.array([np.nan, np.nan, 0.7]), 3).value is None
    assert percentiles(np.full(10, np.nan)) is None


def test_wilson_equals_the_published_example():
    """81 of 263: 0.2553 to 0.3662 (Newcombe, Stat Med 1998;17:857, table I, method 3)."""
    low, high = wilson(81 / 263, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_a_perfect_figure_is_not_certain():
    """20 of 20 found: resampling shows no spread, Wilson's lower end for 20 does (0.8389)."""
    y = np.repeat([0, 1], [40, 20])
    found = metrics_of(of(y, np.where(y == 1, 0.9, 0.1)), seed=0)
    assert found["sensitivity"].value == found["auroc"].value == 1.0
    assert found["sensitivity"].low == pytest.approx(0.8389, abs=1e-4) == found["auroc"].low
    assert found["mcc"].low == pytest.approx(2 * 0.8389 - 1, abs=1e-3)


def test_prevalence_is_certain_to_rank_nobody():
    cases = made_cases(100)
    folds = dealt(cases.patients)
    found = metrics_of(prevalence_baseline(cases, folds), folds=folds, seed=0)["auroc"]
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)


def test_intervals_of_noise_hold_chance_as_often_as_they_say():
    held = 0
    for seed in range(60):
        cases = made_cases(120, seed=seed)
        folds = dealt(cases.patients, repeats=2, seed=seed)
        noise = predicted(cases, folds, signal=0.0, seed=seed + 500)
        one = metrics_of(noise, folds=folds, seed=seed, draws=400)["auroc"]
        held += one.low <= 0.5 <= one.high
    assert held >= 51  # of 60 at 95 %: fewer than 51 happens once in 20,000 times


# ---- winner's curse --------------------------------------------------------------------------------------------

def test_the_best_of_many_useless_configurations_is_worth_chance():
    cases = made_cases(120)
    folds = dealt(cases.patients)
    useless = [predicted(cases, folds, signal=0.0, seed=seed) for seed in range(20)]
    best = max(metrics_of(each, folds=folds, seed=0, draws=100)["auroc"].value for each in useless)
    corrected = bbc_cv(useless, folds, seed=0)
    assert best > 0.57
    assert corrected.value < best - 0.03
    assert corrected.low < 0.5 < corrected.high


def test_a_clear_winner_keeps_its_figure():
    cases = made_cases(300)
    folds = dealt(cases.patients)
    good = predicted(cases, folds, signal=3.0)
    corrected = bbc_cv([good, predicted(cases, folds, signal=0.2, seed=4)], folds, seed=0)
    assert corrected.value == pytest.approx(metrics_of(good, folds=folds, seed=0, draws=50)["auroc"].value, abs=0.01)


def test_configurations_of_other_rows_are_refused():
    cases = made_cases(50)
    one = predicted(cases, dealt(cases.patients))
    holed = one.p.copy()
    holed[:, :5] = np.nan
    other = Predictions(one.y, holed, one.patients, "binary", one.classes, one.train)
    with pytest.raises(ValueError, match="different rows"):
        bbc_cv([one, other], [], seed=0)


# ---- what the choice of training patients adds -----------------------------------------------------------------

def of_models(seed: int, *, n: int, columns: int, effect: float) -> tuple[Predictions, list[Fold], float]:
    """Out-of-fold predictions of a real model (difference of class means), 5 folds x 2, and what it is truly worth."""
    rng = np.random.default_rng(seed)

    def patients(count: int) -> tuple[np.ndarray, np.ndarray]:
        y = (rng.random(count) < 0.4).astype(int)
        return rng.normal(size=(count, columns)) + effect * y[:, None] * (np.arange(columns) < 3), y

    def fit(X: np.ndarray, y: np.ndarray) -> np.ndarray:
        return X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)

    (X, y), (more_X, more_y) = patients(n), patients(4000)
    folds = dealt(np.arange(n), repeats=2, seed=seed)
    p = np.full((2, n), np.nan)
    for fold in folds:
        p[fold.repeat, fold.test] = 1 / (1 + np.exp(-X[fold.test] @ fit(X[fold.train], y[fold.train])))
    told = Predictions(y, probabilities(p), np.arange(n), "binary", ["no", "yes"], np.empty(0))
    return told, folds, quick_figure("binary", more_y, probabilities(more_X @ fit(X, y)))


@pytest.mark.parametrize(("n", "columns", "effect"), [(150, 5, 0.0), (200, 100, 0.0), (200, 20, 0.4)])
def test_intervals_hold_what_the_model_is_worth_on_thousands_of_new_patients(n, columns, effect):
    """A bare bootstrap of the out-of-fold predictions holds it in 70-85 % of trials where there is no signal."""
    held = 0
    for seed in range(80):
        told, folds, worth = of_models(seed, n=n, columns=columns, effect=effect)
        found = metrics_of(told, folds=folds, seed=seed, draws=300)["auroc"]
        held += found.low <= worth <= found.high
    assert held >= 70  # of 80; at 95 % fewer happen once in 200 times, at 80 % nearly always


def test_widening_worked_by_hand():
    """Two repeats that agree wholly stay as they are; two that have nothing in common (r = 0) get the variance
    1 + 5/2 of one repeat, which is 7 times that of their mean; one repeat gets 1.5; a part apart is left alone."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 20_000))
    one, other = one - one.mean(), other - other.mean()
    assert with_training(np.stack([one, one]), np.float64(0), 5) == pytest.approx(one)
    apart = with_training(np.stack([one, other]), np.float64(0), 5)
    assert apart.std() / ((one + other) / 2).std() == pytest.approx(np.sqrt(7), rel=0.02)
    assert with_training(one[None], np.float64(0), 5) == pytest.approx(np.sqrt(1.5) * one)
    assert with_training(one[None], np.float64(0), 1) == pytest.approx(one)
    assert with_training(one[None] + 3, np.float64(2), 1).mean() == pytest.approx(2)  # centred on the figure
