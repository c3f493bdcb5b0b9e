"""Selection: PyImpetus made safe, a forest behind it, the clinician's lists, and no leak (L8)."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pandas as pd
import pytest

from medml import split
from medml.cases import Cases
from medml.encode import Encoder
from medml.select import select
from medml.select.budget import Budget
from medml.select.candidates import MOST_COLUMNS, MOST_ROWS, candidates, strongest
from medml.types import SelectionPlan, SplitPlan
from medml.watch import Silent


class Stopping(Silent):
    """A Watch that asks to stop at the n-th question."""

    def __init__(self, at: int) -> None:
        self.at, self.asked = at, 0

    def stopping(self) -> bool:
        self.asked += 1
        return self.asked >= self.at


def noise(n: int, p: int, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, p)), columns=[f"n{i}" for i in range(p)])


def ask(X, y, task="binary", *, kinds=None, watch=None, origin_of=str, seed=0, **plan):
    kinds = kinds or dict.fromkeys(X.columns, "number")
    return select(X, np.asarray(y), plan=SelectionPlan(**{"on": True, "simulations": 10, **plan}), kinds=kinds,
                  task=task, seed=seed, watch=watch or Silent(), origin_of=origin_of)


@pytest.fixture(scope="module")
def signal():
    X = noise(300, 8)
    rng = np.random.default_rng(1)
    return X, (X["n2"] - X["n5"] + 0.7 * rng.normal(size=300) > 0).astype(int).to_numpy()


def test_true_predictors_are_found_and_scored(signal):
    X, y = signal
    found = ask(X, y)
    assert {"n2", "n5"} <= set(found.columns) <= set(X.columns) and len(found.columns) <= 5
    assert found.method_used == "pyimpetus" and found.note == "" and found.n_fitted == 300
    assert set(found.scores) == set(found.columns) and min(found.scores.values()) > -np.log(0.05)


def test_one_true_predictor_is_not_lost():
    """PyImpetus 4.1.2 answers [] here: its shrinking stage gives the last one left no score."""
    X = noise(300, 6)
    y = (X["n3"] > 0).astype(int)
    found = ask(X, y)
    assert found.columns == ["n3"] and found.method_used == "pyimpetus"


def test_a_number_and_several_classes_can_be_asked_for(signal):
    X, _ = signal
    assert {"n2", "n5"} <= set(ask(X, 3 * X["n2"] - 2 * X["n5"], "regression").columns)
    assert "n1" in ask(X, np.digitize(X["n1"], [-0.5, 0.5]), "multiclass").columns


@pytest.mark.parametrize("method", ["pyimpetus", "forest"])
def test_an_empty_answer_means_all(method):
    X = noise(200, 5) * 0 + 3.0  # columns that say nothing at all
    found = ask(X, np.tile([0, 1], 100), method=method)
    assert found.columns == list(X.columns) and found.scores == {} and found.method_used == "all"
    assert found.note == "No subset was better than all predictors."


def test_the_lists_are_applied_whatever_the_scores_say(signal):
    X, y = signal
    found = ask(X, y, forced_in=["n0", "n7"], forced_out=["n2"])
    assert {"n0", "n7"} <= set(found.columns) and "n2" not in found.columns and "n2" not in found.scores
    assert found.columns == [name for name in X.columns if name in set(found.columns)]
    both = ask(X, y, forced_in=["n2"], forced_out=["n2"])
    assert "n2" not in both.columns
    off = ask(X, y, on=False, forced_out=["n1"])
    assert off.method_used == "lists" and off.columns == [name for name in X.columns if name != "n1"]


def test_numpys_global_generator_is_left_as_it_was_and_nothing_is_printed(signal):
    X, y = signal
    np.random.seed(7)  # noqa: NPY002 - the global generator is what is tested
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    said, cried = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(cried):
        ask(X, y, simulations=6)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert said.getvalue() == cried.getvalue() == ""


def test_the_same_seed_gives_the_same_answer(signal):
    X, y = signal
    first, again = ask(X, y, seed=5), ask(X, y, seed=5)
    assert (first.columns, first.scores) == (again.columns, again.scores)


def test_rows_are_neither_changed_nor_reordered(signal):
    X, y = signal
    before, outcome = X.copy(deep=True), y.copy()
    ask(X, y, method="forest")
    pd.testing.assert_frame_equal(X, before)
    assert np.array_equal(y, outcome)


def test_the_time_limit_hands_over_to_a_forest_and_says_so(signal):
    X, y = signal
    found = ask(X, y, seconds_a_fold=1e-3)
    assert found.note == "A random forest chose, because PyImpetus did not finish within its share of 0.001 seconds."
    assert found.columns  # nothing could be judged in that time, so nothing was thrown out
    assert found.columns == list(X.columns)


def test_a_stop_ends_it_within_one_small_fit_and_keeps_all(signal):
    X, y = signal
    watch = Stopping(at=5)
    found = ask(X, y, watch=watch, seconds_a_fold=600)
    assert found.columns == list(X.columns) and found.method_used == "all" and watch.asked <= 8
    assert found.note == "Stopped before the selection was done; all predictors are kept."


def test_a_rare_class_goes_to_the_forest(signal):
    X, _ = signal
    y = np.r_[np.ones(9, dtype=int), np.zeros(291, dtype=int)]
    found = ask(X, y)
    assert found.method_used in ("forest", "all") and found.note.startswith("A random forest chose, because a class")


def test_a_library_that_is_missing_hands_over_to_the_forest_and_is_named(signal, monkeypatch):
    """PyImpetus imports seaborn and tqdm without declaring either."""
    import sys

    monkeypatch.delitem(sys.modules, "PyImpetus", raising=False)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    found = ask(*signal)
    assert found.method_used == "forest"
    assert found.note == "A random forest chose, because PyImpetus is not installed with all it needs (tqdm)."


def test_four_simulations_are_raised_to_six_since_four_can_show_nothing(signal):
    """A one-sided signed-rank test of n pairs has p >= 2**-n: 1/16 for 4, 1/64 for 6."""
    X, y = signal
    assert ask(X, y, simulations=2).method_used == "pyimpetus"


def test_the_forest_finds_what_matters(signal):
    X, y = signal
    found = ask(X, y, method="forest")
    assert {"n2", "n5"} <= set(found.columns) and found.method_used == "forest" and min(found.scores.values()) > 2


def test_categories_and_marks_of_missing_values_count_for_their_column():
    rng = np.random.default_rng(0)
    X = noise(300, 3).assign(site=pd.Series(rng.choice(["a", "b", "c"], 300), dtype=object))
    X["lab"], X["lab (missing)"] = rng.normal(size=300), rng.integers(0, 2, 300).astype(float)
    y = ((X["site"] == "b") ^ (rng.random(300) < 0.1)).astype(int)
    kinds = {**dict.fromkeys(["n0", "n1", "n2", "lab"], "number"), "site": "category"}
    origin_of = {"lab (missing)": "lab"}
    found = ask(X, y, kinds=kinds, origin_of=lambda name: origin_of.get(name, name))
    assert "site" in found.columns
    marked = ask(X, X["lab (missing)"].astype(int), kinds=kinds, origin_of=lambda name: origin_of.get(name, name))
    assert marked.columns == ["lab"] and list(marked.scores) == ["lab"]


def test_many_columns_and_rows_are_cut_down_before_pyimpetus_sees_them():
    X = noise(MOST_ROWS + 500, MOST_COLUMNS + 20)
    y = (X["n110"] > 1).astype(int).to_numpy()
    found = candidates(X, y, dict.fromkeys(X.columns, "number"), str, None, "binary", 0)
    assert abs(len(found.y) - MOST_ROWS) <= 2 and abs(found.y.mean() - y.mean()) < 0.001
    kept = strongest(found, 0)
    assert kept.X.shape[1] == MOST_COLUMNS and "n110" in kept.origins
    assert kept.X.shape[0] == len(kept.y) == len(kept.patients)


def test_a_single_column_is_not_asked_about():
    X = noise(50, 1)
    assert ask(X, np.tile([0, 1], 25)).columns == ["n0"]


def out_of_fold_auroc(X, y, choose) -> float:
    """AUROC of logistic regression over 3 folds, on the columns that `choose` names for a fold's training rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    kinds = dict.fromkeys(X.columns, "number")
    cases = Cases(X=X, y=y, patients=np.arange(len(y)), rows=np.arange(len(y)), kinds=kinds, task="binary",
                  classes=["0", "1"])
    p = np.empty(len(y))
    for fold in split.make_folds(cases, SplitPlan(by="row", scheme="cross_validation", folds=3), 0):
        columns = choose(fold)
        encoder = Encoder().fit(X.iloc[fold.train][columns], kinds)
        model = LogisticRegression().fit(encoder.transform(X.iloc[fold.train][columns]), y[fold.train])
        p[fold.test] = model.predict_proba(encoder.transform(X.iloc[fold.test][columns]))[:, 1]
    return roc_auc_score(y, p)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["pyimpetus", "forest"])
