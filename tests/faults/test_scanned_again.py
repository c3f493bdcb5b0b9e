"""A folder that is scanned again while a training with much behind it waits: what it learned goes on all the same."""

from __future__ import annotations

import pytest

import worker
from medml import gallery, home, project, store
from medml.watch import Silent
from tests.faults.test_stops import (
    SHORT,
    gone_on,
    paused,
    queued,
    said_of,
    study,  # noqa: F401 - a fixture
    uninterrupted,  # noqa: F401 - a fixture
    whole_runs,
)
from worker.jobs import registry
from worker.jobs.train import SCANNED_AGAIN


def scan_again(job: str) -> None:
    """As its button does; every profile has the time that it was made at."""
    before = project.profile(store.get(job).project)
    registry.get("scan").run(type("Asked", (), {"payload": {"project": store.get(job).project}}), Silent())
    project.write(store.get(job).project, project.profile(store.get(job).project).model_copy(update={"made": "later"}))
    assert project.profile(store.get(job).project) != before


def test_a_training_whose_folder_was_scanned_again_goes_on_to_the_same_numbers(
        study, monkeypatch, uninterrupted):  # noqa: F811
    job = paused(study, monkeypatch, **SHORT)
    began = project.profile(store.get(job).project)
    scan_again(job)
    worker.go_on(job)
    done = gone_on(job)
    assert done.state == "done" and said_of(done.result["run"]) == uninterrupted
    assert gallery.open_run(done.result["run"]).profile == began
    assert not (home.home() / "work" / job).exists()


def test_other_data_that_were_scanned_since_are_told_and_the_old_ones_bring_it_on(
        study, monkeypatch, uninterrupted):  # noqa: F811
    job, before = paused(study, monkeypatch, **SHORT), study.read_text()
    study.write_text(before.replace("1", "2"))
    scan_again(job)
    worker.go_on(job)
    waits = gone_on(job)
    assert waits.is_paused and "has changed since it was scanned for this training" in waits.message
    study.write_text(before)
    worker.go_on(job)
    assert gone_on(job).state == "done" and said_of(whole_runs()[0]) == uninterrupted


def test_a_training_that_had_not_begun_before_its_folder_was_scanned_again_is_not_done(study):  # noqa: F811
    job = queued(study, **SHORT)
    scan_again(job)
    ended = gone_on(job)
    assert ended.state == "failed" and ended.error["what"] == SCANNED_AGAIN and whole_runs() == []


@pytest.mark.parametrize("content", ["", "{}", None], ids=["empty", "damaged", "gone"])
def test_a_training_whose_kept_profile_is_lost_promises_no_way_on(study, monkeypatch, content):  # noqa: F811
    job = paused(study, monkeypatch, **SHORT)
    kept = home.work_folder(job) / "profile.json"
    kept.unlink() if content is None else kept.write_text(content)
    scan_again(job)
    worker.go_on(job)
    ended = gone_on(job)
    assert ended.state == "failed" and ended.error["what"] == SCANNED_AGAIN and ended.error["fix"]
