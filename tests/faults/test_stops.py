"""A real training that is stopped anywhere leaves a whole run or none; its folder may go while it learns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

import worker
from bench.tortured import told_of
from medml import fitting, gallery, home, project, store, unjudged
from medml.data.source import TableSource
from medml.errors import UserError
from medml.train import train
from tests.at_work import ROOT, until
from tests.tables import clinic, planned, saved
from worker import run
from worker.attempt import settle
from worker.watch import JobWatch

ENDLESS = {"family": "mlp", "params": {"epochs": 5_000, "patience": 500}}
TREES = {"family": "boosting", "params": {"trees": 3_000}}
SHORT = {"family": "mlp", "params": {"epochs": 4}}


@pytest.fixture
def study(tmp_path):
    return saved(clinic(100), tmp_path / "study")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What a short training says that nobody stops, in a home of its own."""
    place = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(place / "home"))
        source = saved(clinic(100), place / "study")
        return said_of(train(source, *planned(source.parent, **SHORT)))


def said_of(run: str) -> tuple:
    """Weights and out-of-fold answers, figures, curves."""
    opened = gallery.open_run(run)
    return told_of(run), opened.report.metrics, [(each.round, each.train, each.out_of_fold) for each in opened.history]


def queued(study, **plan) -> str:
    """The real training of a project, in the queue."""
    made = project.create(study.parent).id
    profile, recipe, config = planned(study.parent, **plan)
    for value in (profile, config.choice, recipe, config):
        project.write(made, value)
    return worker.enqueue("train", {"project": made})


def worked(monkeypatch, job: str, at: str, act) -> store.Job:
    """Do the job as its child process would, and act once when it says to be at a stage."""
    said, left = JobWatch.say, [act]

    def say(self, stage, fraction, message=""):
        said(self, stage, fraction, message)
        if stage == at and left:
            left.pop()(self)

    monkeypatch.setattr(JobWatch, "say", say)
    return gone_on(job)


def gone_on(job: str) -> store.Job:
    """Claim it and do it, as a worker and its child would."""
    claimed = store.claim("train", "me", 30)
    assert claimed.id == job
    settle(claimed, "exited", run.work(claimed, claimed.token))
    return store.get(job)


def stop(watch: JobWatch) -> None:
    """As a person does, and wait until the word has come."""
    store.ask_stop(watch.job_id)
    while not watch._stop:
        time.sleep(0.01)


def pause(watch: JobWatch) -> None:
    store.ask_pause(watch.job_id)
    while watch._pause is None:
        time.sleep(0.01)


def stop_at_a_round(watch: JobWatch) -> None:
    """Stop it as soon as the final model learns too: every fold has begun."""
    point = watch.point

    def seen(each):
        point(each)
        if each.fold == -1 and not watch._stop:
            stop(watch)
    watch.point = seen


def whole_runs() -> list[str]:
    """Every run of the gallery, opened whole; and nothing half made lies beside them."""
    assert not [each for each in home.runs_folder().iterdir() if each.name.startswith(".")]
    return [gallery.open_run(each.run).run for each in gallery.runs()]


def test_a_stop_in_the_queue_ends_the_job_at_once(study):
    job = queued(study, **SHORT)
    worker.stop(job)
    assert store.get(job).state == "stopped" and store.claim("train", "me", 30) is None and whole_runs() == []


@pytest.mark.parametrize(("at", "plan", "left"), [("read", ENDLESS, 0), ("train", ENDLESS, 0), ("evaluate", SHORT, 1),
                                                  ("save", SHORT, 1)])
def test_a_stop_leaves_a_whole_run_or_none(study, monkeypatch, at, plan, left):
    monkeypatch.setattr(unjudged, "TO_END", 600.0)  # what is left to do is soon done
    job = worked(monkeypatch, queued(study, **plan), at, stop)
    assert job.state in ("stopped", "done") and len(whole_runs()) == left
    assert (job.result or {}).get("run", "") == "".join(whole_runs())
    assert not (home.home() / "work" / job.id).exists()


