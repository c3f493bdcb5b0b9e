"""A score of whole points: learned from the rows it is given, judged on others, borders that are nobody's value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from explained import runs, ward_table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from tables import planned, saved

from medml import gallery
from medml.errors import UserError
from medml.explain import bedside, found, points, words
from medml.explain.bins import MISSING
from medml.train import train
from medml.types import Metric


def patients(n: int = 600, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, dict]:
    """Risk by age and sex; lactate tells nothing; a few wards of two patients."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"age": rng.normal(60, 12, n), "lactate": rng.gamma(2.0, 1.0, n),
                      "sex": rng.choice(["female", "male"], n).astype(object),
                      "ward": np.array(["north", "south"] * (n // 2), dtype=object)})
    X.loc[:1, "ward"] = "attic"
    risk = 1 / (1 + np.exp(-(0.12 * (X["age"] - 60) + 1.5 * (X["sex"] == "male") - 0.75)))
    X.loc[rng.random(n) < 0.1, "age"] = np.nan
    return X, (rng.random(n) < risk).astype(np.int64), {"age": "number", "lactate": "number", "sex": "category",
                                                        "ward": "category"}


@pytest.fixture(scope="module")
def learned():
    X, y, kinds = patients()
    return points.learn(X, y, kinds, np.arange(len(y)), most=2), X, y


def test_the_predictors_that_tell_are_taken_and_rise_as_the_risk_does(learned):
    score, X, y = learned
    assert [cut.column for cut in score.cuts] == ["age", "sex"]
    age, sex = score.points
    known = list(age[:-1])
    assert score.cuts[0].labels()[-1] == MISSING and known == sorted(known) and known[0] < known[-1]
    assert sex[score.cuts[1].labels().index("male")] > sex[score.cuts[1].labels().index("female")] == 0
    assert all(each.min() == 0 and each.dtype == np.int64 for each in score.points)
    assert roc_auc_score(y, score.total(X)) > 0.8 and max(each.max() for each in score.points) <= 10


def test_the_sum_of_the_steps_is_the_total_and_its_risk_is_calibrated(learned):
    score, X, y = learned
    row = pd.DataFrame({"age": [95.0], "lactate": [1.0], "sex": ["male"], "ward": ["north"]})
    assert score.total(row)[0] == max(score.points[0][:-1]) + max(score.points[1])
    assert score.risk(score.total(X)).mean() == pytest.approx(y.mean(), abs=1e-4)
    risks = score.risk(np.arange(score.largest + 1))
    assert (np.diff(risks) > 0).all()


def test_borders_have_two_digits_and_rare_or_unknown_categories_get_the_usual_steps_points(learned):
    score, X, _ = learned
    for cut in score.cuts:
        assert all(each == float(f"{each:.1e}") for each in cut.edges)
    ward = points._cut(X["ward"], "category", np.arange(len(X)))
    assert len(ward.levels) == 1 and ward.labels()[1:] == ["any other"]  # two in the attic, and what would reveal them
    sex = score.cuts[1]
    odd = sex.place(pd.Series(["unheard of", None], dtype=object))
    assert (odd == sex.usual).all()


def test_few_patients_with_many_rows_give_no_border():
    assert points._edges(np.arange(200.0), np.repeat(np.arange(10), 20)) == ()


def test_a_column_that_tells_nothing_gives_a_score_that_says_the_share_of_cases():
    X = pd.DataFrame({"ward": np.array(["a"] * 50, dtype=object)})
    y = np.array([1] * 20 + [0] * 30)
    score = points.learn(X, y, {"ward": "category"}, np.arange(50))
    assert score.cuts == () and score.largest == 0 and score.risk(score.total(X)) == pytest.approx(0.4)


def test_risks_learned_from_few_patients_hold_on_others():
    """Calibration slope on 2,000 new patients, mean of 4 tables of 120: 1 is right, without shrinkage it is lower."""
    X_new, y_new, _ = patients(2000, seed=90)
    slopes = {"bare": [], "learned": []}
    for seed in range(1, 5):
        X, y, kinds = patients(120, seed)
        y = np.asarray(y)
        bare = points._of(X, y, points._ranked(X, y, kinds, np.arange(120)), 4)
        for name, score in (("bare", bare), ("learned", points.learn(X, y, kinds, np.arange(120), most=4))):
            line = score.offset + score.slope * score.total(X_new).astype(float)
            slopes[name].append(LogisticRegression(C=1e6).fit(line[:, None], y_new).coef_[0, 0])
            assert score.risk(score.total(X)).mean() == pytest.approx(y.mean(), abs=1e-3)
    assert np.mean(slopes["bare"]) < 0.85 < np.mean(slopes["learned"]) < 1.25


def test_no_border_parts_the_oldest():
    values = np.linspace(60, 110, 500)
    assert max(points._edges(values, np.arange(500), "age")) < 90 < max(points._edges(values, np.arange(500), "weight"))


# ---- beside a run -----------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    source, by_family, home = runs(tmp_path_factory.mktemp("score"), logistic={})
    table = ward_table().assign(stage=lambda each: np.digitize(each["age"], [52, 66]).astype(str))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(home))
        graded = saved(table.drop(columns="outcome"), home / "graded")
        left_out = {"stage": ["age", "patient_id"], "lactate": ["patient_id"]}
        by_family |= {name: train(graded, *planned(graded, target=name, leave_out=names))
                      for name, names in left_out.items()}
    return source, by_family, home


@pytest.fixture
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[2]))
    return made


