"""Every figure against scikit-learn, or worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import baselines, dealt, made_cases, predicted, probabilities
from sklearn import metrics as reference

from medml.cases import Fold, Predictions
from medml.evaluate import curves, metrics, metrics_of, prevalence_baseline, quick_figure, quick_loss
from medml.evaluate.intervals import once
from medml.evaluate.metrics import measure_all, plan_auprc, plan_auroc
from medml.evaluate.scored import score
from medml.evaluate.thresholds import LATTICE, cross_fitted, youden
from medml.evaluate.words import METRICS, OF_TASK, better, meaning, title

ONE = np.ones((8, 1))


def figures(predictions: Predictions, folds: list[Fold] = (), **settings) -> dict[str, float]:
    scored = score(predictions, folds, **settings)
    return {name: float(value[0]) for name, value in once(measure_all(scored), len(predictions.y)).items()}


def rounded(predictions: Predictions) -> Predictions:
    """With many ties."""
    return Predictions(predictions.y, np.round(predictions.p, 1), predictions.patients, predictions.task,
                       predictions.classes, predictions.train)


@pytest.mark.parametrize("ties", [False, True])
def test_two_classes_equal_scikit_learn_at_a_given_threshold(ties):
    cases = made_cases(400)
    told = predicted(cases, dealt(cases.patients))
    told = rounded(told) if ties else told
    found = figures(told, threshold=0.37)
    p, y = told.p[0][:, 1], cases.y
    decided = (p >= 0.37).astype(int)
    expected = {"auroc": reference.roc_auc_score(y, p), "auprc": reference.average_precision_score(y, p),
                "accuracy": reference.accuracy_score(y, decided), "brier": reference.brier_score_loss(y, p),
                "log_loss": reference.log_loss(y, p), "sensitivity": reference.recall_score(y, decided),
                "specificity": reference.recall_score(y, decided, pos_label=0),
                "ppv": reference.precision_score(y, decided),
                "npv": reference.precision_score(y, decided, pos_label=0), "f1": reference.f1_score(y, decided),
                "balanced_accuracy": reference.balanced_accuracy_score(y, decided),
                "mcc": reference.matthews_corrcoef(y, decided)}
    assert found == pytest.approx(expected, abs=1e-12)


def test_several_classes_equal_scikit_learn_macro_averages():
    cases = made_cases(400, task="multiclass")
    told = predicted(cases, dealt(cases.patients))
    found = figures(told)
    p, y, decided = told.p[0], cases.y, told.p[0].argmax(axis=1)
    expected = {"auroc": reference.roc_auc_score(y, p, multi_class="ovr", average="macro"),
                "auprc": reference.average_precision_score(np.eye(3)[y], p, average="macro"),
                "accuracy": reference.accuracy_score(y, decided), "log_loss": reference.log_loss(y, p),
                "brier": ((p - np.eye(3)[y]) ** 2).sum(axis=1).mean(),
                "sensitivity": reference.recall_score(y, decided, average="macro"),
                "ppv": reference.precision_score(y, decided, average="macro"),
                "f1": reference.f1_score(y, decided, average="macro"),
                "balanced_accuracy": reference.balanced_accuracy_score(y, decided),
                "mcc": reference.matthews_corrcoef(y, decided)}
    two_by_two = reference.multilabel_confusion_matrix(y, decided)
    expected["specificity"] = np.mean([each[0, 0] / each[0].sum() for each in two_by_two])
    expected["npv"] = np.mean([each[0, 0] / each[:, 0].sum() for each in two_by_two])
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_class_never_decided_for_counts_as_zero_like_scikit_learn():
    y = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    p = np.eye(3)[[0, 0, 1, 1, 1, 0, 0, 1]] * 0.8 + 0.2 / 3
    found = figures(Predictions(y, p[None], np.arange(8), "multiclass", ["a", "b", "c"], np.empty(0)))
    decided = p.argmax(axis=1)
    assert found["ppv"] == pytest.approx(reference.precision_score(y, decided, average="macro", zero_division=0))
    assert found["f1"] == pytest.approx(reference.f1_score(y, decided, average="macro", zero_division=0))


def test_a_number_equals_scikit_learn():
    cases = made_cases(200, task="regression")
    told = predicted(cases, dealt(cases.patients))
    assert figures(told) == pytest.approx({
        "mae": reference.mean_absolute_error(cases.y, told.p[0]),
        "rmse": reference.root_mean_squared_error(cases.y, told.p[0]), "r2": reference.r2_score(cases.y, told.p[0])})


def test_weights_equal_scikit_learn_sample_weights():
    cases = made_cases(200)
    p = np.round(predicted(cases, dealt(cases.patients)).p[0][:, 1], 2)
    weights = np.random.default_rng(3).poisson(1.0, (200, 4)).astype(float)
    aurocs = plan_auroc(cases.y, p, np.zeros(200, dtype=int))(weights)
    auprcs = plan_auprc(cases.y, p)(weights)
    for draw in range(4):
        kept = np.repeat(np.arange(200), weights[:, draw].astype(int))
        assert aurocs[draw] == pytest.approx(reference.roc_auc_score(cases.y[kept], p[kept]))
        assert auprcs[draw] == pytest.approx(reference.average_precision_score(cases.y[kept], p[kept]))


def test_auroc_worked_by_hand_counts_ties_half():
    y = np.array([1, 1, 0, 0])
    p = np.array([0.9, 0.4, 0.4, 0.1])  # pairs: won, won, tied, won
    assert plan_auroc(y, p, np.zeros(4, dtype=int))(np.ones((4, 1)))[0] == pytest.approx(3.5 / 4)


def test_auroc_is_the_pair_weighted_mean_of_the_folds():
    cases = made_cases(303)
    folds = dealt(cases.patients)
    told = predicted(cases, folds)
    shifted = told.p[0][:, 1] * np.repeat(0.5, 303)
    for fold in folds:
        shifted[fold.test] += fold.number / 10  # every model has a scale of its own
    by_fold, pairs = [], []
    for fold in folds:
        y = cases.y[fold.test]
        by_fold.append(reference.roc_auc_score(y, shifted[fold.test]))
        pairs.append(y.sum() * (1 - y).sum())
    of_folds = Predictions(cases.y, probabilities(shifted)[None], cases.patients, "binary", cases.classes, told.train)
    assert figures(of_folds, folds)["auroc"] == pytest.approx(np.average(by_fold, weights=pairs))


def test_prevalence_ranks_nobody_though_folds_differ():
    cases = made_cases(101, prevalence=0.3)
    folds = dealt(cases.patients, repeats=2)
    nothing = prevalence_baseline(cases, folds)
    assert len(np.unique(nothing.p[0][:, 1])) > 1  # the folds' shares differ, against the outcome
    assert reference.roc_auc_score(cases.y, nothing.p[0][:, 1]) < 0.5
    found = figures(nothing, folds)
    assert found["auroc"] == 0.5
    assert found["auprc"] == pytest.approx(cases.y.mean())


def test_prevalence_of_a_number_is_the_training_mean():
    cases = made_cases(60, task="regression")
    folds = dealt(cases.patients, n_folds=3)
    nothing = prevalence_baseline(cases, folds)
    for fold in folds:
        assert np.all(nothing.p[0, fold.test] == cases.y[fold.train].mean())


def test_repeats_are_averaged():
    cases = made_cases(150)
    folds = dealt(cases.patients, repeats=3)
    told = predicted(cases, folds)
    alone = [figures(Predictions(told.y, told.p[repeat:repeat + 1], told.patients, "binary", told.classes, told.train),
                     [Fold(each.train, each.test, 0, each.number) for each in folds if each.repeat == repeat])
             for repeat in range(3)]
    together = figures(told, folds)
    for name in ("auroc", "auprc", "brier", "sensitivity"):
        assert together[name] == pytest.approx(np.mean([each[name] for each in alone]))


def test_rows_that_a_repeat_left_out_do_not_count():
    cases = made_cases(100)
    told = predicted(cases, dealt(cases.patients, repeats=2))
    p = told.p.copy()
    p[0, 80:], p[1, :20] = np.nan, np.nan
    holed = Predictions(told.y, p, told.patients, "binary", told.classes, told.train)
    squared = (told.p[..., 1] - told.y) ** 2
    expected = (squared[0, :80].mean() + squared[1, 20:].mean()) / 2
    assert figures(holed)["brier"] == pytest.approx(expected)


def test_one_class_alone_gives_no_figure_and_no_crash():
    y = np.zeros(40, dtype=int)
    told = Predictions(y, np.full((1, 40, 2), 0.5), np.arange(40), "binary", ["no", "yes"], np.empty(0))
    found = metrics_of(told, seed=0)
    assert found["auroc"].value is None and found["sensitivity"].value is None and found["mcc"].value is None
    assert found["brier"].value == pytest.approx(0.25)
    assert quick_figure("binary", y, told.p[0]) is None


def test_an_unchanging_number_has_no_r2():
    told = Predictions(np.full(40, 3.0), np.full((1, 40), 2.5), np.arange(40), "regression", [], np.empty(0))
    found = metrics_of(told, seed=0)
    assert found["r2"].value is None
    assert found["mae"].value == pytest.approx(0.5)


def test_nothing_predicted_is_a_mistake_of_ours():
    told = Predictions(np.zeros(4), np.full((1, 4), np.nan), np.arange(4), "regression", [], np.empty(0))
    with pytest.raises(ValueError, match="hold no figure at all"):
        score(told)


def test_every_task_has_its_names_in_words():
    for task, names in OF_TASK.items():
        cases = made_cases(90, task=task)
        folds = dealt(cases.patients)
        assert tuple(figures(predicted(cases, folds), folds)) == names
        for each in baselines(cases, folds).values():
            assert tuple(figures(each, folds)) == names
        assert all(title(name) and meaning(name) for name in names)


def test_better_knows_the_direction():
    assert better("auroc", 0.8, 0.7) and better("brier", 0.1, 0.2) and not better("log_loss", 0.9, 0.2)
    with pytest.raises(ValueError, match="has no better direction"):
        better("slope", 1.0, 0.9)
    assert title("never_heard_of") == "never heard of" and set(METRICS) >= set(OF_TASK["binary"])


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_quick_figure_is_the_headline_of_one_fold(task):
    cases = made_cases(120, task=task)
    told = predicted(cases, dealt(cases.patients))
    name = "r2" if task == "regression" else "auroc"
    assert quick_figure(task, told.y, told.p[0]) == pytest.approx(figures(told)[name])


def test_quick_figure_takes_the_positive_class_alone():
    y, p = np.array([0, 1, 1, 0]), np.array([0.2, 0.9, 0.3, 0.4])
    assert quick_figure("binary", y, p) == quick_figure("binary", y, probabilities(p)) == 0.75


def test_quick_loss_equals_scikit_learn():
    cases = made_cases(80)
    p = predicted(cases, dealt(cases.patients)).p[0]
    assert quick_loss("binary", cases.y, p) == pytest.approx(reference.log_loss(cases.y, p))
    assert quick_loss("regression", np.array([1.0, 2.0]), np.array([1.5, 2.0])) == pytest.approx(0.125)
    assert quick_loss("binary", np.empty(0, dtype=int), np.empty((0, 2))) is None


# ---- thresholds ------------------------------------------------------------------------------------------------

def test_youden_worked_by_hand_is_round_and_in_the_middle_of_the_gap():
    y = np.array([0, 0, 0, 1, 1])
    assert youden(y, np.array([0.1, 0.2, 0.3, 0.6, 0.9])) == pytest.approx(0.46)  # 0.31 .. 0.60 are all perfect
    assert youden(y, np.array([0.9, 0.8, 0.7, 0.1, 0.2])) == 0.5  # worse than chance everywhere
    assert youden(np.zeros(3), np.array([0.1, 0.2, 0.3])) == 0.5


def test_youden_reaches_rare_outcomes():
    rng = np.random.default_rng(0)
    y = (rng.random(5000) < 0.01).astype(int)
    p = np.clip(0.002 + 0.004 * y + rng.normal(0, 0.0003, 5000), 1e-5, 1)
    assert 0.003 <= youden(y, p) <= 0.005


def test_no_threshold_is_a_patients_own_probability():
    rng = np.random.default_rng(1)
    y, p = (rng.random(300) < 0.4).astype(int), rng.random(300)
    assert youden(y, p) in LATTICE and youden(y, p) not in p


def test_a_row_never_helps_to_choose_the_threshold_that_judges_it():
    cases = made_cases(100)
    folds = dealt(cases.patients)
    fold = np.zeros(100, dtype=int)
    for each in folds:
        fold[each.test] = each.number
    p = predicted(cases, folds).p[0][:, 1]
    before = cross_fitted(cases.y, p, fold, cases.patients, seed=0)
    flipped = np.where(fold == 2, 1 - cases.y, cases.y)
    after = cross_fitted(flipped, p, fold, cases.patients, seed=0)
    assert np.array_equal(before[fold == 2], after[fold == 2])
    assert not np.array_equal(before[fold != 2], after[fold != 2])


def test_a_single_validation_part_is_dealt_by_patient_before_a_threshold_judges_it():
    rng = np.random.default_rng(2)
    patients = np.repeat(np.arange(40), 3)
    y, p = rng.integers(2, size=120), rng.random(120)
    judged = cross_fitted(y, p, np.zeros(120, dtype=int), patients, seed=4)
    assert all(len(np.unique(judged[patients == each])) == 1 for each in range(40))
    assert len(np.unique(judged)) > 1


def test_choosing_a_threshold_on_noise_gains_nothing():
    """On pure noise Youden's own rows promise sensitivity + specificity well above 1; the figures here must not."""
    gains, naive = [], []
    for seed in range(30):
        cases = made_cases(80, seed=seed)
        folds = dealt(cases.patients, seed=seed)
        told = predicted(cases, folds, signal=0.0, seed=seed + 100)
        gains.append(figures(told, folds)["balanced_accuracy"])
        p, cut = told.p[0][:, 1], youden(cases.y, told.p[0][:, 1])
        naive.append(reference.balanced_accuracy_score(cases.y, p >= cut))
    assert np.mean(naive) > 0.54
    assert abs(np.mean(gains) - 0.5) < 0.03


# ---- many cases ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("plan", [plan_auroc, plan_auprc, curves._roc, curves._precision])
def test_groups_of_neighbouring_scores_change_no_figure_and_hardly_a_draw(plan, monkeypatch):
    rng = np.random.default_rng(0)
    y = (rng.random(6000) < 0.2).astype(int)
    p, fold = rng.normal(size=6000) + y, rng.integers(3, size=6000)
    weights = rng.poisson(1.0, (6000, 5)).astype(float)
    exact = plan(y, p, fold)
    monkeypatch.setattr(metrics, "MANY", 5000)
    grouped = metrics.coarse(plan, y, p, fold)
    assert np.array_equal(grouped(np.ones((6000, 1))), exact(np.ones((6000, 1))))
    away = np.abs(grouped(weights) - exact(weights))
    assert 0 < away.max() and np.median(away) < 1e-3
