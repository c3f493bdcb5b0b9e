"""Checks of calibration, use, groups, outside data, shuffled labels, phrases and cut numbers, each on data made to trip
it and on data that must not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_up import (
    HELD_OUT,
    baselines,
    dealt,
    made_cases,
    made_context,
    of_patients,
    predicted,
    probabilities,
    run_check,
)

from medml.cases import Cases, Predictions
from medml.evaluate import evaluate
from medml.evaluate.catalogue import external_check
from medml.evaluate.checks import phrases
from medml.evaluate.checks.cut_in_two import says_cut
from medml.evaluate.checks.shuffled import shuffled
from medml.evaluate.checks.usefulness import classes_in_words
from medml.outside import figures
from medml.profile.phrases import telling_phrases
from medml.types import Column, External, Metric, UsePlan

run = partial(run_check, draws=200)  # enough for a verdict
CALIBRATED = {"signal": 1.0, "shift": -0.4}  # two normal scores one apart: the log odds are the score itself


# ---- E4 E5 E6 --------------------------------------------------------------------------------------------------

def test_probabilities_that_are_right_pass_and_stretched_ones_do_not():
    cases = made_cases(600)
    honest = run("E4", cases, prediction=CALIBRATED)
    assert honest.verdict == "pass" and 0.8 <= honest.figures["slope"] <= 1.2 and honest.figures["brier"] < 0.25
    timid = run("E4", cases, prediction={"signal": 2.0, "shift": -0.4})  # true log odds are twice as far apart
    assert timid.verdict == "warn" and "too timid" in timid.what and timid.figures["slope"] > 1.2
    assert "may be chance" not in timid.what
    assert timid.fix.endswith("or put them right: see Calibration, before and after.")
    shifted = run("E4", cases, prediction={"signal": 1.0, "shift": 1.0})
    assert shifted.verdict == "warn" and "On the whole they are too high." in shifted.what


def test_nobody_is_sent_to_a_map_that_was_not_found(monkeypatch):
    monkeypatch.setattr("medml.evaluate.recalibrate.chosen", lambda *_, **__: "none")
    timid = run("E4", made_cases(600), prediction={"signal": 2.0, "shift": -0.4})
    assert timid.fix == "Read the ranking and not the probabilities: no map that puts them right was found."


def test_a_slope_whose_interval_holds_1_is_said_to_be_chance_perhaps():
    """Probabilities that are right, of 120 patients: every third slope lies outside of 0.8 to 1.2."""
    rng, verdicts = np.random.default_rng(1), []
    for _ in range(6):
        cases = made_cases(120)
        log_odds = rng.normal(-0.4, 1.2, 120)
        true = replace(cases, y=(rng.random(120) < 1 / (1 + np.exp(-log_odds))).astype(np.int64))
        folds, p = dealt(cases.patients), probabilities(1 / (1 + np.exp(-log_odds)))
        told = Predictions(true.y, p[None], true.patients, "binary", true.classes, np.full(5, 0.8))
        report = evaluate(told, baselines(true, folds), made_context(true, folds), seed=0, draws=100)
        check = next(each for each in report.checks if each.id == "E4")
        slope = report.calibration_line["slope"]
        verdicts.append(not 0.8 <= slope.value <= 1.2)
        assert ("may be chance" in check.what) == (verdicts[-1] and slope.low <= 1 <= slope.high), check.what
    assert any(verdicts) and not all(verdicts)


def test_a_slope_that_could_be_anything_is_no_agreement():
    few = run("E4", made_cases(40), prediction=CALIBRATED, folds=dealt(np.arange(40), 3))  # 0.88 (-0.24 to 1.82)
    assert few.verdict == "could_not_tell" and "too few cases to tell the slope" in few.what


def test_calibration_is_asked_of_a_number_and_of_several_classes():
    assert "slope" in run("E4", made_cases(300, task="regression")).figures
    several = {"ici", "brier", "slope_least", "slope_most", "intercept_farthest"}
    assert set(run("E4", made_cases(300, task="multiclass")).figures) == several
    assert run("E4", made_cases(24), folds=dealt(np.arange(24), 3)).verdict == "could_not_tell"


def test_of_several_classes_those_are_named_that_are_off_beyond_chance():
    cases = made_cases(600, task="multiclass")
    assert run("E4", cases, prediction={"signal": 1.0}).verdict == "pass"  # three scores one apart: as in CALIBRATED
    timid = run("E4", cases, prediction={"signal": 2.0})
    assert timid.verdict == "warn" and timid.figures["slope_least"] > 1.2
    assert all(f"“{label}” against the rest: predictions are too timid" in timid.what for label in cases.classes)
    assert "put them right" not in timid.fix  # there is a map for two classes alone
    apart = run("E4", cases, prediction={"signal": 30.0})  # no class has a slope then
    assert set(apart.figures) == {"ici", "brier"}


def test_what_is_wrong_with_classes_is_said_of_other_patients_in_the_same_words():
    cases = made_cases(600, task="multiclass")

    def elsewhere(signal: float) -> str:
        told = predicted(cases, dealt(cases.patients, 3), signal=signal)
        run = SimpleNamespace(report=SimpleNamespace(threshold=None, net_benefit=None),
                              chain=SimpleNamespace(current=0), config=SimpleNamespace(seed=0))
        theirs = SimpleNamespace(cases=cases, sha256="", n_left_out=0)
        found = figures(run, theirs, told.p[0], "there", {}, draws=100)
        return classes_in_words(found.calibration_of_classes)
    right, timid = elsewhere(1.0), elsewhere(2.0)
    assert right.startswith("Each class against the rest: slopes from ") and "predictions are" not in right
    assert all(f"“{label}” against the rest: predictions are too timid" in timid for label in cases.classes)
    assert elsewhere(30.0) == \
        "The calibration slope of no class can be told: too few cases, or too few taken for another."
    assert classes_in_words({}) == ""


def test_classes_without_a_slope_are_not_said_to_agree():
    """Dermatology: four of six classes lie wholly apart from the rest and have none."""
    def line(low: float, value: float, high: float) -> dict[str, Metric]:
        return {"slope": Metric(value=value, low=low, high=high, n=300),
                "intercept": Metric(value=0.1, low=-0.2, high=0.3, n=300)}
    apart = {"slope": Metric(value=None, low=None, high=None, n=300),
             "intercept": Metric(value=1.3, low=0.5, high=2.6, n=300)}
    some = classes_in_words({"a": line(0.8, 0.9, 1.1), "b": apart, "c": line(0.7, 1.0, 1.2)})
    assert some == ("2 of 3 classes against the rest (of the other no slope can be told): slopes from 0.90 to 1.00, "
                    "calibration in the large at most 0.10 from 0.")
    all_of_them = classes_in_words({"a": line(0.8, 0.9, 1.1), "c": line(0.7, 1.0, 1.2)})
    assert all_of_them.startswith("Each class against the rest: slopes from 0.90 to 1.00")


def test_a_class_of_few_patients_has_no_line_of_its_own():
    cases = made_cases(300, task="multiclass")
    few = replace(cases, y=np.where((cases.y == 2) & (np.cumsum(cases.y == 2) > 9), 0, cases.y))
    folds = dealt(few.patients)
    report = evaluate(predicted(few, folds), baselines(few, folds), made_context(few, folds), seed=0, draws=100)
    assert list(report.calibration_of_classes) == ["a", "b"]
    assert evaluate(predicted(made_cases(), folds), baselines(made_cases(), folds), made_context(made_cases(), folds),
                    seed=0, draws=100).calibration_of_classes == {}


def test_a_model_that_knows_nothing_is_worth_no_action():
    cases = made_cases(600)
    useful = run("E5", cases, prediction=CALIBRATED)
    assert useful.verdict == "pass" and useful.figures["gain_low"] > 0
    useless = run("E5", cases, prediction={"signal": 0.0})
    assert useless.verdict == "warn" and useless.figures["gain_low"] <= 0
    assert "no one threshold" in run("E5", made_cases(200, task="multiclass")).what


def test_the_stated_range_is_the_one_that_is_judged():
    plan = UsePlan(low=0.05, high=0.1)
    check = run("E5", made_cases(400), prediction=CALIBRATED, config={"use": plan})
    assert (check.figures["from"], check.figures["to"]) == (0.05, 0.1) and "stated before training" in check.what


def test_a_threshold_from_the_closed_part_blocks():
    cases = made_cases(300)
    folds = dealt(cases.patients[:240])
    closed = np.arange(240, 300)
    assert run("E6", cases, folds=folds, held_out=closed, config=HELD_OUT).verdict == "pass"
    leaky = run("E6", cases, folds=dealt(cases.patients), held_out=closed, config=HELD_OUT)
    assert leaky.verdict == "block" and leaky.figures["touched"] == 60


def test_the_reason_of_the_threshold_stands_beside_it():
    said = run("E6", config={"use": UsePlan(rule="sensitivity", sensitivity=0.95)}).what
    assert "finds at least 95% of those with the outcome" in said and "had not learned from" in said
    assert "one missed case weighs as much as 8 false alarms" in run("E6", config={"use": UsePlan(rule="cost",
                                                                                                  cost=8)}).what


# ---- F1 X1 -----------------------------------------------------------------------------------------------------

def by_site(n: int, sites: np.ndarray) -> Cases:
    cases = made_cases(n)
    return replace(cases, aside=pd.DataFrame({"site": pd.Series(sites, dtype=object)}), subgroups=("site",))


def test_a_site_at_which_the_model_fails_is_named():
    n = 600
    sites = np.where(np.arange(n) % 3 == 0, "north", "south")
    fair = run("F1", by_site(n, sites), prediction=CALIBRATED)
    assert fair.verdict == "info" and fair.figures["groups"] == 2
    cases = by_site(n, sites)
    y = cases.y.copy()
    north = np.flatnonzero(sites == "north")
    y[north] = np.random.default_rng(3).permutation(y[north])  # there the outcome has nothing to do with the prediction
    check = _with_outcome("F1", cases, y)
    assert check.verdict == "warn" and "site north" in check.what and check.figures["worst_high"] < 0.7


def test_a_group_in_which_a_number_varies_less_is_not_said_to_be_served_worse():
    """Equal errors everywhere, thirds of the outcome as groups: R2 is lower in each of them by arithmetic alone."""
    cases = made_cases(600, task="regression")
    thirds = np.array(["low", "middle", "high"], dtype=object)[np.argsort(np.argsort(cases.y)) // 200]
    check = run("F1", replace(cases, aside=pd.DataFrame({"site": thirds}), subgroups=("site",)))
    assert check.verdict == "warn" and "works worse" not in check.what and "varies less" in check.what
    assert "calibration slopes" in check.fix


def _with_outcome(check: str, cases: Cases, y: np.ndarray):
    """One check where the predictions were made of other outcomes than those that came true."""
    from made_up import predicted

    from medml.cases import Predictions

    folds = dealt(cases.patients)
    told = predicted(cases, folds, signal=2.0)
    true = replace(cases, y=y)
    answer = Predictions(y, told.p, told.patients, told.task, told.classes, told.train)
    report = evaluate(answer, baselines(true, folds), made_context(true, folds), seed=0, draws=200)
    return next(each for each in report.checks if each.id == check)


def test_without_sex_age_or_site_nobody_can_say_for_whom():
    assert run("F1", replace(made_cases(), aside=None)).verdict == "could_not_tell"


def outside(**changed) -> External:
    figure = Metric(value=0.71, low=0.64, high=0.78, n=240)
    known = {"id": "a", "made": "2026-01-01T00:00:00+00:00", "checkpoint": 0, "source": "north.csv",
             "data_sha256": "0" * 64, "n_cases": 240, "n_patients": 240, "metrics": {"auroc": figure}}
    return External(**known | changed)


def test_outside_data_ends_internally_validated_only():
    alone = external_check([])
    assert alone.verdict == "info" and "none from elsewhere" in alone.what and run("X1") == alone
    judged = external_check([outside(found_by="capsule")])
    assert judged.verdict == "pass" and "240 cases: 0.710 (0.640 to 0.780)" in judged.what
    both = external_check([outside(id="b", n_copies=240), outside(found_by="capsule")])
    assert "Judged on data from elsewhere 1 time;" in both.what  # copies of its own rows are no other place
    assert external_check([outside(n_copies=3)]).verdict == "warn"
    assert external_check([outside()]).verdict == "warn"  # a folder that nobody could compare with the run's own table
    assert "nobody could compare" in judged.what and "nobody" not in external_check([outside(n_copies=0)]).what


# ---- L12 -------------------------------------------------------------------------------------------------------

def test_shuffled_labels_teach_nothing_where_the_split_is_clean():
    check = run("L12", made_cases(300), prediction=CALIBRATED)
    assert check.verdict == "pass" and 0.45 <= check.figures["shuffled_mean"] <= 0.55
    assert check.figures["shuffles"] >= 20 and check.figures["observed"] > check.figures["shuffled_95th"]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_model_that_knows_nothing_is_not_above_the_shuffles(task):
    check = run("L12", made_cases(200, task=task), prediction={"signal": 0.0})
    assert check.verdict == "warn" and "not above chance" in check.what


def test_patients_on_both_sides_are_found_by_shuffled_labels():
    """Six visits each, alike but for noise: dealt by row, a patient's other visits tell even a shuffled label."""
    patients = np.repeat(np.arange(60), 6)
    rng = np.random.default_rng(0)
    own = rng.normal(size=(60, 5))[patients] + rng.normal(0, 0.05, (360, 5))
    cases = made_cases(360, columns={f"lab {at}": own[:, at] for at in range(5)})
    y = rng.integers(2, size=60)[patients].astype(np.int64)
    cases = of_patients(replace(cases, y=y, X=cases.X.drop(columns="crp")), patients)
    by_row = run("L12", cases, folds=dealt(np.arange(360)))
    assert by_row.verdict == "warn" and by_row.figures["neighbour_mean"] > 0.9 and "belong together" in by_row.what
    by_patient = run("L12", cases, folds=dealt(patients))
    assert by_patient.verdict == "pass" and 0.45 <= by_patient.figures["neighbour_mean"] <= 0.55


