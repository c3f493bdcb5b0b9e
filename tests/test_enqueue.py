"""A training put into the queue from a terminal: now, tonight, and stopped again."""

from __future__ import annotations

from datetime import datetime

import pytest
from tables import clinic, saved

from medml import clock, gallery, project, store
from medml.__main__ import main
from medml.commands.enqueue import when
from tests.at_work import at_work, ended


@pytest.fixture
def source(tmp_path):
    return saved(clinic(100), tmp_path)


def enqueue(source, *more: str) -> store.Job:
    code = main(["enqueue", "train", str(source), "--target", "outcome", "--family", "logistic", "--folds", "2", *more])
    assert code == 0
    return store.jobs()[0]


def test_the_worker_trains_what_a_terminal_put_into_the_queue(source, monkeypatch, capsys):
    job = enqueue(source, "--name", "From the terminal", "--seed", "3")
    assert job.state == "queued" and f"In the queue as job {job.id[:12]}" in capsys.readouterr().out
    with at_work(monkeypatch):
        done = ended(job.id)
    assert done.state == "done", done.error
    run = gallery.open_run(done.result["run"])
    assert (run.label.name, run.config.seed, run.config.split.folds) == ("From the terminal", 3, 2)
    assert project.runs_of(job.project) == [run.run]


def test_a_training_of_tonight_waits_until_its_hour_and_is_stopped_by_the_beginning_of_its_id(source, capsys):
    job = enqueue(source, "--at", "20:00")
    assert job.not_before == clock.tonight(20)
    assert "it starts at 20:00 on" in capsys.readouterr().out
    assert main(["stop", job.id[:12]]) == 0
    assert "It was waiting and is stopped." in capsys.readouterr().out and store.get(job.id).state == "stopped"
    assert main(["stop", job.id]) == 0
    assert "has ended already: stopped." in capsys.readouterr().out


@pytest.mark.parametrize("hour", ["25:00", "20", "8 pm", "20:60", ""])
def test_what_is_no_hour_is_refused_before_the_folder_is_read(source, hour, capsys):
    assert main(["enqueue", "train", str(source / "gone"), "--target", "outcome", "--at", hour]) == 2
    assert "Write it as HH:MM" in capsys.readouterr().err and store.jobs() == []


def test_an_hour_is_the_next_time_the_clock_shows_it():
    now = datetime.fromisoformat("2026-11-22 21:30").timestamp()
    assert datetime.fromtimestamp(when("20:00", now)) == datetime.fromisoformat("2026-11-23 20:00")
    assert when(None, now) == 0.0


@pytest.mark.parametrize("job", ["nothing", ""])
def test_a_job_that_is_not_there_or_not_one_is_not_stopped(source, job, capsys):
    enqueue(source)
    enqueue(source)
    assert main(["stop", job]) == 2
    assert "Take the id from what `jobs` prints." in capsys.readouterr().err
    assert {each.state for each in store.jobs()} == {"queued"}


def test_the_held_out_part_is_not_opened_from_the_queue(source, capsys):
    assert main(["enqueue", "train", str(source), "--target", "outcome", "--open"]) == 2
    assert "Leave --open out" in capsys.readouterr().err
