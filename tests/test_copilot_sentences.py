"""The adviser's sentences where they would be wrong or mislead: chance, rare classes, several classes, numbers."""

from __future__ import annotations

import pytest
from snapshots import check, classes, curve, figure, group, made, report, run

from medml.copilot.acting import asked_change
from medml.copilot.adviser import advise, registry
from medml.copilot.facts import ClassShare, Figure


def said(rule: str, s) -> str:
    found = registry.get(rule).ask(s)
    return "" if found is None else found.text


def judged(*figures, **known):
    of = {name: known.pop(name) for name in ("checks", "calibration", "groups", "gain", "threshold") if name in known}
    return made(run=known.pop("run", run()), report=report(figures=list(figures), headline=figures[0].name, **of),
                **known)


def line(slope: float, half: float, intercept: float = 0.0, **known):
    return judged(figure("auroc", 0.8), calibration={"slope": figure("slope", slope, half),
                                                     "intercept": figure("intercept", intercept)}, **known)


def test_a_slope_near_one_says_that_probabilities_hold_only_where_they_hold_on_average_too():
    assert "30 in 100" in said("well_calibrated", line(1.05, 0.16))
    assert "30 in 100" not in said("well_calibrated", line(1.05, 0.16, intercept=0.6))


def test_a_slope_that_cannot_be_told_is_not_called_fine():
    told = said("well_calibrated", line(0.87, 1.58))
    assert "30 in 100" not in told and "too few" in told


def test_a_slope_whose_interval_holds_one_may_be_chance():
    assert "chance" in said("too_extreme", line(0.7, 0.4)) and "chance" not in said("too_extreme", line(0.7, 0.1))
    assert "chance" in said("too_timid", line(1.3, 0.4)) and "chance" not in said("too_timid", line(1.3, 0.1))


@pytest.mark.parametrize(("rule", "slope"), [("too_extreme", 0.5), ("too_timid", 1.5), ("well_calibrated", 1.0)])
def test_a_number_has_no_probabilities(rule, slope):
    told = said(rule, line(slope, 0.1, task="regression"))
    assert told and "robabilit" not in told and "%" not in told
    assert "robabilit" not in registry.get(rule).ask(line(slope, 0.1, task="regression")).then


def test_a_number_that_lies_off_is_not_called_frequent():
    assert "frequent" not in said("off_on_average", line(1.0, 0.1, intercept=0.6, task="regression"))


def test_several_classes_have_a_distance_and_no_slope():
    s = judged(figure("auroc", 0.9), task="multiclass", calibration={"ici": figure("ici", 0.04)})
    assert "0.04" in advise(s, "evaluate", "Are the probabilities right?").text


def test_an_auroc_whose_interval_reaches_chance_is_not_called_modest():
    s = judged(Figure(name="auroc", title="AUROC", value=0.643, low=0.397, high=0.842))
    assert said("how_good", s) == "" and "0.5" in said("near_chance", s) and "chance" in said("near_chance", s)


def test_of_several_classes_nobody_has_or_lacks_the_outcome():
    shares = [ClassShare(label=each, share="", pct=pct) for each, pct in (("a", 60.0), ("b", 35.0), ("c", 5.0))]
    s = judged(figure("auroc", 0.9), figure("sensitivity", 0.6), figure("specificity", 0.6), task="multiclass",
               classes=shares)
    for rule in ("how_good", "low_sensitivity", "low_specificity"):
        told = said(rule, s)
        assert "with it" not in told and "without it" not in told, told
    assert "the other answer" not in said("imbalance", s) and "5 %" in said("imbalance", s)
    assert "threshold" not in registry.get("low_sensitivity").ask(s).then
    assert "with it" not in said("fine_sensitivity", judged(figure("sensitivity", 0.97), task="multiclass"))


def test_a_rare_no_is_no_reason_for_few_found():
    found, rare = (figure("sensitivity", 0.5), figure("ppv", 0.4)), classes(85.0)  # 85 % have the outcome
    s = judged(*found, classes=rare)
    assert "few" not in said("low_sensitivity", s) and "rare" not in said("low_ppv", s)
    s = judged(*found, classes=classes(12.0))
    assert "few" in said("low_sensitivity", s) and "rare" in said("low_ppv", s)