def test_all_rows_of_a_patient_get_the_labels_of_one_other():
    patients = np.repeat(np.arange(40), 3)
    y = np.arange(120)
    dealt_anew = shuffled(y, patients, np.random.default_rng(0)).reshape(40, 3)
    assert sorted(map(tuple, dealt_anew)) == sorted(map(tuple, y.reshape(40, 3)))
    assert not np.array_equal(dealt_anew, y.reshape(40, 3))


def test_patients_with_any_number_of_rows_get_labels_of_another_in_order_repeated_or_cut():
    patients = np.random.default_rng(1).permutation(np.repeat(np.arange(18), [3] * 12 + [1, 1, 2, 5, 5, 5]))
    y = np.arange(len(patients))
    dealt_anew = shuffled(y, patients, np.random.default_rng(0))
    own, source = {of: y[patients == of].tolist() for of in range(18)}, []
    for to in range(18):
        labels = dealt_anew[patients == to].tolist()
        source += [of for of, theirs in own.items() if (theirs * 5)[:len(labels)] == labels]
    assert sorted(source) == list(range(18))  # everybody's labels are dealt once


def test_sicker_patients_with_fewer_visits_are_no_fault_of_the_split():
    """As in the cardiotocograms: the number of a patient's rows goes with the outcome, and predictors tell both."""
    rng = np.random.default_rng(0)
    sick = np.arange(120) % 2
    patients = np.repeat(np.arange(120), np.where(sick == 1, rng.integers(1, 3, 120), rng.integers(3, 6, 120)))
    cases = made_cases(len(patients), columns={"lab": (sick + rng.normal(0, 0.7, 120))[patients]})
    cases = of_patients(replace(cases, y=sick[patients].astype(np.int64), X=cases.X.drop(columns="crp")), patients)
    check = run("L12", cases, folds=dealt(patients))
    assert check.verdict == "pass" and 0.45 <= check.figures["shuffled_mean"] <= 0.55


