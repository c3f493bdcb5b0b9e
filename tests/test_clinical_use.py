"""Net benefit, thresholds by rule, probabilities put right, subgroups and the score in use, against closed forms."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace as It

import numpy as np
import pandas as pd
import polars as pl
import pytest
from made_up import baselines, dealt, made_cases, made_context, predicted, probabilities

from medml.cases import Predictions
from medml.errors import UserError
from medml.evaluate import evaluate, formula, recalibrate, score_in_use, subgroups
from medml.evaluate.calibration import plan_curve, plan_ici
from medml.evaluate.hundred import of_hundred
from medml.evaluate.intervals import once, wilson
from medml.evaluate.scored import score
from medml.evaluate.thresholds import LATTICE, for_sensitivity, least_harm, on_grid
from medml.evaluate.utility import STEPS, compared_range, plan_benefit
from medml.recipe.reading import predictors_frame
from medml.types import GridPoint, Metric, SplitPlan, Table, TrainConfig, UsePlan


def sampled(y: np.ndarray, p: np.ndarray):
    told = Predictions(y, probabilities(p)[None], np.arange(len(y)), "binary", ["no", "yes"], np.empty(0))
    return score(told)


# ---- net benefit -----------------------------------------------------------------------------------------------

def test_net_benefit_is_that_of_the_formula_at_every_threshold():
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.3).astype(int)
    p = np.round(np.clip(0.3 * y + rng.random(200) * 0.6, 0, 1), 3)
    found = once(plan_benefit(sampled(y, p).samples[0], 0.1, 0.4), 200)
    for at, t in enumerate(STEPS):
        tp, fp = int(((p >= t) & (y == 1)).sum()), int(((p >= t) & (y == 0)).sum())
        assert found["model"][at, 0] == pytest.approx(tp / 200 - fp / 200 * t / (1 - t))
        assert found["everybody"][at, 0] == pytest.approx(y.mean() - (1 - y.mean()) * t / (1 - t))
    inside = (STEPS >= 0.1) & (STEPS <= 0.4)
    better = found["model"][inside, 0] - np.maximum(found["everybody"][inside, 0], 0)
    assert found["gain"][0] == pytest.approx(better.mean())


def test_the_range_lies_around_the_share_unless_it_was_stated():
    assert compared_range(UsePlan(), 0.2)[:2] == (0.1, 0.4)
    low, high, why = compared_range(UsePlan(low=0.05, high=0.15), 0.2)
    assert (low, high) == (0.05, 0.15) and "stated before training" in why
    assert compared_range(UsePlan(), 0.9)[:2] == (0.45, 0.99)


@pytest.mark.parametrize(("plan", "share", "said"), [
    (UsePlan(), 0.2, "from half the share of cases with the outcome to twice that share"),
    (UsePlan(), 0.9, "from half the share of cases with the outcome to the highest threshold that is compared"),
    (UsePlan(), 0.015, "from the lowest threshold that is compared to twice the share of cases with the outcome"),
    (UsePlan(), 0.003, "from the lowest threshold that is compared to just above it"),
    (UsePlan(low=0.1), 0.2, "from what was stated before training to twice the share of cases with the outcome"),
    (UsePlan(high=0.3), 0.2, "from half the share of cases with the outcome to what was stated before training")])
def test_the_range_is_said_to_end_where_it_does(plan, share, said):
    """Twice nine in ten is no risk, and half of three in a thousand is no threshold of the grid."""
    assert compared_range(plan, share)[2] == said


# ---- thresholds ------------------------------------------------------------------------------------------------

def test_the_highest_threshold_that_still_finds_the_wanted_share():
    rng = np.random.default_rng(1)
    y = (rng.random(500) < 0.4).astype(int)
    p = np.clip(0.2 * y + rng.random(500) * 0.8, 0, 1)
    for wanted in (0.5, 0.8, 0.95, 1.0):
        found = for_sensitivity(y, p, wanted)
        above = LATTICE[np.searchsorted(LATTICE, found) + 1]
        assert (p[y == 1] >= found).mean() >= wanted > (p[y == 1] >= above).mean()
    assert for_sensitivity(np.zeros(9), np.linspace(0, 1, 9), 0.9) == 0.5


def test_the_least_harm_is_the_least_of_all_thresholds():
    rng = np.random.default_rng(2)
    y = (rng.random(400) < 0.3).astype(int)
    p = np.clip(0.3 * y + rng.random(400) * 0.7, 0, 1)

    def harm(t: float, cost: float) -> float:
        return cost * ((p < t) & (y == 1)).sum() + ((p >= t) & (y == 0)).sum()
    for cost in (0.5, 1, 5, 20):
        assert harm(least_harm(y, p, cost), cost) == min(harm(t, cost) for t in LATTICE)
    assert least_harm(y, p, 20) < least_harm(y, p, 1) <= least_harm(y, p, 0.2)


def test_the_rule_on_a_screen_takes_the_same_points():
    told = Metric(value=0.5, low=0.4, high=0.6, n=100)
    points = [GridPoint(threshold=t, tp=tp, fp=fp, fn=20 - tp, tn=80 - fp, sensitivity=told, specificity=told)
              for t, tp, fp in ((0.0, 20, 80), (0.3, 19, 40), (0.5, 14, 8), (0.9, 2, 0))]
    assert on_grid(points, UsePlan(rule="sensitivity", sensitivity=0.95)).threshold == 0.3
    assert on_grid(points, UsePlan(rule="cost", cost=10)).threshold == 0.3
    assert on_grid(points, UsePlan(rule="cost", cost=1)).threshold == 0.5
    assert on_grid(points, UsePlan()).threshold == 0.5
    found = of_hundred(points[2])
    assert (found.found, found.missed, found.alarmed, found.spared) == (14, 6, 8, 72)


def test_a_hundred_patients_are_a_hundred_however_they_are_rounded():
    told = Metric(value=0.5, low=0.4, high=0.6, n=7)
    for tp, fp, fn, tn in ((1, 1, 1, 4), (3, 2, 2, 0), (0, 0, 1, 2)):
        found = of_hundred(GridPoint(threshold=0.5, tp=tp, fp=fp, fn=fn, tn=tn, sensitivity=told, specificity=told))
        assert found.found + found.missed + found.alarmed + found.spared == 100


# ---- calibration -----------------------------------------------------------------------------------------------

def test_ici_is_the_mean_distance_of_each_case_from_the_smooth_curve():
    """Austin and Steyerberg 2019: read off the curve at every case's own probability (cells of 1/400 apart)."""
    rng = np.random.default_rng(0)
    p = rng.beta(2, 3, 800)
    y = (rng.random(800) < p**1.5).astype(int)
    sample = sampled(y, p).samples[0]
    grid = np.linspace(p.min(), p.max(), 101)
    curve = once(plan_curve(sample, grid), 800)["observed"][:, 0]
    assert once(plan_ici(sample), 800)["ici"][0] == pytest.approx(np.abs(np.interp(p, grid, curve) - p).mean(),
                                                                  abs=0.002)


