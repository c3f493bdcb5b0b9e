"""What screens do with work: the same press twice is one job, the way on from an end, when tonight is, settings."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime

import numpy as np
import polars as pl
import pytest
import sample_report
from made import choice_of, table_of
from streamlit.testing.v1 import AppTest
from tables import clinic, planned, saved

import worker
from medml import home, project, store
from medml.gallery import Summary
from medml.recipe import propose_recipe
from medml.store import Progress
from medml.types import Repeats, SplitPlan, Table
from pages import _ui_again as again
from pages import _ui_ended as past
from pages import _ui_gallery as listed
from pages import _ui_live as live
from pages import _ui_metrics as metrics
from pages import _ui_night as nights
from pages import _ui_results as results
from pages import _ui_settings as said
from pages._ui_plan import split_words

MORE = {"run": "mlp-0", "rounds": 20, "project": None}


def press(run: str = "mlp-0", checkpoint: int = 0) -> str:
    return worker.enqueue("continue", MORE | {"run": run}, job_id=again.id_of("more", run, checkpoint))


def end(job: str) -> None:
    """As the worker leaves a job that has ended."""
    store.ask_stop(job)  # a waiting job is stopped at once
    assert store.get(job).ended_for_good


def test_more_rounds_asked_for_in_two_windows_are_one_job():
    assert press() == press()
    assert len(worker.jobs()) == 1


def test_another_checkpoint_or_run_is_another_job():
    assert len({press(), press(checkpoint=1), press(run="mlp-1")}) == 3


def test_what_has_ended_can_be_asked_for_again_and_is_again_one_job():
    first = press()
    end(first)
    second = press()
    assert second != first
    assert press() == second


def test_the_same_work_once_more_is_one_job_however_often_it_is_pressed():
    first = press()
    end(first)
    once = again.queue(worker.get(first))
    assert again.queue(worker.get(first)) == once != first
    assert worker.get(once).payload == worker.get(first).payload


@pytest.mark.parametrize("job, following", [("a" * 32, "a" * 32 + "-again1"), ("x-again1", "x-again2"),
                                            ("more-12-0-again9", "more-12-0-again10")])
def test_the_attempt_that_follows_has_an_id_of_its_own(job, following):
    assert again.next_id(job) == following


def test_the_way_from_an_end_leads_to_what_is_left_of_it():
    (home.runs_folder() / "mlp-0").mkdir(parents=True)
    job = worker.get(press())
    assert past.what_came_of(job, set()) == ("train", {"job": job.id})
    assert past.what_came_of(worker.get(press(run="gone")), set()) is None
    made = dataclasses.replace(job, result={"run": "mlp-0"})
    assert past.what_came_of(made, set()) == ("evaluate", {"run": "mlp-0"})


@pytest.mark.parametrize("now, moment, shown", [
    ("2026-11-22 10:00", "2026-11-22 20:00", "tonight at 20:00"), ("2026-11-22 22:00", "2026-11-23 02:30",
                                                                  "tonight at 02:30"),
    ("2026-11-22 22:00", "2026-11-23 20:00", "tomorrow at 20:00"), ("2026-11-22 10:00", "2026-11-22 15:30",
                                                                   "today at 15:30")])
def test_an_hour_is_said_as_a_person_says_it(now, moment, shown):
    seen = [datetime.fromisoformat(each).timestamp() for each in (moment, now)]
    assert nights.night(*seen) == shown


def test_nothing_is_said_of_more_rounds_where_a_family_has_none():
    assert "more rounds do not help" in live.figure_words("AUROC", "epoch")
    assert "more trees do not help" in live.figure_words("AUROC", "trees")
    assert "more" not in live.figure_words("AUROC", None)


def test_plain_regression_is_not_compared_with_itself():
    report = sample_report.report()
    assert metrics.others(report, "auto") == ["prevalence", "logistic"]
    assert metrics.others(report, "logistic") == ["prevalence"]


def test_why_figures_differ_speaks_of_repeats_only_where_there_are_several():
    assert "repeats" not in metrics.why_figures_differ(1)
    assert "means over 2 repeats" in metrics.why_figures_differ(2)


@pytest.mark.parametrize("key, value, shown", [
    ("family", "mlp", ("Family", "Neural network")), ("split: scheme", "cross_validation",
                                                      ("Judged by", "Cross-validation")),
    ("split: test_fraction", 0.25, ("Share kept closed", "25 %")), ("cleanup: impute", "on",
                                                                    ("Cleanup: missing values", "on")),
    ("parameter: epochs", 12, ("Rounds over the table", "12")),
    ("parameter: rate", 1e-05, ("Learning rate", "0.00001")),
    ("parameter: start", "scratch", ("Begins from", "nothing")), ("columns left out", "", ("Columns left out", "–"))])
def test_a_setting_is_said_in_the_words_of_its_screen(key, value, shown):
    assert said.setting(key, value, ["mlp", "cnn"]) == shown


def test_plain_regression_of_a_number_is_called_linear_on_its_card_in_the_gallery_and_in_a_comparison():
    def draw(task):
        from medml.types import Choice, TableRef
        from pages._ui_plan import pick_family
        pick_family(Choice(table=TableRef(path="t.csv"), target="y", task=task), "logistic", "auto", "m_family")

    for task, title in (("regression", "Linear regression"), ("binary", "Logistic regression")):
        assert title in AppTest.from_function(draw, args=(task,)).run().radio[0].options
        assert said.setting("family", "logistic", [], task) == ("Family", title)
        card = Summary(run="a", name="a", family="logistic", task=task, made="2026-01-01T00:00:00+00:00")
        assert title in listed.card(card) and listed.found([card], title) == [card]


def without_outcome(missing: int, *, twice: bool) -> Table:
    """A table of 420 rows by its scan: so many have no outcome; 210 patients come twice, or 420 once."""
    rows = [str(each) for each in range(420)]
    y = ["0"] * (210 - missing) + [""] * missing + ["1"] * 210
    table = table_of(pl.DataFrame({"who": rows, "age": rows, "y": y}), {"who": "identifier", "y": "yes_no"})
    come = Repeats(column="who", n_patients=210 if twice else 420, n_rows=420, most_rows=2)
    return table.model_copy(update={"repeats": come})


@pytest.mark.parametrize(("missing", "twice", "tiles", "divided"), [
    (8, True, "412 rows with an outcome 210 patients at most",
     "The patients with an outcome, at most 210, are divided"),
    (0, True, "420 rows with an outcome 210 patients 1", "The 210 patients are divided"),
    (8, False, "412 rows with an outcome 412 patients 1", "The 412 rows are divided")])
def test_configure_counts_nobody_as_judged_who_may_have_no_outcome(missing, twice, tiles, divided):
    def draw(table, choice, recipe):
        from medml.config import n_patients, some_may_fall_away
        from medml.types import SplitPlan
        from pages import _ui_plan as plan
        n = n_patients(table, choice, recipe)
        plan.task_card(table, choice, recipe)
        plan.ask_split(SplitPlan(by="patient" if n < 400 else "row", scheme="cross_validation"), "m_split", n,
                       at_most=some_may_fall_away(table, choice))

    table, choice = without_outcome(missing, twice=twice), choice_of("y", patient="who", positive="1")
    shown = AppTest.from_function(draw, args=(table, choice, propose_recipe(table, choice, "a" * 64))).run()
    text = " ".join(re.sub(r"<[^>]+>", " ", " ".join(each.value for each in shown.main if each.type == "html")).split())
    assert tiles in text and divided in text
    assert "at most" in split_words(SplitPlan(by="patient", scheme="held_out"), 210, True)


def test_every_part_of_a_split_has_a_name_on_the_screen():
    assert set(SplitPlan.model_fields) - set(said.SPLIT) == set()


def test_classes_are_counted_as_one_on_the_cleanup_screen_and_other_steps_have_no_empty_settings(tmp_path):
    def draw(at):
        from medml import project
        from medml.types import Effect
        from pages import _cleanup_steps as steps

        found, choice = project.profile(at), project.choice(at)
        for step in project.recipe(at).steps:
            steps.card(at, step, Effect(step=step.name, rows_before=1, rows_after=1, sentence="No change."),
                       found.table(choice.table), choice)

    table = clinic(150).assign(outcome=np.array(["none", "mild", "severe", "dead", "lost"])[np.arange(150) % 5])
    made = project.create(saved(table, tmp_path)).id
    profile, recipe, config = planned(tmp_path / "clinic.csv")
    for value in (profile, config.choice, recipe):
        project.write(made, value)
    shown = AppTest.from_function(draw, args=(made,), default_timeout=60).run()
    assert [each.label for each in shown.expander].count("Classes") == 1
    assert all(each.children for each in shown.expander)
    pick = next(each for each in shown.multiselect if each.label == "Classes that count as one")
    assert set(pick.options) == {"none", "mild", "severe", "dead", "lost"}
    shown = pick.select("mild").select("severe").run()
    second = [each for each in shown.multiselect if each.label == "Classes that count as one"][1]
    assert set(second.options) == {"none", "dead", "lost"}
    shown = second.select("dead").select("lost").run()
    [name] = [each for each in shown.text_input if each.value == "dead or lost"]
    name.set_value("gone").run()
    step = next(each for each in project.recipe(made).steps if each.name == "join_classes")
    assert step.params == {"classes": {"mild or severe": ["mild", "severe"], "gone": ["dead", "lost"]}}


def test_the_same_training_asked_for_twice_is_one_job_that_moves_to_the_hour_of_the_last_press(tmp_path):
    made = project.create(saved(clinic(90), tmp_path)).id
    profile, recipe, config = planned(tmp_path / "clinic.csv")
    for value in (profile, config.choice, recipe, config):
        project.write(made, value)
    first = again.training(made, 60.0, 0.0)
    assert again.training(made, 60.0, 0.0) == first  # a double click, or a reload before the page had changed
    assert again.training(made, 60.0, 4e9) == first and worker.get(first).not_before == 4e9
    assert again.training(made, 60.0, 0.0) == first and worker.get(first).not_before == 0
    project.write(made, config.model_copy(update={"seed": 7}))
    other = again.training(made, 60.0, 0.0)
    assert other != first and len(worker.jobs()) == 2
    end(other)
    assert again.training(made, 60.0, 0.0) not in (first, other)


def log_of_a_count():
    from medml.store import Progress
    from pages._ui_live import log_lines

    said = ["Reading the table", "1 of 120 images", "60 of 120 images", "120 of 120 images", "Fold 1 of 3: cleaning",
            "Fold 2 of 3: cleaning"]
    log_lines([Progress(at, 0.0, 1, "decoding", 0.1, words) for at, words in enumerate(said)])


def test_a_count_that_went_on_is_one_line_of_what_happened():
    log = AppTest.from_function(log_of_a_count, default_timeout=60).run().get("html")[-1].body
    assert re.findall(r"</span> ([^<]*)</p>", log) == ["Fold 2 of 3: cleaning", "Fold 1 of 3: cleaning",
                                                       "120 of 120 images", "Reading the table"]


def test_what_was_said_again_stands_once_where_it_was_said_first_and_only_the_newest_are_looked_at():
    rows = [Progress(at, float(at), 1, "learn", 0.1, words) for at, words in
            enumerate(["never looked at", "Fold 1", "Fold 2", "Fold 2", "", "Fold 2", "1 of 9 rows", "9 of 9 rows"])]
    read = live.newest(rows)
    assert [next(read) for _ in range(2)] == [(7.0, "9 of 9 rows"), (2.0, "Fold 2")]
    assert list(read) == [(1.0, "Fold 1"), (0.0, "never looked at")]


def points_looked_at_twice():
    import streamlit as st

    from medml.store import Progress
    from pages._ui_live import points_of

    rows = [Progress(at, 0.0, 1, "learn", 0.1, "", {"points": [{"round": at, "fold": 0}]}) for at in range(3)]
    first = [each.round for each in points_of("job-0001", rows[:2])]
    st.text(f"{first} {[each.round for each in points_of('job-0001', rows)]} {points_of('job-0002', [])}")


def test_a_live_curve_has_each_point_once_however_often_it_is_looked_at():
    shown = AppTest.from_function(points_looked_at_twice, default_timeout=60).run()
    assert not shown.exception and shown.text[0].value == "[0, 1] [0, 1, 2] []"


def log_of_nothing():
    from pages._ui_live import log_lines

    log_lines([])


def test_a_training_that_has_said_nothing_yet_has_an_empty_log():
    shown = AppTest.from_function(log_of_nothing, default_timeout=60).run()
    assert not shown.exception and "Nothing yet." in shown.get("html")[-1].body


def test_a_dot_beside_the_curve_of_several_folds_is_explained():
    divided = sample_report.report()
    assert "the mean of the folds' own" in results.roc_words(divided)
    assert "folds" not in results.roc_words(divided.model_copy(update={"measured_on": "validation part"}))