def test_about_as_many_events_are_told_as_there_may_be():
    """10 of 768 are 1 %: one per cent of 768 is 8, which is neither true nor to be told."""
    told = said("events_before", made(classes=classes(1.0), cases=768, rows=768, parameters=12))
    assert "about 8" not in told and "10" in told


def test_a_share_that_rounds_to_nothing_is_not_called_nothing():
    told = said("imbalance", made(classes=classes(0.0), cases=9000, rows=9000))
    assert " 0 %" not in told and "100 %" not in told and "under 1 %" in told


def test_without_predictors_there_is_no_simpler_model():
    s = judged(figure("auroc", 0.5, baseline=0.5, baseline_name="Prevalence alone"))
    assert "simpler model" not in said("no_better", s) and "use prevalence" not in registry.get("no_better").ask(s).then


def test_a_gain_over_a_baseline_that_its_check_doubts_is_not_called_one():
    of = figure("auroc", 0.64, baseline=0.5, baseline_name="Prevalence alone")
    s = judged(of, checks=[check("E7")])
    assert said("better", s) == "" and "not shown" in said("no_better", s)
    assert "the same answer for everybody" in said("better", judged(of)) and "prevalence" not in said("better",
                                                                                                      judged(of))


def test_how_good_is_answered_before_how_sure():
    s = judged(figure("auroc", 0.713, half=0.08))
    assert advise(s, "evaluate", "How good is it?").rules[:2] == ("how_good", "wide_interval")


def test_the_worst_of_several_groups_may_be_chance():
    of = lambda value, low, high: group("female", value).model_copy(update={"low": low, "high": high})  # noqa: E731
    def s(one):
        return judged(figure("auroc", 0.8), groups=[one, group("male", 0.85)])
    assert "chance" in said("worst_group", s(of(0.7, 0.5, 0.9)))
    assert "chance" not in said("worst_group", s(of(0.7, 0.6, 0.75)))
    assert said("worst_group", s(of(0.798, 0.7, 0.9))) == ""


def test_a_gain_that_was_not_shown_is_not_called_one():
    s = judged(figure("auroc", 0.6), gain=0.015, checks=[check("E5")])
    assert said("benefit", s) == "" and "not shown" in said("no_benefit", s)


@pytest.mark.parametrize("rule", ["over_learning", "still_improving", "level_curve", "never_learned"])
def test_a_family_without_rounds_is_not_told_of_rounds(rule):
    shape = {"over_learning": "over-learning", "still_improving": "still improving", "level_curve": "level",
             "never_learned": "never learned"}[rule]
    assert said(rule, made(run=run("logistic"), curve=curve(shape))) == ""
    assert said(rule, made(run=run("boosting"), curve=curve(shape)))


def test_a_network_that_keeps_its_best_round_needs_no_fewer():
    found = registry.get("over_learning").ask(made(run=run("mlp"), curve=curve("over-learning")))
    assert found.proposal is None and "kept" in found.text
    assert registry.get("over_learning").ask(made(run=run("boosting"), curve=curve("over-learning"))).proposal


def test_pictures_are_not_sent_to_a_model_of_tables():
    then = registry.get("hungry_family").ask(made(of="pictures", run=run("cnn"), cases=300)).then
    assert "logistic" not in then and "frozen" in then


def test_of_pictures_nobody_is_told_that_columns_decide_how_many_are_enough():
    found = registry.get("enough").ask(made(of="pictures", stage="configure", rows=300))
    assert "300 pictures" in found.text and "column" not in found.text + found.then


def test_a_check_is_named_in_what_to_do_next():
    found = registry.get("worst_check").ask(judged(figure("auroc", 0.8), checks=[check("M1")]))
    assert "M1" in found.then


def test_how_good_is_answered_with_the_figure_first():
    s = judged(figure("auroc", 0.8, baseline=0.82, baseline_name="Logistic regression"), checks=[check("E4")])
    assert advise(s, "evaluate", "How good is it?").rules[0] == "how_good"


@pytest.mark.parametrize(("words", "after"), [
    ("change the rounds from 50 to 80", 80), ("set rounds to 1,000", 1000), ("train for 80 rounds", 80),
    ("set rounds to 80, batch to 16", 80)])
def test_the_number_that_is_meant_is_proposed(words, after):
    s = made(run=run(moved={"epochs": (60, "usual")}))
    found = asked_change(s, words)
    assert found is not None and (found.parameter, found.after) == ("epochs", after)