def test_ici_is_small_where_probabilities_are_right_and_what_was_put_in_where_not():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.1, 0.7, 20_000)
    honest = once(plan_ici(sampled((rng.random(20_000) < p).astype(int), p).samples[0]), 20_000)["ici"][0]
    shifted = once(plan_ici(sampled((rng.random(20_000) < p + 0.2).astype(int), p).samples[0]), 20_000)["ici"][0]
    assert honest < 0.015 and shifted == pytest.approx(0.2, abs=0.01)


def stretched(n: int, slope: float, seed: int = 0):
    """Outcomes whose log odds are `slope` times those of the predictions, in 5 folds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-0.5, 1.0, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-slope * x))).astype(np.int64)
    told = Predictions(y, probabilities(1 / (1 + np.exp(-x)))[None], np.arange(n), "binary", ["no", "yes"], np.empty(0))
    return score(told, dealt(np.arange(n)))


def test_probabilities_that_are_too_extreme_are_put_right_on_rows_that_had_no_part_in_it():
    from medml.evaluate.figures import figures_of

    scored = stretched(2000, 0.5)
    found = recalibrate.recalibration_of(scored, figures_of(scored, seed=0, draws=100), seed=0, draws=100)
    assert found.method == "platt" and sum(found.chosen.values()) == 5
    assert found.before["slope"].value == pytest.approx(0.5, abs=0.1)
    assert found.after["slope"].value == pytest.approx(1.0, abs=0.15)
    assert found.after["ici"].value < found.before["ici"].value / 2
    assert found.after["log_loss"].value < found.before["log_loss"].value
    steps = np.array(found.steps.y)
    assert np.all(np.diff(steps) > 0) and steps[50] == pytest.approx(0.5, abs=0.05)  # 0.5 stays, extremes move in
    assert steps[1] == pytest.approx(0.091, abs=0.03)  # half the log odds of 0.01


def test_probabilities_that_are_right_are_left_as_they_are():
    scored = stretched(1500, 1.0)
    after, chosen = recalibrate.cross_fitted(scored, seed=0)
    assert dict(chosen) == {"none": 5} and np.array_equal(after.samples[0].p, scored.samples[0].p)


def test_probabilities_that_jump_are_put_right_by_a_staircase():
    """One risk below one half and another above: no line on the log odds says that."""
    from medml.evaluate.figures import figures_of

    rng = np.random.default_rng(2)
    p = rng.uniform(0.02, 0.98, 2000)
    y = (rng.random(2000) < np.where(p < 0.5, 0.1, 0.7)).astype(np.int64)
    told = Predictions(y, probabilities(p)[None], np.arange(2000), "binary", ["no", "yes"], np.empty(0))
    scored = score(told, dealt(np.arange(2000)))
    found = recalibrate.recalibration_of(scored, figures_of(scored, seed=0, draws=50), seed=0, draws=50)
    assert found.method == "isotonic" and found.after["log_loss"].value < found.before["log_loss"].value - 0.02
    assert np.interp([0.25, 0.75], found.steps.x, found.steps.y) == pytest.approx([0.1, 0.7], abs=0.05)


def test_no_step_of_a_map_is_the_outcome_of_a_few_patients():
    p = np.linspace(0.01, 0.99, 300)
    y = (np.arange(300) >= 297).astype(np.int64)  # the three with the highest probability
    x, steps = recalibrate.fitted("isotonic", y, p)
    assert np.all(np.diff(steps) >= 0) and steps.max() == pytest.approx(3 / 20)


def test_repeats_of_the_same_patients_are_not_more_patients():
    """20 with the outcome, judged twice, are 20: too few for a map."""
    x = np.linspace(-4, 4, 400)
    y = np.zeros(400, dtype=np.int64)
    y[np.random.default_rng(0).permutation(400)[:20]] = 1
    p, patient = 1 / (1 + np.exp(-x)), np.arange(400)
    assert recalibrate.chosen(np.tile(y, 2), np.tile(p, 2), np.tile(patient, 2), seed=0) == "none"
    more = np.tile(y, 2), np.tile(p, 2), np.arange(800)
    assert recalibrate.chosen(*more, seed=0) != "none"


def test_a_fold_has_no_part_in_its_own_map():
    """Another outcome in one fold changes nothing of that fold's probabilities."""
    scored = stretched(1200, 0.4)
    sample = scored.samples[0]
    inside = sample.fold == 2
    other = replace(scored, samples=[replace(sample, y=np.where(inside, 1 - sample.y, sample.y))])
    mine, theirs = (recalibrate.cross_fitted(each, seed=0)[0].samples[0].p for each in (scored, other))
    assert np.array_equal(mine[inside], theirs[inside]) and not np.array_equal(mine[~inside], theirs[~inside])


