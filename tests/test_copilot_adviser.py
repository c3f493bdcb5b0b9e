"""The built-in adviser: every rule quotes a figure and a name of the snapshot, and its sentence follows the figure."""

from __future__ import annotations

import re

import pytest
from snapshots import check, classes, column, curve, figure, group, made, report, run, step

from medml.copilot.adviser import advise, registry, rule
from medml.copilot.facts import STAGES, ClassShare, Snapshot
from medml.copilot.repair import unexplained


def columns(*found):
    return [column("age"), *found, column("disease", role="outcome", kind="yes_no")]


def judged(name: str, value: float, **known):
    """A snapshot whose report has one more figure."""
    return made(run=run(), report=report(figures=[figure(name, value, **known)], headline=name))


def line(name: str, value: float, half: float = 0.04, **known):
    return made(report=report(calibration={name: figure(name, value, half)}, **known))


def found(verdict_of: str, **figures):
    return made(run=run(), report=report(checks=[check(verdict_of, **figures)]))


MANY = [ClassShare(label=f"c{place}", share="14 %", pct=14.0) for place in range(7)]
TINY = [*classes(40.0), ClassShare(label="odd", share="fewer than 10")]

CASES = {  # rule: (a snapshot in which it speaks, the same with one figure changed)
    "leak": [made(columns=columns(column(worry="leak", auroc=each))) for each in (0.97, 0.99)],
    "outcome_proxy": [made(columns=columns(*[column(f"los{n}", worry="outcome_proxy") for n in range(many)]))
                      for many in (1, 2)],
    "row_order": [made(columns=columns(*[column(f"nr{n}", worry="row_order") for n in range(many)]))
                  for many in (1, 2)],
    "identifiers": [made(columns=columns(*[column(f"column {n + 2}", kind="identifier", role="patient")
                                           for n in range(many)])) for many in (1, 2)],
    "gaps": [made(columns=columns(column(missing=each))) for each in (49.0, 71.0)],
    "some_gaps": [made(columns=columns(column(missing=each))) for each in (8.0, 12.0)],
    "no_use": [made(columns=columns(*[column(f"c{n}", worry="constant") for n in range(many)])) for many in (1, 2)],
    "read_with_care": [made(columns=columns(*[column(f"c{n}", worry="mixed_types") for n in range(many)]))
                       for many in (1, 2)],
    "free_text": [made(columns=columns(*[column(f"note{n}", kind="text") for n in range(many)])) for many in (1, 2)],
    "dates": [made(columns=columns(*[column(f"day{n}", kind="date") for n in range(many)])) for many in (1, 2)],
    "unsteady": [made(columns=columns(column(kept=each))) for each in (0.2, 0.4)],
    "steady": [made(columns=columns(*[column(f"c{n}", kept=1.0) for n in range(many)])) for many in (1, 2)],
    "few_rows": [made(rows=each) for each in (84, 120)],
    "events_before": [made(classes=classes(), parameters=each) for each in (6, 12)],
    "imbalance": [made(classes=classes(each)) for each in (8.0, 12.0)],
    "untold_class": [made(classes=TINY), made(classes=[*TINY, TINY[-1]])],
    "many_classes": [made(task="multiclass", classes=MANY[:each]) for each in (6, 7)],
    "copies": [made(duplicates=each) for each in ("4 %", "fewer than 10")],
    "come_back": [made(repeats=True, patients=each) for each in (100, 150)],
    "nobody_told_apart": [made(patient=None, rows=each) for each in (303, 400)],
    "unread": [made(unread=each) for each in ("20 %", "40 %")],
    "switched_off": [made(steps=[step("Missing values", False), *[step(f"Step {n}") for n in range(many)]])
                     for many in (1, 2)],
    "bold_setting": [made(run=run(moved={"rate": (each, "aggressive")})) for each in (0.05, 0.08)],
    "timid_setting": [made(run=run(moved={"epochs": (each, "cautious")})) for each in (5, 8)],
    "hungry_family": [made(run=run(), cases=each) for each in (303, 400)],
    "rows_split": [made(run=run(), repeats=True, rows=each) for each in (303, 400)],
    "small_test": [made(run=run(scheme="held_out"), cases=each) for each in (303, 400)],
    "one_division": [made(run=run(folds=each)) for each in (3, 5)],
    "many_tried": [made(run=run(compared=each)) for each in (5, 9)],
    "over_learning": [made(run=run(), curve=curve("over-learning", best_round=each)) for each in (20, 40)],
    "still_improving": [made(run=run(), curve=curve("still improving", unseen_last=each)) for each in (0.5, 0.6)],
    "never_learned": [made(run=run(), curve=curve("never learned", unseen_best=each)) for each in (0.69, 0.695)],
    "level_curve": [made(run=run(), curve=curve("level", rounds=each)) for each in (60, 90)],
    "far_apart": [made(run=run(), curve=curve("level", train_last=each)) for each in (0.1, 0.2)],
    "near_chance": [judged("auroc", each) for each in (0.52, 0.57)],
    "how_good": [judged("auroc", each) for each in (0.72, 0.93)],
    "too_good": [judged("auroc", each, half=0.005) for each in (0.985, 0.994)],
    "wide_interval": [judged("auroc", 0.8, half=each) for each in (0.1, 0.15)],
    "no_better": [judged("auroc", 0.8, baseline=each, baseline_name="Logistic regression") for each in (0.8, 0.83)],
    "better": [judged("auroc", 0.8, baseline=each, baseline_name="Logistic regression") for each in (0.7, 0.75)],
    "low_sensitivity": [judged("sensitivity", each) for each in (0.45, 0.6)],
    "fine_sensitivity": [judged("sensitivity", each) for each in (0.85, 0.9)],
    "low_specificity": [judged("specificity", each) for each in (0.45, 0.6)],
    "low_ppv": [judged("ppv", each) for each in (0.2, 0.3)],
    "threshold": [made(run=run(), report=report(threshold=each)) for each in (0.2, 0.4)],
    "number_error": [judged("r2", each) for each in (0.02, 0.4)],
    "worst_group": [made(report=report(groups=[group("female", each), group("male", 0.9)])) for each in (0.6, 0.7)],
    "gain_of_more": [made(report=report(more=150, more_gain=each)) for each in (0.002, 0.03)],
    "too_extreme": [line("slope", each) for each in (0.5, 0.7)],
    "too_timid": [line("slope", each) for each in (1.3, 1.6)],
    "well_calibrated": [line("slope", each) for each in (0.9, 1.1)],
    "off_on_average": [line("intercept", each) for each in (-0.4, 0.5)],
    "distance": [line("ici", each) for each in (0.03, 0.06)],
    "recalibrate": [line("ici", each, recalibrated=0.02) for each in (0.07, 0.1)],
    "no_benefit": [made(report=report(gain=each)) for each in (-0.01, -0.03)],
    "benefit": [made(report=report(gain=each)) for each in (0.01, 0.03)],
    "optimism": [found("E8", gap=each) for each in (0.12, 0.2)],
    "events_after": [found("N2", ratio=each) for each in (4.5, 12.8)],
    "too_few_patients": [found("N1", needed=each) for each in (494, 662)],
    "worst_check": [made(report=report(checks=[check(each) for each in names])) for names in (["E4"], ["E4", "E7"])],
    "all_passed": [made(report=report(passed=each)) for each in (30, 36)],
    "not_elsewhere": [made(report=report(), cases=each) for each in (303, 400)],
    "elsewhere": [made(report=report(external=each)) for each in (0.84, 0.7)],
    "opened_often": [made(report=report(looks=each)) for each in (2, 3)],
    "closed_part": [made(report=report(held_out=each)) for each in (0.8, 0.7)],
    "abstains": [made(report=report(silent=each)) for each in (0.16, 0.3)],
    "few_gaps": [made(columns=columns(*[column(f"c{n}", missing=0.5) for n in range(many)])) for many in (1, 2)],
    "coded_gaps": [made(stage="cleanup", columns=columns(*[column(f"c{n}", worry="sentinel_missing")
                                                          for n in range(many)])) for many in (1, 2)],
    "enough": [made(classes=classes(each), parameters=2) for each in (16.0, 30.0)],
    "no_leak": [made(columns=columns(*[column(f"c{n}") for n in range(many)])) for many in (1, 2)],
    "groups_alike": [made(report=report(groups=[group(f"g{n}", 0.85) for n in range(many)])) for many in (2, 3)],
    "not_by_heart": [made(run=run(folds=each)) for each in (3, 5)],
    "at_home": [made(rows=each) for each in (303, 400)],
    "at_scan": [made(rows=each) for each in (303, 400)],
    "at_preview": [made(rows=each) for each in (303, 400)],
    "at_cleanup": [made(steps=[step("Missing values"), step("Exact copies", each)]) for each in (True, False)],
    "at_configure": [made(run=run(folds=each)) for each in (3, 5)],
    "at_train": [made(run=run(), cases=each) for each in (303, 400)],
    "at_evaluate": [made(report=report(passed=each, checks=[check("E4")])) for each in (30, 36)],
    "at_explain": [made(run=run()), made(run=run(), columns=columns(column()))],
    "at_predict": [judged("auroc", each) for each in (0.8, 0.9)]}


