"""The parts that families share, against closed forms, scikit-learn and cases worked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from medml.cases import FitData
from medml.families import _inner, _stack, _wide, registry
from medml.families._cuts import Nudge, binned, cuts, shortest_between
from medml.families._guard import Labels


def table(X: np.ndarray, y: np.ndarray, task: str, patients: np.ndarray | None = None) -> FitData:
    names = [str(place) for place in range(X.shape[1])]
    return FitData(X=X, y=y, patients=np.arange(len(y)) if patients is None else patients, task=task,
                   n_classes=0 if task == "regression" else int(y.max()) + 1, names=names, origins=names)


def test_the_shortest_decimal_between_two_values_by_hand():
    low = np.array([145.0, 1.234, 0.0117, -3.0, 99.0, 1e6])
    high = np.array([146.0, 1.987, 0.0119, 4.0, 1234.0, 1e6 + 1])
    assert shortest_between(low, high).tolist() == [145.5, 1.5, 0.0118, 0.0, 1000.0, 1000000.5]


def test_a_shortest_decimal_lies_strictly_between_also_in_single_precision():
    random = np.random.default_rng(0)
    values = np.unique(np.concatenate([random.normal(size=4000), random.lognormal(3, 4, 4000)]).astype(np.float32))
    found = shortest_between(values[:-1].astype(float), values[1:].astype(float))
    told = ~np.isnan(found)
    single = found[told].astype(np.float32)
    assert told.mean() > 0.99 and (values[:-1][told] < single).all() and (single < values[1:][told]).all()


def test_neighbours_without_a_number_between_get_no_cut():
    one = np.float32(1.0)
    assert np.isnan(shortest_between(np.array([one]), np.array([np.nextafter(one, np.float32(2))])))[0]


def test_cuts_make_bins_of_about_equal_size_and_a_constant_column_has_none():
    column = np.random.default_rng(1).lognormal(size=6400)
    borders = cuts(column, most=64)
    sizes = np.bincount(np.searchsorted(borders, column))
    assert len(borders) == 63 and sizes.min() > 80 and sizes.max() < 120
    assert len(cuts(np.full(50, 3.7))) == 0


def test_a_binned_column_is_split_alike_by_every_border():
    X = np.random.default_rng(2).normal(size=(300, 1))
    shown, borders = binned(X)[:, 0], cuts(X[:, 0]).astype(np.float32)
    assert len(np.unique(shown)) == len(borders) + 1
    for border in borders:
        assert np.array_equal(shown < border, X[:, 0].astype(np.float32) < border)


def test_thresholds_on_a_training_value_move_and_send_every_training_row_the_same_way():
    values = np.array([1.0, 2.0, 2.5, 7.0])
    X = values[:, None]
    thresholds, features = np.array([2.0, 2.5, 4.75, 7.0]), np.array([0, 0, 0, -2])
    moved = Nudge(X)(features, thresholds)
    assert moved[2:].tolist() == [4.75, 7.0]  # between two values already; a leaf
    assert not np.isin(moved[:2], values).any()
    assert [(values <= each).sum() for each in moved[:2]] == [2, 3]


def test_a_forest_on_crowded_values_would_hold_patients_values_without_the_nudge():
    from sklearn.ensemble import RandomForestClassifier

    step = np.spacing(np.float32(1000.0)).astype(float)
    X = 1000.0 + step * np.arange(0, 400, 3)[:, None]  # a midpoint often rounds onto a neighbour
    y = (np.arange(len(X)) % 7 < 3).astype(np.int64)
    cells = np.unique(X.astype(np.float32))

    def on_a_cell(model) -> int:
        found = np.concatenate([tree.tree_.threshold[tree.tree_.feature >= 0] for tree in model.estimators_])
        return int(np.isin(found.astype(np.float32), cells).sum())
    plain = RandomForestClassifier(40, min_samples_leaf=3, random_state=0).fit(X, y)
    ours = registry.get("forest").fit(table(X, y, "binary"), {"trees": 50, "kind": "random forest"}, seed=0)
    assert on_a_cell(plain) > 0 and on_a_cell(ours.model) == 0


def test_a_forests_leaf_of_a_number_never_holds_one_patients_value():
    random = np.random.default_rng(4)
    X, y = random.normal(size=(80, 3)), random.normal(size=80)
    for kind in ("extra trees", "random forest"):
        model = registry.get("forest").fit(table(X, y, "regression"), {"trees": 50, "kind": kind}, seed=0).model
        leaves = [tree.tree_.n_node_samples[tree.tree_.feature < 0] for tree in model.estimators_]
        assert min(each.min() for each in leaves) >= 3


def test_inner_folds_never_share_a_patient_and_spread_every_class():
    random = np.random.default_rng(5)
    patients = np.repeat(np.arange(60), random.integers(1, 5, 60))
    y = (patients % 4 == 0).astype(np.int64)
    pairs = _inner.folds(y, patients, "binary", seed=0)
    assert len(pairs) == 5 and sorted(np.concatenate([rest for _, rest in pairs])) == list(range(len(y)))
    for train, rest in pairs:
        assert not set(patients[train]) & set(patients[rest])
        assert abs(y[rest].sum() - y.sum() / 5) <= 4  # events, give or take one patient's rows


def test_a_class_of_one_patient_stays_in_every_training_part():
    y = np.array([0] * 20 + [1] * 20 + [2])
    for train, _ in _inner.folds(y, np.arange(41), "multiclass", seed=0):
        assert 2 in y[train]


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_logistic_regression_is_scikit_learns_at_the_penalty_that_it_chose(task):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(6)
    X = random.normal(size=(150, 4)) * [1, 10, 100, 1] + 5
    signal = X[:, 0] + random.normal(size=150)
    y = (signal > 5).astype(np.int64) if task == "binary" else np.digitize(signal, [4.4, 5.6]).astype(np.int64)
    family = registry.get("logistic")
    fitted = family.fit(table(X, y, task), {}, seed=0)
    Z = StandardScaler().fit_transform(X)
    reference = LogisticRegression(C=fitted.strength, tol=1e-8, max_iter=5000).fit(Z, y)
    assert np.allclose(family.predict(fitted, X), reference.predict_proba(Z), atol=1e-4)


def test_weights_in_the_span_of_the_rows_are_the_weights_of_all_columns():
    """Ridge in the turned space equals ridge in all columns (closed form)."""
    random = np.random.default_rng(0)
    Z, y = random.normal(size=(20, 50)), random.normal(size=20)
    rows, back = _wide.turned(Z)
    small = back @ np.linalg.solve(rows.T @ rows + 2 * np.eye(rows.shape[1]), rows.T @ y)
    assert np.allclose(small, np.linalg.solve(Z.T @ Z + 2 * np.eye(50), Z.T @ y))


@pytest.mark.parametrize(("n_rows", "n_columns"), [(60, 210), (300, 140)])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_many_weights_are_scikit_learns_newton_under_every_penalty(n_classes, n_rows, n_columns):
    """Whether columns outnumber rows or not; the reference finds its weights on the columns as they are, from zero."""
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(9)
    Z = random.normal(size=(n_rows, 30)) @ random.normal(size=(30, n_columns)) + random.normal(size=(n_rows, n_columns))
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    y = np.argmax(Z[:, :n_classes] + random.normal(size=(n_rows, n_classes)), axis=1)
    descent = _wide.Descent(Z, y, n_classes)
    for strength in (3e-6, 1e-3, 0.1, 3.0):
        weights, offset = descent.solve(strength)
        exact = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-10, max_iter=200).fit(Z, y)
        free = weights[:, 1:] if n_classes == 2 else weights
        assert np.allclose(free, exact.coef_.T, atol=1e-3 * np.abs(exact.coef_).max())
        scores = Z @ weights + offset
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        assert np.allclose(p, exact.predict_proba(Z), atol=1e-5)


def test_ridge_regression_is_scikit_learns_at_the_penalty_that_it_chose():
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(7)
    X = random.normal(size=(90, 5)) * [1, 10, 100, 1, 1]
    y = X[:, 0] * 3 + X[:, 1] + random.normal(size=90)
    family = registry.get("logistic")
    fitted = family.fit(table(X, y, "regression"), {}, seed=0)
    Z = StandardScaler().fit_transform(X)
    assert np.allclose(family.predict(fitted, X), Ridge(alpha=1 / fitted.strength).fit(Z, y).predict(Z), atol=1e-8)


def test_on_noise_the_strongest_penalty_wins():
    random = np.random.default_rng(8)
    data = table(random.normal(size=(120, 30)), random.integers(0, 2, 120), "binary")
    assert registry.get("logistic").fit(data, {}, seed=0).strength < 0.01


def test_a_vote_of_equals_is_their_mean_and_weights_sum_to_one():
    p = np.array([[0.2, 0.8], [0.6, 0.4]])
    q = np.array([[0.4, 0.6], [0.8, 0.2]])
    assert np.allclose(_stack.equal([p, q])([p, q]), (p + q) / 2)
    stack = _stack.fit([p, q], np.array([1, 0]))
    assert np.isclose(stack.weights.sum(), 1) and np.allclose(stack([p, q]).sum(axis=1), 1)


def members(n: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """A member that knows, one that guesses, and the truth."""
    random = np.random.default_rng(seed)
    truth = 1 / (1 + np.exp(-1.5 * random.normal(size=n)))
    y = (random.random(n) < truth).astype(np.int64)
    noise = random.uniform(0.1, 0.9, n)
    return [np.column_stack([1 - p, p]) for p in (truth, noise)], y


def test_with_many_rows_the_member_that_knows_gets_nearly_all_the_weight_and_with_few_not():
    knows, y = members(4000)
    assert _stack.fit(knows, y).weights[0] > 0.9
    assert 0.25 < _stack.fit([p[:12] for p in knows], y[:12]).weights[0] < 0.75


def test_an_overconfident_member_is_recalibrated_by_platts_line():
    (truth, _), y = members(6000, seed=2)
    logit = np.log(truth[:, 1] / truth[:, 0])
    sharp = 1 / (1 + np.exp(-(2 * logit + 1)))  # log-odds doubled and shifted
    stack = _stack.fit([np.column_stack([1 - sharp, sharp])], y)
    assert stack.slope == pytest.approx(0.5, abs=0.06)
    assert stack.offset[1] - stack.offset[0] == pytest.approx(-0.5, abs=0.12)


def test_a_member_that_exaggerates_a_number_is_taken_back_to_the_least_squares_line():
    random = np.random.default_rng(3)
    known = random.normal(50, 8, 3000)
    y, member = known + random.normal(0, 6, 3000), 50 + 1.4 * (known - 50) + 2
    stack = _stack.fit([member], y)
    slope, offset = np.polyfit(member, y, 1)
    assert stack.slope == pytest.approx(slope, abs=0.02) and stack.offset[0] == pytest.approx(offset, abs=1.0)


def test_one_more_voice_helps_where_it_knows_and_not_where_it_guesses():
    (knows, guesses), y = members(800)
    place = np.arange(800) % 5
    assert _stack.gain([guesses], knows, y, place) > 3
    assert _stack.gain([knows], guesses, y, place) < 1


def test_a_class_nobody_saw_keeps_probability_zero_through_the_vote():
    p = np.array([[0.7, 0.0, 0.3]])
    assert _stack.Stack(np.ones(1), 1.2, np.array([0.1, 5.0, 0.0]))([p])[0, 1] == 0


def test_labels_absent_from_training_come_back_as_zero_columns():
    labels = Labels(np.array([0, 2]), 4)
    assert labels.encode(np.array([2, 0, 2])).tolist() == [1, 0, 1]
    assert labels.spread(np.array([[0.25, 0.75]])).tolist() == [[0.25, 0.0, 0.75, 0.0]]


def test_the_vote_weighs_members_by_whole_patients_so_that_copies_do_not_flatter_the_forest():
    """Rows of a patient are copies and the outcome is chance: judged by rows a forest would look brilliant."""
    random = np.random.default_rng(9)
    one = random.normal(size=(40, 5))
    y = np.repeat(random.integers(0, 2, 40), 6)
    data = table(np.repeat(one, 6, axis=0), y, "binary", patients=np.repeat(np.arange(40), 6))
    family = registry.get("auto")
    honest = family.fit(data, {"trees": 100}, seed=0)
    fooled = family.fit(dataclasses.replace(data, patients=np.arange(240)), {"trees": 100}, seed=0)
    extra = list(honest.members).index("extra")
    assert honest.stack.weights[extra] < 0.6 < 0.7 < fooled.stack.weights[extra]
    assert honest.stack.slope < 1.2 < 1.6 < fooled.stack.slope


def test_weighed_classes_learn_the_rare_one_and_probabilities_stay_honest():
    random = np.random.default_rng(10)
    X = random.normal(size=(1200, 3))
    y = (random.random(1200) < 1 / (1 + np.exp(-(1.2 * X[:, 0] - 3)))).astype(np.int64)
    family = registry.get("mlp")
    fitted = family.fit(table(X, y, "binary"), {"epochs": 15, "class_weights": True}, seed=0)
    assert np.exp(fitted.scaling.correction[1]) > 4 * np.exp(fitted.scaling.correction[0])
    assert family.predict(fitted, X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.035)


def test_boosting_reads_plain_rows_as_it_read_the_binned_ones():
    import xgboost

    random = np.random.default_rng(11)
    X = random.normal(size=(200, 4))
    data = table(X, (X[:, 0] > 0).astype(np.int64), "binary")
    family = registry.get("boosting")
    fitted = family.fit(data, {}, seed=0)
    shown = fitted.booster.predict(xgboost.DMatrix(binned(X)))
    assert np.array_equal(family.predict(fitted, X)[:, 1].astype(np.float32), shown)