# ---- subgroups -------------------------------------------------------------------------------------------------

def test_bands_thirds_and_categories_are_told_in_their_order():
    rng = np.random.default_rng(0)
    patients, everybody = np.arange(300), np.ones(300, bool)
    ages = pd.Series(rng.uniform(20, 95, 300).round())
    bands = subgroups.groups_in("age", ages, patients, everybody)
    assert [each.label for each in bands] == ["18 to under 40", "40 to under 65", "65 to under 80", "80 and over"]
    assert np.array_equal(bands[1].mask, ((ages >= 40) & (ages < 65)).to_numpy())
    thirds = subgroups.groups_in("crp", pd.Series(rng.gamma(2, 20, 300)), patients, everybody)
    assert len(thirds) == 3 and all(90 <= each.mask.sum() <= 110 for each in thirds)
    coded = subgroups.groups_in("sex", pd.Series(rng.integers(2, size=300).astype(float)), patients, everybody)
    assert [each.label for each in coded] == ["0", "1"]


def test_groups_of_under_10_and_what_reveals_them_are_not_named():
    labels = np.repeat(["north", "south", "tiny", "west"], [150, 100, 6, 44])
    column = pd.Series(labels, dtype=object)
    found = [each.label for each in subgroups.groups_in("site", column, np.arange(300), np.ones(300, bool))]
    assert found == ["north", "south"]  # the smallest other one is hidden too: 300 - 150 - 100 - 44 would be 6