def test_a_score_is_judged_out_of_fold_beside_its_run(at_home):
    source, by_family, _ = at_home
    run = by_family["logistic"]
    value = bedside.bedside(run, source, most=3)
    opened = gallery.open_run(run)
    assert {"age", "pressure"} <= {rule.column for rule in value.rules} and len(value.rules) <= 3
    assert value.model["auroc"].value == pytest.approx(opened.report.metrics["auroc"].value, abs=1e-9)
    difference = value.difference["auroc"]
    assert difference.value == pytest.approx(value.figures["auroc"].value - value.model["auroc"].value)
    assert difference.low < difference.value < difference.high
    assert {"slope", "intercept", "ici"} <= set(value.figures) and value.risks[0].points == 0
    assert found.read(opened, found.BedsideScore) == value


def test_of_several_classes_one_is_picked_and_a_number_says_what_to_do(at_home):
    _, by_family, home = at_home
    with pytest.raises(UserError, match="several classes") as refused:
        bedside.bedside(by_family["stage"])
    assert "“0”, “1”, “2”" in refused.value.fix
    value = bedside.bedside(by_family["stage"], most=3, of="2")
    opened = gallery.open_run(by_family["stage"])
    with np.load(opened.sealed("private/oof.npz"), allow_pickle=False) as stored:
        p = stored["p"][0, :, 2]
    y = np.digitize(ward_table()["age"], [52, 66]) == 2
    assert value.of == "2" and value.event == "“stage” is 2" and value.rules
    assert value.model["auroc"].value == pytest.approx(roc_auc_score(y, p), abs=0.03)  # ranked within the folds
    assert found.read(opened, found.BedsideScore) == value
    with pytest.raises(UserError, match="this one is a number") as refused:
        bedside.bedside(by_family["lactate"])
    assert "add a column" in refused.value.fix.lower()
    with pytest.raises(UserError, match="two classes"):
        bedside.bedside(by_family["logistic"], of="1")


def test_every_fold_learns_its_score_from_its_own_training_rows(at_home, monkeypatch):
    source, by_family, _ = at_home
    seen = []

    def listening(X, y, kinds, patients, *, most):
        seen.append(len(y))
        return points.learn(X, y, kinds, patients, most=most)
    monkeypatch.setattr(bedside, "learn", listening)
    bedside.bedside(by_family["logistic"], source)
    assert sorted(seen) == [160, 160, 160, 240]  # three folds and, for the shown one, everybody


def test_so_many_predictors_are_refused(at_home):
    with pytest.raises(UserError, match="2 to 10 predictors"):
        bedside.bedside(at_home[1]["logistic"], at_home[0], most=30)


def test_a_day_of_the_calendar_gets_no_points():
    X, y, kinds = patients()
    X["admitted"] = 18_000.0 + 200 * y + np.arange(len(y)) / 10
    score = points.learn(X, y, kinds | {"admitted": "date"}, np.arange(len(y)), most=3)
    assert "admitted" not in {cut.column for cut in score.cuts} and len(score.cuts) >= 2


@pytest.mark.parametrize(("low", "value", "high", "said"), [
    (-0.092, -0.056, -0.02, "ranks patients worse than the model: its AUROC is 0.056 lower (0.020 to 0.092)."),
    (0.01, 0.03, 0.05, "ranks patients better than the model: its AUROC is 0.030 higher (0.010 to 0.050)."),
    (-0.03, -0.01, 0.01, "can be told: its AUROC differs by -0.010 (-0.030 to +0.010).")])
def test_what_a_score_costs_is_said_with_a_sign_only_where_it_may_go_either_way(low, value, high, said):
    change = Metric(value=value, low=low, high=high, n=300)
    assert words.of_score(found.BedsideScore.model_construct(difference={"auroc": change}, figures={})).endswith(said)