@pytest.mark.parametrize(("at", "act", "message"), [("evaluate", stop, run.ENOUGH), ("save", stop, run.ENOUGH),
                                                    ("evaluate", pause, run.PAUSING)],
                         ids=["judging", "saving", "pause"])
def test_a_stop_while_much_is_left_to_judge_keeps_what_was_learned(study, monkeypatch, uninterrupted, at, act,
                                                                       message):
    """Within seconds nothing runs and nothing half is listed; let go on, it becomes what it would have become."""
    monkeypatch.setattr(unjudged, "TO_END", 0.0)
    job = worked(monkeypatch, queued(study, **SHORT), at, act)
    assert job.is_paused and job.stop is None and whole_runs() == [] and job.message == message
    with monkeypatch.context() as patched:
        patched.setattr(fitting, "fit_all", None)  # nothing is learned again
        if at == "evaluate" and act is stop:
            worker.go_on(job.id)
            job = worked(patched, job.id, "read", stop)  # stopped anew as it is loaded: no judging is begun
            assert job.is_paused and whole_runs() == []
        worker.go_on(job.id)
        job = gone_on(job.id)
    assert job.state == "done" and whole_runs() == [job.result["run"]]
    assert not (home.home() / "work" / job.id).exists()
    assert said_of(job.result["run"]) == uninterrupted


def test_a_stop_in_an_epoch_keeps_the_best_round_of_every_fold(study, monkeypatch):
    """And judges it, however long that takes: whoever stops a training asks for the best that it has."""
    monkeypatch.setattr(unjudged, "TO_END", 0.0)
    job = worked(monkeypatch, queued(study, **ENDLESS), "read", stop_at_a_round)
    name, = whole_runs()
    assert job.state == "stopped" and job.result == {"run": name}
    opened = gallery.open_run(name)
    assert max(each.round for each in opened.history) < 100 and opened.config.compared == 2  # a stop by hand counts


def test_what_a_stop_in_an_epoch_keeps_can_be_judged_later(study, monkeypatch):
    """Learning has ended; whoever does not want to wait for the judging either pauses it, and nothing is lost."""
    def judging_takes_long(watch: JobWatch) -> None:
        stop_at_a_round(watch)
        said = watch.say

        def say(stage, *rest):
            said(stage, *rest)
            if stage == "evaluate" and watch._pause is None:
                until(lambda: store.get(watch.job_id).is_judging)  # as the screen knows it
                pause(watch)
        watch.say = say

    job = worked(monkeypatch, queued(study, **ENDLESS), "read", judging_takes_long)
    assert job.is_paused and job.stop is None and job.message == run.ENOUGH and whole_runs() == []
    worker.go_on(job.id)
    with monkeypatch.context() as patched:
        patched.setattr(fitting, "fit_all", None)  # it does not learn on: its learning was stopped
        job = gone_on(job.id)
    opened = gallery.open_run(job.result["run"])
    assert job.state == "done" and max(each.round for each in opened.history) < 100 and opened.config.compared == 2


def test_a_stop_and_then_a_pause_between_two_looks_lose_nothing_of_what_was_learned(study, monkeypatch):
    job = worked(monkeypatch, queued(study), "save", lambda watch: (stop(watch), pause(watch)))
    assert job.is_paused and job.stop is None and job.message == run.ENOUGH and whole_runs() == []
    worker.go_on(job.id)
    assert gone_on(job.id).state == "done" and len(whole_runs()) == 1


def pause_at_a_round(watch: JobWatch) -> None:
    """Pause it as soon as the final model learns too."""
    point = watch.point

    def seen(each):
        point(each)
        if each.fold == -1 and watch._pause is None:
            pause(watch)
    watch.point = seen


def rounds_of(job: str) -> list[tuple[int, int, int]]:
    """Every round that was learned, in every fold, by all attempts."""
    return sorted({(each.repeat, each.fold, each.round) for row in store.progress_since(job) for each in row.points})


def paused(study, monkeypatch, **plan) -> str:
    """A training that learns, and then pauses."""
    with monkeypatch.context() as patched:
        job = worked(patched, queued(study, **plan), "read", pause_at_a_round)
    assert job.is_paused and rounds_of(job.id)
    return job.id