def test_many_named_groups_are_told_as_the_table_names_them():
    """Eight hospitals, or ages written "[70-80)": words of a file are no numbers to make thirds of, however many."""
    names = [f"[{ten}-{ten + 10})" for ten in range(10, 90, 10)]
    frame = predictors_frame(pl.DataFrame({"age": np.repeat(names, 40).tolist()}), {"age": "category"})
    found = [each.label for each in subgroups.groups_in("age", frame["age"], np.arange(320), np.ones(320, bool))]
    assert sorted(found) == names


def test_groups_under_30_have_a_size_and_no_figure():
    sites = np.where(np.arange(300) < 20, "small", np.where(np.arange(300) < 160, "north", "south"))
    cases = replace(made_cases(300), aside=pd.DataFrame({"site": pd.Series(sites, dtype=object)}), subgroups=("site",))
    folds = dealt(cases.patients)
    report = evaluate(predicted(cases, folds), baselines(cases, folds), made_context(cases, folds), seed=0, draws=1000)
    told = {each.label: each for each in report.subgroups}
    assert (told["small"].n, told["small"].enough, told["small"].figure) == (20, False, None)
    assert told["north"].figure.low < told["north"].figure.value < told["north"].figure.high
    assert {each.n_events for each in report.subgroups} == {None}  # 20 cases hold under 10 of a class


def test_a_group_with_under_ten_of_a_class_has_no_figure_that_would_tell_how_many():
    """An AUROC of 4 against 36 is a whole number of 144 pairs."""
    cases, sites = made_cases(300), np.array(["north", "south"], dtype=object)[np.arange(300) % 2]
    sites[np.flatnonzero(cases.y == 1)[:4]] = sites[np.flatnonzero(cases.y == 0)[:36]] = "few"
    told = score(Predictions(cases.y, np.tile(probabilities(np.linspace(0.1, 0.9, 300)), (1, 1, 1)), cases.patients,
                             "binary", cases.classes, np.empty(0)))
    cases = replace(cases, aside=pd.DataFrame({"site": sites}), subgroups=("site",))
    found = {each.label: each for each in subgroups.subgroups_of(cases, told, seed=0, draws=20)}
    assert (found["few"].n, found["few"].enough, found["few"].figure, found["few"].slope) == (40, False, None, None)
    assert found["north"].enough and found["north"].figure.value is not None


def test_a_group_in_which_nobody_was_wrong_is_no_certainty():
    """Wilson's interval for the patients of the rarer class, as the table of metrics has it."""
    cases = made_cases(120)
    told = score(Predictions(cases.y, probabilities(0.2 + 0.6 * cases.y)[None], cases.patients, "binary", cases.classes,
                             np.empty(0)))
    cases = replace(cases, aside=pd.DataFrame({"site": np.array(["north", "south"], dtype=object)[np.arange(120) % 2]}),
                    subgroups=("site",))
    for each in subgroups.subgroups_of(cases, told, seed=0, draws=20):
        few = min(np.bincount(cases.y[(cases.aside["site"] == each.label).to_numpy()]))
        assert each.figure.value == 1.0 and each.figure.low == pytest.approx(wilson(1.0, few).low)
        assert 0.5 < each.figure.low < 0.95


