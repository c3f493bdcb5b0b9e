"""Checks of sample size, missing values, figures and origin, on data made to trip them and on data that must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up import HELD_OUT, baselines, dealt, made_cases, made_context, of_patients, predicted
from made_up import run_check as run

from medml.cases import Cases
from medml.evaluate import Rerun, evaluate
from medml.evaluate import report as report_module
from medml.evaluate.checks.honesty import intervals_everywhere
from medml.types import FlowStep, Metric

# ---- N1 .. N4 --------------------------------------------------------------------------------------------------

def test_riley_warns_and_below_half_the_run_is_exploratory():
    cases = made_cases(600)
    folds = dealt(cases.patients)
    stamps, verdicts, shares = [], [], []
    for parameters in (3, 30, 200):
        report = evaluate(predicted(cases, folds), baselines(cases, folds),
                          made_context(cases, folds, n_parameters=parameters), seed=0)
        check = next(each for each in report.checks if each.id == "N1")
        verdicts.append(check.verdict)
        shares.append(check.figures["share_of_needed"])
        stamps.append("exploratory: too few patients" in report.stamps)
    assert verdicts == ["pass", "warn", "warn"]
    assert stamps == [share < 0.5 for share in shares] and stamps[0] is False and stamps[2] is True


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_riley_speaks_of_every_task(task):
    check = run("N1", made_cases(300, task=task), n_parameters=150.0)
    assert check.verdict == "warn" and "Riley's criteria for" in check.what


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_no_number_of_patients_is_enough_for_a_fit_of_nothing(task):
    """By the guess of before the training, 2,000 patients for 3 parameters would be plenty."""
    check = run("N1", made_cases(2000, task=task), prediction={"signal": -0.5}, draws=20)
    assert check.verdict == "warn" and "no number is enough" in check.what
    assert run("N1", made_cases(2000, task=task), draws=20).verdict == "pass"


def test_patients_and_not_rows_are_counted():
    cases = of_patients(made_cases(300), np.repeat(np.arange(60), 5))
    assert run("N1", cases).figures["n"] == 60
    y = np.repeat(np.arange(60) < 15, 5).astype(np.int64)
    assert run("N2", replace(cases, y=y), n_parameters=1.0).figures["events"] == 15  # and not 75


def test_events_per_parameter():
    cases = made_cases(300, prevalence=0.4)
    events = int(cases.y.sum())
    for parameters, verdict, red in ((events / 30, "pass", 0), (events / 15, "warn", 0), (events / 5, "warn", 1)):
        check = run("N2", cases, n_parameters=parameters)
        assert (check.verdict, check.figures["red"]) == (verdict, red)
        assert check.figures["ratio"] == pytest.approx(events / parameters)


@pytest.mark.parametrize(("parameters", "said"), [(14.5, "14.5 parameters (mean of the folds)"),
                                                  (14.0, "14 parameters")])
def test_a_ratio_follows_from_the_two_numbers_beside_it(parameters, said):
    """206 patients for "14 parameters: 14.2 each" was 14.5 rounded."""
    for check in (run(name, made_cases(300), n_parameters=parameters, draws=20) for name in ("N1", "N2")):
        assert f"for {said}" in check.what


def test_a_small_held_out_part_is_named():
    cases = made_cases(700)
    folds = dealt(cases.patients[:100])
    assert run("N3", cases, folds=folds, held_out=np.arange(100, 700), config=HELD_OUT).verdict == "pass"
    check = run("N3", cases, folds=dealt(cases.patients[:600]), held_out=np.arange(600, 700), config=HELD_OUT)
    assert check.verdict == "warn" and check.figures["fewest"] == cases.y[600:].sum()
    assert "Cross-validation speaks" in run("N3").what
    often = of_patients(cases, np.r_[np.arange(100), 100 + np.arange(600) // 8])   # 75 patients, eight rows each
    assert run("N3", often, folds=folds, held_out=np.arange(100, 700), config=HELD_OUT).verdict == "warn"


def test_a_class_below_twice_the_folds_blocks():
    rare = made_cases(300)
    y = np.zeros(300, dtype=np.int64)
    y[:9] = 1
    assert run("N4", replace(rare, y=y)).verdict == "block"
    y[:10] = 1
    assert run("N4", replace(rare, y=y)).verdict == "pass"


# ---- M1 M2 M3 --------------------------------------------------------------------------------------------------

def gappy(share: float, of_class: int | None = None) -> Cases:
    cases = made_cases()
    rng = np.random.default_rng(5)
    gap = rng.random(300) < share
    gap = gap if of_class is None else gap & (cases.y == of_class)
    return made_cases(columns={"lactate": np.where(gap, np.nan, rng.normal(size=300))})


def test_many_gaps_ask():
    assert run("M1").what == "No predictor has a missing value."
    few = run("M1", gappy(0.2))
    assert few.verdict == "pass" and few.figures["patterns"] == 2
    assert few.what.endswith(" has gaps, at most 19 % of the cases.")  # of one column all gaps are the same
    assert " has gaps, in under 1 % of the cases." in run("M1", gappy(0.0005)).what
    much = run("M1", gappy(0.6))
    assert much.verdict == "warn" and "“lactate”" in much.what and much.figures["above_40_pct"] == 1


def test_gaps_that_go_with_the_outcome_are_named():
    check = run("M1", gappy(0.5, of_class=1))
    assert check.verdict == "warn" and "Gaps in “lactate” go with the outcome." in check.what


def boxes(*counts: int) -> list[FlowStep]:
    names = ["Rows in the file", "Exact duplicates", "Rows without an outcome"]
    return [FlowStep(what=names[place], n_before=before, n_removed=before - after, n_after=after)
            for place, (before, after) in enumerate(zip(counts, counts[1:], strict=False))]


def test_dropped_rows_are_stated():
    assert run("M2").what == "No row was dropped."
    check = run("M2", flow=boxes(320, 320, 310, 300), table={"rows": 320})
    assert check.verdict == "info" and check.figures["dropped"] == 20
    assert "exact duplicates: 10; rows without an outcome: 10" in check.what


def test_the_flow_must_add_up():
    good = boxes(320, 320, 310, 300)
    assert run("M3", flow=good, table={"rows": 320}).verdict == "pass"
    lost = [good[0], good[1].model_copy(update={"n_after": 305}), good[2]]
    assert run("M3", flow=lost, table={"rows": 320}).verdict == "block"
    assert run("M3", flow=[good[0], good[2]], table={"rows": 320}).verdict == "block"
    assert run("M3", flow=good, table={"rows": 321}).verdict == "block"
    assert run("M3", flow=boxes(320, 320, 310), table={"rows": 320}).verdict == "block"
    folds = dealt(np.arange(299))  # a case that is in no part of the split
    assert run("M3", folds=folds).verdict == "block"


# ---- E1 E2 E3 E7 E8 --------------------------------------------------------------------------------------------

def test_accuracy_of_a_rare_outcome_is_hidden():
    rare, common = made_cases(400, prevalence=0.1), made_cases(400, prevalence=0.4)
    for cases, hidden in ((rare, ["accuracy"]), (common, [])):
        folds = dealt(cases.patients, n_folds=3)
        report = evaluate(predicted(cases, folds), baselines(cases, folds), made_context(cases, folds), seed=0)
        assert report.hidden == hidden and report.metrics["accuracy"].value is not None
    flipped = replace(rare, y=1 - rare.y)
    assert run("E1", flipped).figures["hidden"] == 1


def test_fewer_than_a_thousand_draws_block_the_report():
    assert run("E2").verdict == "pass"
    assert run("E2", draws=999).verdict == "block"


def test_a_bare_figure_blocks_the_report():
    evidence = _evidence()
    bare = Metric(value=0.8, low=None, high=None, n=300)
    for part in ({"metrics": evidence.report.metrics | {"auroc": bare}}, {"calibration_line": {"slope": bare}},
                 {"baselines": {"prevalence": {"auroc": bare}}},
                 {"subgroups": [evidence.report.subgroups[0].model_copy(update={"slope": bare})]},
                 {"net_benefit": evidence.report.net_benefit.model_copy(update={"gain": bare})},
                 {"recalibration": evidence.report.recalibration.model_copy(update={"after": {"slope": bare}})},
                 {"grid": [evidence.report.grid[0].model_copy(update={"sensitivity": bare})]},
                 {"roc": evidence.report.roc.model_copy(update={"low": []})}):
        changed = evidence.report.model_copy(update=part)
        assert intervals_everywhere(replace(evidence, report=changed)).verdict == "block"
    outside = Metric(value=0.8, low=0.81, high=0.9, n=300)
    changed = evidence.report.model_copy(update={"metrics": {"auroc": outside}})
    assert intervals_everywhere(replace(evidence, report=changed)).verdict == "block"


def _evidence():
    """The evidence of an honest run, as the checks are given it."""
    caught = []
    original = report_module.run_checks
    report_module.run_checks = lambda evidence: caught.append(evidence) or original(evidence)
    try:
        run("E2")
    finally:
        report_module.run_checks = original
    return caught[0]


def test_several_configurations_warn_with_a_corrected_figure_where_it_can_be_had():
    assert run("E3").verdict == "pass"
    alone = run("E3", config={"compared": 4})
    assert alone.verdict == "warn" and "4 configurations" in alone.what
    cases = made_cases()
    folds = dealt(cases.patients)
    others = {str(seed): predicted(cases, folds, seed=seed) for seed in range(3)}
    check = run("E3", cases, folds=folds, config={"compared": 4}, others=others)
    assert check.verdict == "warn" and "BBC-CV" in check.what
    assert check.figures["low"] < check.figures["value"] < check.figures["high"]


def test_a_missing_baseline_blocks_the_report():
    cases = made_cases()
    folds = dealt(cases.patients)
    context = made_context(cases, folds)
    table = baselines(cases, folds)
    for gone in table:
        rest = {name: each for name, each in table.items() if name != gone}
        report = evaluate(predicted(cases, folds), rest, context, seed=0)
        assert next(each for each in report.checks if each.id == "E7").verdict == "block"


def test_a_model_that_is_no_better_than_nothing_or_worse_than_regression_is_told_so():
    assert run("E7").verdict == "pass"
    nothing = run("E7", prediction={"signal": 0.0})
    assert nothing.verdict == "warn" and "not better than no model" in nothing.what
    cases = made_cases(600)
    folds = dealt(cases.patients)
    report = evaluate(predicted(cases, folds, signal=0.8), baselines(cases, folds, signal=3.0),
                      made_context(cases, folds), seed=0)
    check = next(each for each in report.checks if each.id == "E7")
    assert check.verdict == "warn" and "Plain regression is better." in check.what


def test_a_model_that_is_not_shown_to_be_above_regression_is_not_called_so():
    """“Above that of plain regression by +0.005 (-0.012 to +0.021)” claims what its interval does not."""
    cases = made_cases()
    folds = dealt(cases.patients)
    table = baselines(cases, folds) | {"logistic": predicted(cases, folds, seed=9)}
    report = evaluate(predicted(cases, folds), table, made_context(cases, folds), seed=0)
    check = next(each for each in report.checks if each.id == "E7")
    assert check.figures["over_regression_low"] < 0 < check.figures["over_regression_high"]
    assert "above that of plain regression" not in check.what and "which is not shown to be better" in check.what
    better = evaluate(predicted(cases, folds, signal=3.0), baselines(cases, folds, signal=0.5),
                      made_context(cases, folds), seed=0)
    assert "above that of plain regression by +0." in next(each for each in better.checks if each.id == "E7").what


def test_the_difference_to_a_baseline_is_paired():
    """The same predictions on both sides: the difference is exactly 0 in every draw."""
    cases = made_cases()
    folds = dealt(cases.patients)
    told = predicted(cases, folds)
    table = baselines(cases, folds) | {"logistic": told}
    report = evaluate(told, table, made_context(cases, folds), seed=0)
    figures = next(each for each in report.checks if each.id == "E7").figures
    assert figures["over_regression"] == figures["over_regression_low"] == figures["over_regression_high"] == 0


def test_a_baseline_on_other_rows_is_refused():
    cases = made_cases()
    folds = dealt(cases.patients)
    table = baselines(cases, folds)
    table["logistic"].p[0, :10] = np.nan
    with pytest.raises(ValueError, match="'logistic' was judged on 290 rows, the model on 300"):
        evaluate(predicted(cases, folds), table, made_context(cases, folds), seed=0)


def test_a_gap_between_training_and_unseen_rows_is_optimism():
    assert run("E8", prediction={"train": 0.85}).verdict == "pass"
    check = run("E8", prediction={"train": 0.99, "signal": 0.8})
    assert check.verdict == "warn" and check.figures["gap"] > 0.10
    assert run("E8", prediction={"train": np.nan}).verdict == "could_not_tell"


# ---- G1 --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("gone", [{"data_sha256": ""}, {"split_sha256": ""}, {"code_version": ""}, {"versions": {}},
                                  {"seeds": {}}, {"threads": 0}])
def test_what_a_second_run_needs_must_be_recorded(gone):
    assert run("G1", **gone).verdict == "block"


def test_a_second_run_must_agree():
    assert "the same numbers, 300 predictions" in run("G1").what and run("G1").verdict == "pass"
    for difference in (0.002, float("inf"), float("nan")):
        assert run("G1", rerun=Rerun(difference=difference, n=60)).verdict == "block"
    assert run("G1", rerun=Rerun(difference=0.002, n=60, device="mps")).verdict == "warn"
    untried = run("G1", rerun=Rerun(why="that would take about 90 seconds more"))
    assert untried.verdict == "could_not_tell" and "about 90 seconds more." in untried.what
    assert run("G1", data_sha256="another table").verdict == "block"