# ---- L13 -------------------------------------------------------------------------------------------------------

def noted(of_yes: str, of_no: str, n: int = 300) -> Cases:
    cases = made_cases(n)
    rng = np.random.default_rng(1)
    words = np.array(["cough", "fever", "pain", "tired", "walks", "sleeps", "eats", "smokes", "alone", "family"])
    notes = [" ".join([*rng.choice(words, 8), of_yes if code else of_no, str(rng.integers(10**6))]) for code in cases.y]
    X = cases.X.assign(note=pd.Series(notes, dtype=object))
    return replace(cases, X=X, kinds=cases.kinds | {"note": "text"})


def test_a_template_that_a_class_alone_has_is_found_and_not_quoted():
    check = run("L13", noted("findings consistent with malignancy", "no suspicious findings seen"))
    assert check.verdict == "warn" and "“note”" in check.what and check.figures["phrases"] >= 2
    assert "malignancy" not in check.model_dump_json() and "suspicious" not in check.model_dump_json()


def test_a_file_in_the_order_of_its_outcome_hides_no_template(monkeypatch):
    """The first cases of a large file may be of one class: what is looked at is drawn."""
    monkeypatch.setattr(phrases, "MOST_CASES", 100)
    cases = noted("findings consistent with malignancy", "no suspicious findings seen")
    assert run("L13", cases.take(np.argsort(cases.y))).verdict == "warn"