def test_a_group_is_counted_in_patients_and_not_in_their_rows():
    """60 rows of 12 patients, and 40 with the outcome that are all of 4: neither is enough to say anything."""
    cases, sites = made_cases(300), np.array(["north", "south"], dtype=object)[np.arange(300) % 2]
    patients = np.arange(300)
    sites[:60], patients[:60] = "often", np.arange(60) // 5
    few = np.flatnonzero(cases.y[60:] == 1)[:40] + 60
    sites[few], patients[few] = "ill", 1000 + np.arange(40) // 10
    sites[np.flatnonzero((cases.y == 0) & (patients == np.arange(300)) & (np.arange(300) >= 60))[:40]] = "ill"
    cases = replace(cases, aside=pd.DataFrame({"site": sites}), subgroups=("site",), patients=patients)
    told = score(Predictions(cases.y, np.tile(probabilities(np.linspace(0.1, 0.9, 300)), (1, 1, 1)), patients,
                             "binary", cases.classes, np.empty(0)))
    found = {each.label: each for each in subgroups.subgroups_of(cases, told, seed=0, draws=20)}
    assert (found["often"].n, found["often"].n_patients, found["often"].enough) == (60, 12, False)
    assert (found["ill"].n, found["ill"].n_patients, found["ill"].enough) == (80, 44, False)
    assert found["north"].enough and {each.n_events for each in found.values()} == {None}


def test_a_group_is_as_large_as_it_is_among_those_who_were_judged():
    """40 patients in all, 8 of them in the validation part: that report must not name them."""
    sites = np.array(["small", "north", "south"], dtype=object)[np.r_[np.zeros(40, int), np.arange(260) % 2 + 1]]
    cases = replace(made_cases(300), aside=pd.DataFrame({"site": sites}), subgroups=("site",))
    judged = np.arange(300) % 5 == 0
    p = np.full((1, 300, 2), np.nan)
    p[0, judged] = probabilities(np.linspace(0.1, 0.9, judged.sum()))
    told = score(Predictions(cases.y, p, cases.patients, "binary", cases.classes, np.empty(0)))
    found = subgroups.subgroups_of(cases, told, seed=0, draws=20)
    assert [(each.label, each.n_patients) for each in found] == [("north", 26)]  # with south named, small would be 8


def test_a_groups_auroc_is_that_of_its_cases_alone():
    cases = made_cases(400)
    folds = dealt(cases.patients)
    told = predicted(cases, folds)
    found = {each.label: each for each in
             subgroups.subgroups_of(cases, score(told, folds), seed=0, draws=50)}
    mask = (cases.X["sex"] == "f").to_numpy()
    alone = Predictions(cases.y[mask], told.p[:, mask], cases.patients[mask], "binary", cases.classes, told.train)
    place = np.full(400, -1)
    place[mask] = np.arange(mask.sum())
    inside = [replace(each, train=np.empty(0, int), test=place[each.test[mask[each.test]]]) for each in folds]
    from medml.evaluate import metrics_of

    assert found["f"].figure.value == pytest.approx(metrics_of(alone, folds=inside, seed=0, draws=20)["auroc"].value)
    assert found["f"].n_events == cases.y[mask].sum()


def test_sex_age_and_site_are_found_by_name_and_the_outcome_is_none():
    from medml.types import Choice, Column, TableRef

    columns = [Column(name=name, kind=kind, missing=0, distinct=5) for name, kind in
               (("Gender", "category"), ("Age", "number"), ("time_in_hospital", "number"),
                ("hospital site", "category"), ("crp", "number"), ("note", "text"))]
    table = Table(ref=TableRef(path="a"), sha256="0", rows=9, columns=columns, duplicates=0)
    assert subgroups.usual_columns(table) == ["Gender", "Age", "hospital site"]
    config = TrainConfig(name="", choice=Choice(table=table.ref, target="Gender", task="binary"), family="auto",
                         split=SplitPlan(by="row", scheme="cross_validation"), profile_sha256="", recipe_sha256="",
                         data_sha256="", use=UsePlan(subgroups=["crp", "gone"]))
    assert subgroups.subgroup_columns(table, config) == ["Age", "hospital site", "crp"]


# ---- the score in use ------------------------------------------------------------------------------------------