@pytest.mark.parametrize("plan", [ENDLESS, TREES], ids=["rounds", "trees"])
def test_a_stop_on_a_paused_training_ends_it_with_what_it_has_learned(study, monkeypatch, plan):
    """It waits for its turn once more, learns nothing further, and is judged and listed as any that was stopped."""
    job = paused(study, monkeypatch, **plan)
    learned = rounds_of(job)
    worker.stop(job)
    worker.stop(job)  # clicked twice
    waits = store.get(job)
    assert waits.state == "interrupted" and waits.stop is not None and waits.is_finishing and not waits.is_paused
    ended = gone_on(job)
    name, = whole_runs()
    opened = gallery.open_run(name)
    assert ended.state == "stopped" and ended.result == {"run": name} and rounds_of(job) == learned
    assert {(each.repeat, each.fold, each.round) for each in opened.history} <= set(learned)
    assert opened.config.compared == 2 and opened.report.metrics


def test_a_stop_on_a_training_that_was_paused_as_it_was_judged_has_it_judged(study, monkeypatch, uninterrupted):
    monkeypatch.setattr(unjudged, "TO_END", 0.0)
    with monkeypatch.context() as patched:
        job = worked(patched, queued(study, **SHORT), "evaluate", stop)
    assert job.is_paused and job.message == run.ENOUGH
    worker.stop(job.id)
    monkeypatch.setattr(fitting, "fit_all", None)  # nothing is learned again
    ended = gone_on(job.id)
    assert ended.state == "stopped" and said_of(ended.result["run"])[1:] == uninterrupted[1:]


def test_more_rounds_that_are_stopped_while_they_are_paused_become_a_checkpoint(study, monkeypatch):
    made = train(study, *planned(study, **SHORT))
    job = worker.enqueue("continue", {"run": made, "rounds": 4_000})
    with monkeypatch.context() as patched:
        assert worked(patched, job, "read", pause_at_a_round).is_paused
    learned = rounds_of(job)
    worker.stop(job)
    assert gone_on(job).state == "stopped" and rounds_of(job) == learned
    assert len(gallery.open_run(made).chain.checkpoints) == 2


@pytest.mark.parametrize("plan", [SHORT, {"family": "logistic"}], ids=["before a round", "in one go"])
def test_a_stop_on_a_paused_training_that_has_learned_nothing_to_keep_simply_ends_it(study, monkeypatch, plan):
    with monkeypatch.context() as patched:
        job = worked(patched, queued(study, **plan), "train", pause)
    assert job.is_paused
    worker.stop(job.id)
    assert store.get(job.id).state == "stopped" and store.claim("train", "me", 30) is None and whole_runs() == []


def test_a_project_that_goes_leaves_no_training_behind_to_be_judged(study, monkeypatch):
    job = paused(study, monkeypatch, **SHORT)
    project.delete(store.get(job).project)
    assert store.get(job).state == "stopped"


def test_a_pause_takes_back_a_stop_that_waits_for_its_turn(study, monkeypatch, uninterrupted):
    job = paused(study, monkeypatch, **SHORT)
    worker.stop(job)
    worker.pause(job)
    assert store.get(job).is_paused and store.get(job).stop is None and store.claim("train", "me", 30) is None
    worker.go_on(job)
    assert gone_on(job).state == "done" and said_of(whole_runs()[0]) == uninterrupted


def test_what_was_stopped_while_it_was_paused_can_still_be_judged_later(study, monkeypatch):
    job = paused(study, monkeypatch, **ENDLESS)
    worker.stop(job)
    with monkeypatch.context() as patched:
        later = worked(patched, job, "evaluate", pause)
    assert later.is_paused and later.stop is None and later.message == run.ENOUGH and whole_runs() == []
    worker.stop(job)
    assert gone_on(job).state == "stopped" and len(whole_runs()) == 1