def figures_of(text: str, of: Snapshot) -> list[str]:
    """The numbers of a sentence that stand in no name ("c0", "column 2") and in no wording of ours (100 patients)."""
    for name in of.names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text)
    return re.findall(r"\d+(?:[.,]\d+)*", text)


def test_every_rule_has_a_case_here():
    assert set(CASES) == set(registry.names()) and len(CASES) >= 40


@pytest.mark.parametrize("name", CASES)
def test_a_changed_figure_changes_the_sentence(name):
    first, second = CASES[name]
    known = registry.get(name)
    said, other = known.ask(first), known.ask(second)
    assert figures_of(said.text, first) != figures_of(other.text, second)
    for advice, of in ((said, first), (other, second)):
        assert figures_of(advice.text, of), advice.text
        names = [*of.names, *(each.title for each in of.steps)]
        assert any(re.search(rf"(?<!\w){re.escape(each)}(?!\w)", advice.text) for each in names), advice.text
        assert advice.text.count("**") % 2 == 0 and advice.then and not advice.then.endswith(".")


@pytest.mark.parametrize("name", CASES)
def test_a_rule_says_nothing_where_it_has_no_ground(name):
    assert registry.get(name).ask(made(columns=[], target=None, patient="column 9", rows=5000, cases=None,
                                       patients=None)) is None


