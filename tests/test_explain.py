"""What each column adds: exact where it can be, adding up for every family, under the names of the table's columns."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from tables import clinic, planned, saved
from test_families import EVERY, fitted, table

from medml import data, families, gallery, home
from medml.explain import Explainer, _families, _permutation, _trees, contributions
from medml.explain.contributions import LEARNED, TYPICAL, Contributions, background_cases
from medml.explain.units import read_back, said_in
from medml.explain.words import answer
from medml.recipe import prepare_predictors
from medml.train import train

ROWS = 12


def asked(task: str, groups: np.ndarray | None = None, seed: int = 0) -> _families.Asked:
    """Six encoded columns of as many columns of the table, and 40 rows to stand for "not known"."""
    groups = np.arange(6) if groups is None else groups
    return _families.Asked(task, groups, table(task, n=40, seed=5).X, seed)


def shapley(worth, n: int) -> np.ndarray:
    """(n,) by the definition: the mean, over all orders, of what each player adds to those before it."""
    found = np.zeros(n)
    for player in range(n):
        others = [each for each in range(n) if each != player]
        for size in range(n):
            for some in combinations(others, size):
                weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                found[player] += weight * (worth({*some, player}) - worth(set(some)))
    return found


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_what_columns_add_sums_to_the_models_own_answer(name, task):
    model, X = fitted(name, task), table(task, seed=3).X[:ROWS]
    values, base = _families.explain(name, model, X, asked(task))
    own = said_in(_families.unit_of(name, task), families.registry.get(name).predict(model, X))
    assert values.shape == (ROWS, own.shape[1], 6)
    scale = max(1.0, np.abs(own).max())
    assert np.allclose(base + values.sum(axis=2), own, atol=2e-5 * scale)
    assert np.abs(values[:, :, 0]).mean() > np.abs(values[:, :, 1]).mean()  # column 0 tells the outcome, 1 does not


@pytest.mark.parametrize(("name", "task"), [each for each in EVERY if each[1] == "binary"])
def test_encoded_columns_are_summed_back_to_the_column_they_come_from(name, task):
    model, X = fitted(name, task), table(task, seed=3).X[:ROWS]
    groups = np.array([0, 1, 0, 2, 2, 1])
    values, base = _families.explain(name, model, X, asked(task, groups))
    own = said_in(_families.unit_of(name, task), families.registry.get(name).predict(model, X))
    assert values.shape == (ROWS, 1, 3)
    assert np.allclose(base + values.sum(axis=2), own, atol=1e-4)


def tree_worth(tree, row: np.ndarray):
    """The answer of a tree for a row of which some columns are known; by Lundberg et al. 2020, algorithm 1."""
    def worth(known: set[int], node: int = 0) -> float:
        if tree.children_left[node] < 0:
            return tree.value[node, 0, -1]
        left, right = tree.children_left[node], tree.children_right[node]
        if tree.feature[node] in known:
            goes = np.float32(row[tree.feature[node]]) <= tree.threshold[node]
            return worth(known, left if goes else right)
        share = tree.weighted_n_node_samples[left] / tree.weighted_n_node_samples[node]
        return share * worth(known, left) + (1 - share) * worth(known, right)
    return worth


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_forest_is_explained_as_the_definition_says(task):
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    made = table(task, n=60)
    kind = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier
    model = kind(3, min_samples_leaf=3, max_features=2, random_state=0).fit(made.X, made.y)
    X = table(task, seed=3).X[:2]
    found, base = _trees.values(model, X)
    worths = [[tree_worth(each.tree_, row) for each in model.estimators_] for row in X]
    expected = np.array([np.mean([shapley(worth, 6) for worth in each], axis=0) for each in worths])
    assert np.allclose(found[:, -1], expected, atol=1e-6 * max(1.0, np.abs(expected).max()))
    assert np.isclose(base[-1], np.mean([worth(set()) for worth in worths[0]]))


def test_a_deep_path_of_many_columns_still_adds_up():
    from sklearn.ensemble import ExtraTreesClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 40))
    model = ExtraTreesClassifier(5, max_features=1, random_state=0).fit(X, rng.integers(0, 3, 400))
    values, base = _trees.values(model, X[:300])
    assert np.allclose(base + values.sum(axis=2), model.predict_proba(X[:300]), atol=1e-5)


def test_permutation_is_exact_where_columns_add_up_and_for_a_pair():
    rng = np.random.default_rng(1)
    X, background = rng.normal(size=(5, 3)), np.repeat(rng.normal(size=(4, 3)), 2, axis=0)  # each there and back
    weights = np.array([2.0, -1.0, 0.5])
    values, base = _permutation.values(lambda rows: (rows @ weights)[:, None], X, background, np.arange(3))
    assert np.allclose(values[:, 0], weights * (X - background.mean(axis=0)))
    assert np.allclose(base, (background @ weights).mean())
    product = lambda rows: np.prod(rows[:, :2], axis=1)[:, None]  # noqa: E731
    pair, _ = _permutation.values(product, X[:, :2], background[:, :2], np.arange(2))
    worths = [[lambda known, row=row, other=other: np.prod([(row if each in known else other)[each] for each in (0, 1)])
               for other in background[:, :2]] for row in X[:, :2]]
    assert np.allclose(pair[:, 0], [np.mean([shapley(each, 2) for each in row], axis=0) for row in worths])


def test_permutation_of_many_rows_in_small_batches_says_the_same(monkeypatch):
    rng = np.random.default_rng(2)
    X, background = rng.normal(size=(9, 4)), rng.normal(size=(6, 4))
    ask = lambda rows: np.stack([np.tanh(rows.sum(axis=1)), rows[:, 0] * rows[:, 1]], axis=1)  # noqa: E731
    whole, _ = _permutation.values(ask, X, background, np.array([0, 1, 1, 2]))
    monkeypatch.setattr(_permutation, "AT_ONCE", 1)
    shares: list[float] = []
    one_by_one, _ = _permutation.values(ask, X, background, np.array([0, 1, 1, 2]), watch=shares.append)
    assert np.allclose(whole, one_by_one) and shares == sorted(shares) and len(shares) == 9


def test_a_regression_is_weight_times_distance_from_the_mean():
    model, X = fitted("logistic", "regression"), table("regression", seed=3).X[:ROWS]
    values, base = _families.explain("logistic", model, X, asked("regression"))
    assert np.allclose(values[:, 0], (X - model.mean) / model.scale * model.weights[:, 0])
    assert np.allclose(base, model.offset)


def test_a_vote_of_numbers_is_the_weighted_sum_of_its_members():
    vote, X = fitted("auto", "regression"), table("regression", seed=3).X[:ROWS]
    values, _ = _families.explain("auto", vote, X, asked("regression"))
    members = [_families.explain(_families.FAMILY_OF[seat], member, X, asked("regression"))[0]
               for seat, member in vote.members.items()]
    weighted = sum(weight * each for weight, each in zip(vote.stack.weights, members, strict=True))
    assert np.allclose(values, vote.stack.slope * weighted)


def test_a_vote_of_classes_says_nearly_what_asking_it_as_a_whole_says():
    vote, X = fitted("auto", "binary"), table("binary", seed=3).X
    values, _ = _families.explain("auto", vote, X, asked("binary"))
    whole, _ = _families._any_model("auto", vote, X, asked("binary"))
    assert np.corrcoef(values.ravel(), whole.ravel())[0, 1] > 0.95


def test_a_sum_whose_probability_is_rounded_to_1_is_kept_and_a_wrong_one_is_not():
    """Log-odds of 40 and -40: 1 - p is 4e-18, and in float32 p is 1; log(p / (1 - p)) cannot be read back."""
    total = np.array([[40.0], [-40.0], [1.0], [40.0]])
    yes = np.array([1.0, 0.0, 1 / (1 + np.exp(-1.0)), 0.0]).astype(np.float32).astype(float)
    found = read_back("log-odds", np.column_stack([1 - yes, yes]), total)
    assert found[:3, 0] == pytest.approx([40.0, -40.0, 1.0], abs=1e-6) and found[3, 0] < -20
    several = np.array([[30.0, -10.0, -20.0]])
    assert read_back("log-ratio", np.array([[1.0, 4e-18, 2e-22]]), several) == pytest.approx(several)


@pytest.mark.parametrize("name", ["forest", "boosting"])
def test_an_answer_is_said_as_the_models_own_probability(name):
    model, X = fitted(name, "multiclass"), table("multiclass", seed=3).X[:4]
    values, base = _families.explain(name, model, X, asked("multiclass"))
    p = families.registry.get(name).predict(model, X)
    unit = _families.unit_of(name, "multiclass")
    found = Contributions(list("abcdef"), values, base, said_in(unit, p), ["none", "some", "much"], unit, "nobody")
    for at, output in ((0, 0), (1, 2)):
        assert f"“{found.outputs[output]}”: {100 * p[at, output]:.0f} %;" in answer(found, at, output)


# ---- a run ------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(source, {family: run}) of small runs, in a home of their own."""
    folder = tmp_path_factory.mktemp("explained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(clinic(200), folder / "data")
        runs = {name: train(source, *planned(source, family=name, params=params))
                for name, params in (("logistic", {}), ("mlp", {"epochs": 20}))}
        return source, runs, folder / "home"


@pytest.fixture
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[2]))
    return made