def test_no_check_looks_at_outcomes_of_the_closed_part():
    """Gaps, another column and a phrase go with the outcome in one part alone: what counts is the open one."""
    cases, closed = noted("findings consistent with malignancy", "no suspicious findings seen"), np.arange(200, 300)
    kept = {"folds": dealt(np.arange(200)), "held_out": closed, "config": HELD_OUT}
    X = cases.X.assign(crp=cases.X["crp"].where((np.arange(300) < 200) | (cases.y == 0)),
                       code=np.where((np.arange(300) < 200) == (cases.y == 1), "a", "b").astype(object))
    X.loc[closed, "note"] = "findings consistent with malignancy, no suspicious findings seen"
    cases = replace(cases, X=X, kinds=cases.kinds | {"code": "category"})
    assert run("M1", cases, **kept).figures.get("by_outcome", 0) == 0
    assert run("L6", cases, **kept).figures["by_value"] == 1 and run("L13", cases, **kept).verdict == "warn"


def test_notes_that_say_the_same_of_everybody_pass():
    check = run("L13", noted("seen on the ward", "seen on the ward"))
    assert check.verdict == "pass" and "“note”" in check.what
    assert run("L13").what == "No column is free text."


def test_a_text_that_was_left_out_warns_of_the_hand_that_wrote_it():
    cases = noted("findings consistent with malignancy", "no suspicious findings seen")
    aside = replace(cases, X=cases.X.drop(columns="note"), aside=cases.X[["note", "sex"]])
    kinds = {"crp": "number", "sex": "category", "note": "text"}
    columns = [Column(name=name, kind=kind, missing=0, distinct=9) for name, kind in kinds.items()]
    check = run("L13", aside, table={"columns": columns})
    assert check.verdict == "warn" and check.figures["seen"] == 0 and "The model does not see it." in check.what