@pytest.mark.parametrize("name", CASES)
def test_an_answer_has_the_form_of_every_answer(name):
    known = registry.get(name)
    stage = sorted(known.at)[0]
    said = advise(CASES[name][0], stage, "").text
    assert unexplained(said, CASES[name][0].names) == []
    lines = said.split("\n")
    assert len(lines) <= 10 and lines[-1].startswith("Next step: ")
    assert all(each.startswith("- ") for each in lines[:-1])


@pytest.mark.parametrize(("question", "name"), [
    ("Why is sensitivity low?", "low_sensitivity"), ("why do we miss so many patients", "low_sensitivity"),
    ("Too many false alarms!", "low_specificity"), ("Are the probabilities right?", "too_extreme"),
    ("Is this model worth it beside a simple model?", "no_better"), ("Did it overfit?", "over_learning"),
    ("Are women worse off?", "worst_group"), ("what next?", "worst_check"),
    ("Which of these columns worry you?", "leak")])
def test_the_question_chooses_what_is_said_first(question, name):
    s = made(run=run(), curve=curve("over-learning"), columns=columns(column("los", worry="leak", auroc=0.99)),
             report=report(figures=[figure("auroc", 0.8, baseline=0.82, baseline_name="Logistic regression"),
                                    figure("sensitivity", 0.5), figure("specificity", 0.6)],
                           calibration={"slope": figure("slope", 0.5)}, checks=[check("E4")],
                           groups=[group("female", 0.6), group("male", 0.9)]))
    assert advise(s, "evaluate", question).rules[0] == name


@pytest.mark.parametrize(("stage", "question", "name"), [
    ("scan", "Does a column give the answer away?", "no_leak"), ("home", "Is there enough data?", "enough"),
    ("scan", "Is there enough data?", "enough"), ("configure", "Is there enough data?", "enough"),
    ("preview", "What is missing?", "few_gaps"),
    ("train", "Has it learned by heart?", "not_by_heart"), ("evaluate", "Did it overfit?", "not_by_heart"),
    ("explain", "Is it worse for some groups?", "groups_alike"), ("explain", "Which columns matter?", "at_explain"),
    ("predict", "When does it give no answer?", "abstains")])
@pytest.mark.parametrize("silent", [0.0, 0.2])
def test_a_question_that_is_offered_is_answered_where_nothing_is_wrong_too(stage, question, name, silent):
    said = advise(made(run=run("logistic"), report=report(silent=silent)), stage, question)
    assert said.rules[0] == name and "Nothing in this work" not in said.text


@pytest.mark.parametrize(("of", "said"), [
    ([], "No groups among 303 cases"),
    ([group("female", None), group("male", None)], "2 groups by **sex** have too few"),
    ([group("female", 0.85), group("male", None)], "in 1 of 2 groups"),
    ([group("female", 0.7), group("male", None)], "It does worse where **sex** is “female”")])
