"""Going on with a run on screen and by its jobs, for runs of a project and for runs made on the command line."""

from __future__ import annotations

import types

import pytest
from streamlit.testing.v1 import AppTest

import worker
from medml import families, gallery, project
from medml.errors import UserError
from medml.report import wording
from medml.train import train
from medml.types import SplitPlan
from medml.watch import Silent
from pages._ui_jobs import Halt
from pages._ui_live import what_a_stop_keeps
from tests.tables import clinic, planned, saved
from tests.test_ui_jobs import ROUTER
from worker.jobs import registry

CLOSED = SplitPlan(by="patient", scheme="held_out", folds=3, repeats=1)
PROJECT_GONE = "the folder that this run was made from is not there"


@pytest.fixture
def source(tmp_path):
    return saved(clinic(240), tmp_path / "study").parent


def made(source, **plan) -> str:
    """A run as the command line makes it: it belongs to no project."""
    return train(source, *planned(source, **plan))


def do(kind: str, payload: dict) -> dict:
    job = types.SimpleNamespace(id="job-00000001", payload=payload, halved=0, is_finishing=False)
    return registry.get(kind).run(job, Silent())


def screen(run: str, part: str) -> AppTest:
    """One part of the Evaluate screen for a run, without a browser."""

    def draw(run, part):
        from medml import gallery
        from pages import _ui_chain as chain

        opened = gallery.open_run(run)
        more = [chain.at_work_on(run), chain.lost(opened)] if part == "go_on" else []
        getattr(chain, part)(opened, *more)

    return AppTest.from_function(draw, kwargs={"run": run, "part": part}, default_timeout=60).run()


def words(shown: AppTest) -> str:
    return " ".join(each.body for each in shown.get("html")).lower()


def open_it(shown: AppTest) -> AppTest:
    shown.checkbox[0].check().run()
    return shown.button[0].click().run()


def test_the_jobs_find_the_table_of_a_run_without_a_project(source):
    run = made(source, family="mlp", params={"epochs": 3}, split=CLOSED)
    do("continue", {"run": run, "rounds": 2, "project": None})
    assert gallery.open_run(run).chain.current == 1
    do("held_out", {"run": run})
    assert gallery.open_run(run).report.looks == 1


def test_the_report_says_how_far_the_final_model_really_went(source):
    run = made(source, family="mlp", params={"epochs": 3})
    settings = wording.settings(gallery.open_run(run))
    assert "Rounds over the table: 3; " in settings
    assert settings.endswith("; Rounds that the final model went through: 3")
    do("continue", {"run": run, "rounds": 2, "project": None})
    went = gallery.open_run(run).checkpoint.rounds
    assert went > 3 and wording.settings(gallery.open_run(run)).endswith(f"went through: {went}")


def test_the_jobs_say_where_the_folder_of_a_run_is_gone(source):
    run = made(source, split=CLOSED)
    source.rename(source.with_name("elsewhere"))
    with pytest.raises(UserError) as refused:
        do("held_out", {"run": run, "project": None})
    assert refused.value.what == f"There is no folder or file {source}."


def test_a_run_of_the_command_line_is_continued_and_opened_on_screen(source):
    run = made(source, family="mlp", params={"epochs": 3}, split=CLOSED)
    shown = screen(run, "go_on")
    assert PROJECT_GONE not in words(shown)
    further = next(each for each in shown.button if each.key.startswith("m_next"))  # the key names run and checkpoint
    assert further.label == "Train for 20 more rounds" and not further.disabled
    open_it(screen(run, "held_out"))
    waiting = worker.jobs()
    assert [(each.kind, each.project, each.payload["run"]) for each in waiting] == [("held_out", None, run)]


def test_only_where_the_folder_is_not_there_a_run_cannot_go_on(source):
    run = made(source, family="mlp", params={"epochs": 3}, split=CLOSED)
    source.rename(source.with_name("elsewhere"))
    shown = screen(run, "go_on")
    assert PROJECT_GONE in words(shown) and shown.button(key="m_next").disabled


def test_a_network_beside_a_run_of_the_command_line_gets_a_project_of_its_own(source):
    run = made(source)
    screen(run, "go_on").button(key="m_next").click().run()
    made_for_it = project.all_projects()
    assert [each.source for each in made_for_it] == [str(source)]
    assert project.runs_of(made_for_it[0].id) == [run]
    assert [(each.kind, each.project) for each in worker.jobs()] == [("train", made_for_it[0].id)]


@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_the_closed_part_can_be_asked_for_again_after_a_look_that_did_not_happen(source, end):
    run = made(source, split=CLOSED)
    shown = open_it(screen(run, "held_out"))
    first = worker.jobs()[0].id
    if end == "stopped":
        worker.stop(first)
    else:
        from medml import store

        store.finish(first, store.claim("quick", "me", 30).token, "failed", error={"what": "No.", "fix": "Again."})
    shown.run()
    shown.button[0].click().run()
    assert len(worker.jobs()) == 2 and not worker.jobs()[0].ended_for_good


def test_two_clicks_are_one_look(source):
    run = made(source, split=CLOSED)
    shown = open_it(screen(run, "held_out"))
    shown.button[0].proto.disabled = False  # the second click came before the button was drawn disabled
    shown.button[0].click().run()
    assert len(worker.jobs()) == 1
    again = screen(run, "held_out")  # another window while it waits
    assert again.button[0].disabled


def test_the_stop_button_promises_what_a_stop_keeps():
    def said(kind, family):
        return what_a_stop_keeps(kind, families.registry.get(family).round)

    assert said("train", "mlp").label == "Stop and keep the best"
    for family in ("forest", "boosting"):
        label, kept = said("train", family).label, said("train", family).kept
        assert label == "Stop and keep the trees" and "trees so far are kept" in kept
    for family in ("auto", "logistic"):
        label, kept = said("train", family).label, said("train", family).kept
        assert label == "Stop" and "nothing of this training is kept" in kept
    assert said("continue", "mlp") == Halt("Stop and keep the best", "If you stop: the best round so far is kept, once "
                                           "learning has gone on in every fold; you can go back.")


@pytest.mark.parametrize("way", ["m_open_RUN", "details"])
def test_a_model_of_another_project_than_the_open_one_is_the_one_that_the_gallery_opens(source, way):
    run, theirs = made(source), project.create(source, "Theirs").id
    project.add_run(theirs, run)
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["project"] = page.session_state["m_current_project"] = project.create(source, "Open").id
    if way == "details":
        page.session_state["m_view"], page.session_state["m_current_run"] = "details", run
    page = page.run().switch_page("gallery.py").run()
    page.button(key="m_next" if way == "details" else f"m_open_{run}").click().run()
    assert not page.exception and page.session_state["m_current_project"] == theirs
    assert "there is no model to look at yet" not in words(page) and gallery.open_run(run).label.name.lower() in \
        words(page)