def rows_of(opened: gallery.Run, source):
    """The patients of the file, as a model reads them."""
    choice = opened.config.choice
    frame = data.open_table(source, choice.table).frame()
    return prepare_predictors(frame, opened.recipe, opened.profile.table(choice.table), choice)


@pytest.mark.parametrize(("family", "against"), [("logistic", LEARNED), ("mlp", "100 patients of the table")])
def test_a_runs_reasons_carry_the_names_of_the_tables_columns(at_home, family, against):
    source, runs, _ = at_home
    opened = gallery.open_run(runs[family])
    X = rows_of(opened, source)
    assert X["pressure"].isna().any()  # so that a mark "missing" is among the encoded columns
    found = contributions(runs[family], X, rows=range(20), source=source)
    assert found.columns == ["age", "pressure", "sex", "ward"] and found.outputs == ["1"]
    assert found.unit == "log-odds" and found.against == against
    assert found.values.shape == (20, 1, 4) and found.gap() < 1e-4


def test_a_typical_patient_stands_for_not_known_where_the_folder_is_gone(at_home, tmp_path):
    source, runs, _ = at_home
    opened = gallery.open_run(runs["mlp"])
    X = rows_of(opened, source)
    for place in (None, tmp_path / "gone.csv"):
        found = contributions(opened, X, rows=[0, 1], source=place)
        assert found.against == TYPICAL and found.gap() < 1e-4