def test_a_rare_class_that_misses_a_phrase_by_chance_is_no_alarm():
    """6 of 300 have the outcome; a word in one case of ten belongs to the others alone in half of all such tables."""
    rng = np.random.default_rng(0)
    y = (np.arange(300) < 6).astype(np.int64)
    notes = pd.Series([" ".join(rng.choice([f"w{at}" for at in range(30)], 3)) for _ in y], dtype=object)
    assert telling_phrases(notes, y, 2) == 0


# ---- M4 --------------------------------------------------------------------------------------------------------

def test_a_number_that_was_cut_is_flagged_by_value_range_and_name():
    rng = np.random.default_rng(0)
    age = rng.normal(60, 12, 300).round()
    band = pd.Series(np.where(age < 50, "<50", np.where(age < 70, "50-69", "≥70")), dtype=object)
    for name, columns in {"old": {"age": age, "old": (age > 65).astype(float)}, "age band": {"age band": band},
                          "high_bp": {"high_bp": rng.integers(2, size=300).astype(float)}}.items():
        check = run("M4", made_cases(300, columns=columns))
        assert check.verdict == "warn" and check.figures["columns"] == 1 and f"“{name}”" in check.what


def test_numbers_and_true_categories_are_no_cut_numbers():
    rng = np.random.default_rng(0)
    columns = {"age": rng.normal(60, 12, 300).round(), "smoker": rng.integers(2, size=300).astype(float),
               "blood_group": pd.Series(rng.choice(["0", "A", "B", "AB"], 300), dtype=object),
               "stage": pd.Series(rng.choice(["I", "II", "III"], 300), dtype=object)}
    assert run("M4", made_cases(300, columns=columns)).verdict == "pass"
    assert says_cut("age_gt_65") and says_cut("bmi_cat") and not says_cut("cat_scan") and not says_cut("group")