def test_groups_are_spoken_of_by_what_is_known_of_them(of, said):
    assert said in advise(made(run=run("logistic"), report=report(groups=of)), "explain",
                          "Is it worse for some groups?").text


def test_codes_for_missing_are_gaps_too():
    """Pima's insulin is 0 in half of the rows, and in no row empty."""
    s = made(columns=columns(column("insulin", worry="sentinel_missing")))
    assert registry.get("few_gaps").ask(s) is None and "insulin" in advise(s, "preview", "What is missing?").text
    doubted = made(report=report(checks=[check("M1")]))
    assert registry.get("few_gaps").ask(doubted) is None and registry.get("few_gaps").ask(made()) is not None


@pytest.mark.parametrize("stage", ["scan", "preview", "cleanup"])
@pytest.mark.parametrize("question", ["What should I do next?", "Which columns worry you?", "What is missing?"])
def test_codes_for_missing_are_spoken_of_once_in_an_answer(stage, question):
    s = made(stage=stage, columns=columns(column("insulin", worry="sentinel_missing")))
    assert advise(s, stage, question).text.count("- 1 column ") == 1


@pytest.mark.parametrize("asks", ["N1", "N2"])
def test_enough_is_not_said_where_a_check_says_otherwise(asks):
    assert registry.get("enough").ask(made(report=report(checks=[check(asks)]))) is None
    assert "303 cases" in registry.get("enough").ask(made(report=report())).text
    assert "303 rows" in registry.get("enough").ask(made()).text


def test_before_a_training_nothing_is_to_be_read_of_it():
    assert registry.get("imbalance").ask(made(classes=classes(8.0))).then.startswith("once a model is trained, read ")
    assert registry.get("imbalance").ask(made(classes=classes(8.0), report=report())).then.startswith("read ")


def test_what_a_word_means_comes_with_the_figure_of_this_run():
    said = advise(judged("sensitivity", 0.5), "evaluate", "What is sensitivity?").text
    assert said.startswith("- **Sensitivity**: ") and "0.5 (0.46 to 0.54)" in said


@pytest.mark.parametrize(("code", "severity", "said"), [
    ("units_in_cells", "note", "2 of them with a question"), ("leak", "caution", "2 of them with a question"),
    ("single_outcome", "note", "none of them with a question")])
def test_next_on_the_scan_counts_the_columns_that_other_advice_asks_to_look_at(code, severity, said):
    s = made(columns=columns(*[column(f"c{n}", worry=code, severity=severity) for n in range(2)]))
    next_step = registry.get("at_scan").ask(s)
    assert said in next_step.text and ("questions" in next_step.then) == ("2 of" in said)
    read = registry.get("read_with_care").ask(s)
    assert read is None or read.text.startswith("2 columns")


def test_a_column_that_the_question_names_comes_first():
    s = made(columns=columns(column("los", worry="leak", auroc=0.99), column("insulin", missing=60.0)))
    assert advise(s, "scan", "what about insulin, is that column fine?").rules[0] == "gaps"


def test_a_question_without_an_answer_here_is_answered_with_what_stands_out():
    said = advise(made(run=run(folds=3)), "configure", "is it fair to women?")
    assert said.text.startswith("- Nothing in this work on the outcome **disease** answers that")
    assert said.rules and "Next step: " in said.text


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_something_to_say_and_an_empty_folder_too(stage):
    steps = [step("Missing values")]
    assert advise(made(run=run(), report=report(), steps=steps, stage=stage), stage, "what next?").rules
    empty = advise(made(columns=[], rows=None, cases=None, patients=None, target=None), stage, "hm")
    assert "**no figures** here" in empty.text and empty.text.split("\n")[-1].startswith("Next step: ")


def test_a_curve_that_still_falls_proposes_more_rounds():
    s = made(run=run(moved={"epochs": (60, "usual")}), curve=curve("still improving"))
    found = advise(s, "train", "is it still falling?").proposal
    assert (found.parameter, found.before, found.after) == ("epochs", 60, 90) and "round 60" in found.reason


def test_a_rule_about_something_unknown_is_refused():
    with pytest.raises(ValueError, match="unknown"):
        rule("wrong", about="weather", at="evaluate", weight=1)


@pytest.mark.parametrize("question", ["", "Is there enough data?", "high"])
def test_where_no_project_is_open_no_figure_is_made_up(question):
    said = advise(Snapshot(stage="home", k=10, rows=None), "home", question).text
    assert "no project is open" in said and "rows" not in said
    assert said.endswith("Next step: open a project and scan its folder, then ask again there.")