def test_200_noise_columns_with_selection_inside_the_folds_do_not_leak(method):
    """Outcome and columns are independent. Selection on all rows first lifts the AUROC far above 0.5 (Ambroise and
    McLachlan, PNAS 2002); inside the folds it stays within two standard errors of 0.5."""
    n = 140
    X, y = noise(n, 200, seed=11), np.random.default_rng(12).permutation(np.tile([0, 1], n // 2))
    kept = []

    def inside(fold):
        found = ask(X.iloc[fold.train], y[fold.train], method=method, simulations=3, seed=fold.number)
        assert found.n_fitted == len(fold.train)
        kept.append(len(found.columns))
        return found.columns

    error = np.sqrt((n + 1) / (12 * (n // 2) ** 2))  # of an AUROC of 0.5 (Mann and Whitney 1947)
    assert abs(out_of_fold_auroc(X, y, inside) - 0.5) < 2 * error and len(kept) == 3
    strongest_of_all = np.argsort(-np.abs(np.corrcoef(X.to_numpy().T, y)[-1, :-1]))[:10]
    assert out_of_fold_auroc(X, y, lambda fold: [f"n{at}" for at in strongest_of_all]) > 0.5 + 4 * error


def test_a_budget_is_over_by_time_or_by_a_stop():
    assert Budget(0.0, Silent()).over() and not Budget(60.0, Silent()).over()
    assert Budget(60.0, Stopping(at=1)).over()