@pytest.mark.parametrize("at", ["read", "train"])
def test_a_stop_as_a_training_goes_on_keeps_what_the_attempts_before_had_learned(study, monkeypatch, at):
    """It was paused, or the machine went down, and whoever stops it while it reads the table meant the hours before."""
    job = paused(study, monkeypatch, **ENDLESS)
    learned = rounds_of(job)
    worker.go_on(job)
    with monkeypatch.context() as patched:
        waits = worked(patched, job, at, stop)
    assert waits.is_finishing and not waits.is_paused and whole_runs() == []
    assert gone_on(job).state == "stopped" and rounds_of(job) == learned and len(whole_runs()) == 1


def test_a_pause_from_before_a_stop_does_not_put_the_judging_off(study):
    job = store.submit("job-0001", "train", "train", {}) and store.claim("train", "me", 30)
    worker.pause(job.id)
    assert store.pulse(job.id, job.token) == "pause"
    worker.stop(job.id)
    assert store.pulse(job.id, job.token) == "stop" and store.get(job.id).paused is None
    worker.pause(job.id)
    worker.stop(job.id)  # pressed twice
    assert store.pulse(job.id, job.token) == "later"


KILLED = """
import os, signal
from medml import project, store
from worker import run
project.add_run = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
job = store.claim("train", "me", 30)
run.work(job, job.token)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_training_that_is_killed_between_publishing_and_saying_so_is_done_and_its_run_has_its_project(study):
    job = queued(study, family="logistic")
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, check=False)
    left = store.get(job)
    assert killed.returncode == -9 and left.state == "running", killed.stderr[-500:]
    name, = whole_runs()
    assert project.runs_of(left.project) == []
    store.ask_stop(job)  # too late: no other attempt would come
    settle(left, "exited", -9)
    done = store.get(job)
    assert done.state == "done" and done.result == {"run": name} and project.runs_of(left.project) == [name]


def test_a_folder_that_goes_while_a_training_learns_costs_nothing(study, monkeypatch):
    job = worked(monkeypatch, queued(study, **SHORT), "train", lambda watch: shutil.rmtree(study.parent))
    assert job.state == "done" and whole_runs() == [job.result["run"]]


def test_a_folder_that_is_gone_before_it_is_read_fails_in_words(study, monkeypatch):
    job = worked(monkeypatch, queued(study, **SHORT), "read", lambda watch: shutil.rmtree(study.parent))
    assert job.state == "failed" and "There is no folder or file" in job.error["what"] and job.error["fix"]
    assert whole_runs() == []


def test_a_training_that_goes_on_without_its_data_waits_for_them_with_all_it_has_learned(
        study, monkeypatch, uninterrupted):
    """The drive with the study was not connected as somebody pressed Go on, or as the machine came up again."""
    job = paused(study, monkeypatch, **SHORT)
    learned, away = rounds_of(job), study.parent.with_name("away")
    study.parent.rename(away)
    worker.go_on(job)
    waits = gone_on(job)
    assert waits.is_paused and waits.error is None and rounds_of(job) == learned
    assert "There is no folder or file" in waits.message and "is kept" in waits.message
    away.rename(study.parent)
    worker.go_on(job)
    assert gone_on(job).state == "done" and said_of(whole_runs()[0]) == uninterrupted


def test_a_training_whose_data_never_come_back_can_be_ended(study, monkeypatch):
    job = paused(study, monkeypatch, **SHORT)
    study.write_text(study.read_text().replace("1", "2"))
    worker.stop(job)
    assert gone_on(job).is_paused and "has changed" in store.get(job).message  # whoever stopped it meant it kept
    worker.stop(job)
    ended = gone_on(job)
    assert ended.state == "failed" and "has changed" in ended.error["what"] and whole_runs() == []


def test_a_file_that_changes_while_it_is_read_is_not_trained_on(study):
    plan, real = planned(study, **SHORT), TableSource.sha256

    def hashed(self):
        found = real(self)
        with study.open("a") as file:
            file.write("P99999,50,120,female,north,1\n")
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TableSource, "sha256", hashed)
        with pytest.raises(UserError) as refused:
            train(study, *plan)
    assert refused.value.code == "changed" and "clinic.csv" in refused.value.what and whole_runs() == []