def test_a_formula_is_worked_out_over_columns():
    columns = {"age": np.array([50.0, 80.0, np.nan]), "SOFA score": np.array([2.0, 9.0, 4.0]),
               "lactate": np.array([1.0, 5.0, 5.0])}
    for text, wanted in {'"SOFA score" + 2 * (lactate > 4)': [2, 11, 6], "min(age / 10, 6) - lactate": [4, 1, np.nan],
                         "-lactate": [-1, -5, -5], "SOFA score": [2, 9, 4], "(age >= 65) + sqrt(abs(lactate - 5))":
                         [2, 1, np.nan], "log(lactate - 1)": [np.nan, np.log(4), np.log(4)]}.items():
        assert formula.worked_out(text, columns) == pytest.approx(wanted, nan_ok=True), text
        assert set(formula.columns_of(text, list(columns))) <= set(columns)


@pytest.mark.parametrize("text", [
    "__import__('os')", "age.real", "age[0]", "lambda: 1", "age if age else 1", "open(age)", "age ** 9", "1 < age < 2",
    "[age]", "age; age", "age := 1", "exec(\"age\")", "True + age", "age + " + "-" * 200 + "age", "2 + 3", "min(age)",
    "log(age, age)", "age + " * 200 + "age"])
def test_nothing_but_a_formula_is_read(text):
    with pytest.raises(UserError) as refused:
        formula.columns_of(text, ["age"])
    assert refused.value.code in ("score", "score_column") and "double quotes" in refused.value.fix


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(UserError, match="names “sofa”"):
        formula.columns_of("sofa + age", ["age"])
    assert formula.columns_of("  ", ["age"]) == []


def beside_score(signal: float, own: float):
    """A report of a model of that signal beside a score whose own signal is `own`; and the cases."""
    cases = made_cases(500)
    rng = np.random.default_rng(5)
    scored = own * cases.y + rng.normal(size=500)
    cases = replace(cases, aside=pd.DataFrame({"NEWS": scored, "sex": cases.X["sex"]}), subgroups=("sex",))
    folds, use = dealt(cases.patients), UsePlan(score="NEWS")
    beside = baselines(cases, folds) | {
        score_in_use.NAME: score_in_use.predicted(cases, folds, score_in_use.values_of(cases, "NEWS"))}
    context = made_context(cases, folds, config={"use": use})
    return evaluate(predicted(cases, folds, signal=signal, shift=-0.4), beside, context, seed=0, draws=300)


def test_no_better_than_your_score_is_said_plainly():
    equal = beside_score(1.0, 1.0).score_in_use
    assert equal.said.startswith("The model is no better than your score") and equal.n_missing == 0
    assert equal.auroc_difference.low < 0 < equal.auroc_difference.high
    better = beside_score(2.0, 0.3)
    assert better.score_in_use.said.startswith("The model is better than your score")
    assert better.score_in_use.benefit_difference.low > 0 and better.net_benefit.score is not None
    difference = better.metrics["auroc"].value - better.baselines["score_in_use"]["auroc"].value
    assert better.score_in_use.auroc_difference.value == pytest.approx(difference)
    worse = beside_score(0.2, 2.0).score_in_use
    lost = -worse.auroc_difference.value
    assert worse.said.startswith(f"The model is worse than your score: its AUROC is {lost:.3f} lower (")


def test_cases_without_a_score_are_counted_among_the_judged_and_few_are_not():
    figures = [It(value={"metric.auroc": 0.7}, drawn={"metric.auroc": np.full(9, 0.7)},
                  difference=lambda other, name: (0.0, np.zeros(9)))] * 2
    told = {n: score_in_use.compared("age", np.r_[np.full(n, np.nan), np.zeros(50)], *figures, 50 + n)
            for n in (0, 4, 12)}
    assert {n: (each.n_missing, each.few_missing) for n, each in told.items()} == {
        0: (0, False), 4: (0, True), 12: (12, False)}


def test_a_score_where_low_is_bad_ranks_as_well_as_one_where_high_is():
    cases = made_cases(300)
    folds = dealt(cases.patients)
    value = cases.X["crp"].to_numpy()
    up, down = (score_in_use.predicted(cases, folds, each).p[0, :, 1] for each in (value, -value))
    assert up == pytest.approx(down, abs=1e-6)
