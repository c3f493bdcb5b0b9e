"""Conformal sets hold the truth as often as they say: on simulated patients, on a real set, and in each class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_up import dealt
from tables import planned, saved

from medml import conformal, predict
from medml.cases import Predictions
from medml.train import train
from medml.types import SplitPlan

TRIALS = 120


def told(y: np.ndarray, p: np.ndarray, *, patients: np.ndarray | None = None, folds: int = 5) -> Predictions:
    """One repeat of out-of-fold predictions."""
    task = "regression" if p.ndim == 1 else "binary" if p.shape[1] == 2 else "multiclass"
    return Predictions(y, p[None], np.arange(len(y)) if patients is None else patients, task,
                       [] if task == "regression" else [str(each) for each in range(p.shape[1])], np.full(folds, 0.8))


def drawn(rng: np.random.Generator, n: int, n_classes: int, rarest: float) -> tuple[np.ndarray, np.ndarray]:
    """Patients of classes of which the last has a share `rarest`, and probabilities that are right on average; so much
    alike that hardly a set would be empty."""
    prior = np.r_[np.full(n_classes - 1, (1 - rarest) / (n_classes - 1)), rarest]
    y = rng.choice(n_classes, size=n, p=prior)
    seen = rng.normal(size=(n, n_classes)) + 0.8 * np.eye(n_classes)[y]
    p = prior * np.exp(0.8 * seen)
    return y, p / p.sum(axis=1, keepdims=True)


def made(y, p, **how):
    given = told(y, p, **how)
    return conformal.calibrated(given, dealt(given.patients))


@pytest.mark.parametrize(("n_classes", "rarest"), [(2, 0.45), (4, 0.25), (2, 0.1)])
def test_a_set_holds_the_truth_in_the_chosen_share_of_simulated_patients(n_classes, rarest):
    """Mean over trials within three standard errors of the share; in each class where the classes are uneven."""
    rng = np.random.default_rng(3)
    inside = {level: np.zeros((TRIALS, n_classes + 1)) for level in conformal.LEVELS}
    for trial in range(TRIALS):
        found = made(*drawn(rng, 400, n_classes, rarest))
        assert found.by_class == (rarest == 0.1)
        y, p = drawn(rng, 4_000, n_classes, rarest)
        for each in found.levels:
            held = conformal.within(p, each.least, each.level)[np.arange(len(y)), y]
            inside[each.level][trial] = [held.mean(), *(held[y == which].mean() for which in range(n_classes))]
    for level, shares in inside.items():
        mean, error = shares.mean(axis=0), shares.std(axis=0, ddof=1) / np.sqrt(TRIALS)
        asked = range(1, n_classes + 1) if rarest == 0.1 else [0]
        for place in asked:
            assert level - 3 * error[place] <= mean[place], (level, place)
        widest = n_classes if rarest == 0.1 else 0  # the frequent class is the likeliest, and so in nearly every set
        n = 400 * (rarest if widest else 1)
        assert mean[widest] <= level + 3 * error[widest] + 1.5 / (n + 1) + 0.005, level  # no wider than due


def test_an_interval_holds_the_number_in_the_chosen_share_of_simulated_patients():
    rng = np.random.default_rng(5)
    inside = np.zeros((TRIALS, len(conformal.LEVELS)))
    for trial in range(TRIALS):
        p = rng.normal(50, 10, 200)
        found = made(p + rng.standard_t(4, 200), p)
        error = np.abs(rng.standard_t(4, 4_000))
        inside[trial] = [(error <= each.width).mean() for each in found.levels]
    mean, spread = inside.mean(axis=0), inside.std(axis=0, ddof=1) / np.sqrt(TRIALS)
    assert (np.abs(mean - conformal.LEVELS) <= 3 * spread + 1 / 201).all()


def test_patients_with_many_rows_weigh_as_much_as_others():
    """Half of the patients have 20 rows that are easy; sets that counted rows would be far too narrow."""
    rng = np.random.default_rng(0)
    often, error = rng.random(400) < 0.5, np.abs(rng.normal(size=400))
    error[often] *= 0.01
    patients = np.repeat(np.arange(400), np.where(often, 20, 1))
    found = made(error[patients], np.zeros(len(patients)), patients=patients)
    once = made(error, np.zeros(400))
    assert found.n_patients == 400
    for mine, theirs in zip(found.levels, once.levels, strict=True):
        assert mine.width == pytest.approx(theirs.width, rel=0.02)
        assert mine.held.n == 400 and mine.held.low <= mine.level <= mine.held.high


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_mean_size_of_a_set_is_counted_on_patients_who_set_no_threshold(n_classes):
    """Of two classes it is 2 minus the share of single answers, by definition; else the mean on new patients."""
    rng = np.random.default_rng(8)
    found = made(*drawn(rng, 2_000, n_classes, 1 / n_classes))
    _, p = drawn(rng, 20_000, n_classes, 1 / n_classes)
    for each in found.levels:
        assert 1 <= each.size.low <= each.size.value <= each.size.high <= n_classes and each.size.n == 2_000
        assert each.size.low <= conformal.within(p, each.least, each.level).sum(axis=1).mean() <= each.size.high
        if n_classes == 2:
            assert each.size.value == pytest.approx(2 - each.single.value)
    assert made(rng.normal(size=50), np.zeros(50)).levels[0].size is None  # a number's set has a width


def test_the_quantile_is_the_one_of_the_papers():
    """ceil((n + 1) level)-th smallest of n; none where n patients cannot tell."""
    values, patient = np.arange(1.0, 100.0), np.arange(99)
    assert [conformal.quantile(values, patient, level) for level in (0.8, 0.9, 0.95)] == [80, 90, 95]
    assert conformal.quantile(values[:18], patient[:18], 0.95) is None
    assert conformal.quantile(values[:19], patient[:19], 0.95) == 19
    assert conformal.quantile(values[:9], patient[:9], 0.8) is None  # one of nine would be a patient's own


def test_no_set_is_empty_or_without_the_likeliest_answer_and_it_only_grows():
    p = np.array([[0.5, 0.5], [0.9, 0.1], [0.65, 0.35]])
    assert conformal.within(p, [0.8, 0.8], 0.8).tolist() == [[True, True], [True, False], [True, True]]
    assert conformal.within(p, [None, 0.4], 0.8).tolist() == [[True, True], [True, False], [True, False]]
    assert conformal.within(p, [0.7, 0.3], 0.8).tolist() == [[True, True], [True, False], [True, True]]


def test_thresholds_are_rounded_to_the_cautious_side():
    rng = np.random.default_rng(1)
    for _ in range(50):
        value = float(10 ** rng.uniform(-4, 3))
        assert conformal._down(value) <= value <= conformal._up(value)
        assert conformal._up(value) - conformal._down(value) <= 0.0101 * value
        assert float(f"{conformal._down(value):.2e}") == conformal._down(value)


def test_too_few_patients_put_every_class_into_every_set():
    found = made(*drawn(np.random.default_rng(0), 60, 2, 0.1))
    assert found.by_class and found.levels[-1].least[1] is None
    assert conformal.within(np.array([[1.0, 0.0]]), found.levels[-1].least, 0.95).all()


@pytest.mark.parametrize(("target", "task"), [("Outcome", "binary"), ("BMI", "regression")])
def test_sets_of_a_real_run_hold_the_truth_of_patients_it_never_saw(clinical, tmp_path, target, task):
    """Half of a real table is trained on as a person would; of the other half the sets hold as many as they say."""
    whole = pd.read_csv(clinical / "pima_diabetes" / "pima_diabetes.csv").sample(frac=1, random_state=1)
    seen, new = whole[:len(whole) // 2], whole[len(whole) // 2:]
    source = saved(seen, tmp_path, "half.csv")
    plan = SplitPlan(by="row", scheme="cross_validation", folds=5, repeats=2)
    predictor = predict.Predictor.of(train(source, *planned(source, target=target, split=plan)))
    report, truth = predictor.run.report, new[target].to_numpy()
    assert report.task == task
    p = predictor.pipeline.predict(predictor.read(saved(new.drop(columns=target), tmp_path, "new.csv")).X)
    for each in report.conformal.levels:
        held = np.abs(truth - p) <= each.width if task == "regression" else \
            conformal.within(p, each.least, each.level)[np.arange(len(p)), truth]
        spread = np.sqrt(each.level * (1 - each.level) * (1 / len(new) + 1 / len(seen)))  # of both halves
        assert each.level - 3 * spread <= held.mean() <= each.level + 3 * spread + 0.05, each.level
        assert each.held.low <= each.level <= each.held.high + 0.05