def test_explaining_writes_nothing(at_home):
    source, runs, folder = at_home
    opened = gallery.open_run(runs["mlp"])
    before = {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    contributions(opened, rows_of(opened, source), rows=[0], source=source)
    assert {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before


def test_one_explainer_serves_many_patients(at_home):
    source, runs, _ = at_home
    opened = gallery.open_run(runs["mlp"])
    X = rows_of(opened, source)
    explain = Explainer.of(opened, background_cases(opened, source))
    both, first = explain(X.iloc[:2]), explain(X.iloc[:1])
    assert np.allclose(both.values[:1], first.values, atol=1e-5) and home.home() == at_home[2]


def test_bars_that_raise_a_class_whose_probability_falls_are_explained():
    """Of three classes the first gains 1.5 against their mean and the second 4: 26 % becomes 3 %."""
    base = np.array([0.0, 0.9, -0.9])
    answers = base + np.array([1.5, 4.0, -5.5])
    found = Contributions(["ca125"], (answers - base)[None, :, None], base, answers[None], ["I-II", "III-IV", "benign"],
                          "log-ratio", "")
    assert answer(found, 0, 0) == ("Probability of “I-II”: 3 %; for an average patient 26 %. The bars raise it against "
                                   "the mean of all classes; “III-IV” is raised further, to 97 %")
    assert answer(found, 0, 1).endswith("for an average patient 64 %") and "bars" not in answer(found, 0, 2)
