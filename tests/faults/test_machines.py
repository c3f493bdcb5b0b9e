"""Two machines (a worker and a folder of its own each) on one queue and one folder: what one leaves, the other ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import worker
from medml import store
from medml.errors import UserError
from tests import redis_server
from tests.at_work import end_everything, ended, know_the_kinds, of_home, running, start_process, until
from worker import processes

pytestmark = [pytest.mark.skipif(os.name != "posix", reason="kill -9 and SIGSTOP are POSIX"), pytest.mark.machine]
LONG = {"n": 150, "pause": 0.02}  # at least 3 s of work, a checkpoint a step
NAMES = ("ward-pc-1", "ward-pc-2")


class Ward:
    """Two machines, their queue and their folder."""

    def __init__(self, server: redis_server.Server, home: Path, place: Path) -> None:
        self.server, self.home, self.place = server, home, place
        self.workers = {}

    def start(self, name: str) -> None:
        own = {"MEDML_MACHINE": name, "MEDML_STATE": str(self.place / name), "MEDML_LEASE": "2"}
        self.workers[name] = start_process("-m", "worker", env=os.environ | own)

    def wait_for(self, *names: str) -> None:
        until(lambda: {each.name for each in store.machines()} >= set(names))

    def freeze(self, name: str) -> list:
        """The worker of that machine and all it started, as a closed lid would."""
        asleep = [each for each in of_home(str(self.home)) if each.environ().get("MEDML_MACHINE") == name]
        for each in asleep:
            each.suspend()
        return asleep


@pytest.fixture
def ward(monkeypatch, medml_home, tmp_path):
    with redis_server.serving("--appendonly", "yes", "--appendfsync", "always", "--dir", str(tmp_path)) as server:
        know_the_kinds(monkeypatch)
        monkeypatch.setenv("MEDML_QUEUE", server.url)
        monkeypatch.setenv("MEDML_STATE", str(tmp_path / "desk"))  # this process: a third machine, with no worker
        made = Ward(server, medml_home, tmp_path)
        try:
            yield made
        finally:
            end_everything(str(medml_home))
            for each in made.workers.values():
                each.wait()


def published(path) -> list[str]:
    return path.read_text().split()


def test_both_get_work_and_what_one_leaves_behind_the_other_finishes_from_the_checkpoint(ward, tmp_path):
    for name in NAMES:
        ward.start(name)
    ward.wait_for(*NAMES)
    first, second = (worker.enqueue("steps_train", LONG | {"publish": str(tmp_path / each)}) for each in ("a", "b"))
    at_work = {running(each, fraction=0.2).machine: each for each in (first, second)}
    assert set(at_work) == set(NAMES)
    ward.workers["ward-pc-1"].send_signal(signal.SIGKILL)
    ward.workers["ward-pc-1"].wait()
    assert [ended(each).state for each in (first, second)] == ["done", "done"]
    left, kept = (store.get(at_work[each]) for each in NAMES)
    assert (left.attempt, kept.attempt, left.fruitless) == (2, 1, 0)
    assert published(tmp_path / "a") == published(tmp_path / "b") == ["150"]
    rounds = [each.round for row in worker.progress_since(left.id) for each in row.points]
    assert len(rounds) - len(set(rounds)) <= 1  # of what was done, at most one step is done again


def test_one_that_slept_too_long_finds_its_job_taken_and_publishes_nothing(ward, tmp_path):
    out = tmp_path / "out"
    ward.start("ward-pc-1")
    job = worker.enqueue("steps_train", LONG | {"publish": str(out)})
    stale = running(job, fraction=0.2)
    asleep = ward.freeze("ward-pc-1")
    ward.start("ward-pc-2")
    until(lambda: store.get(job).machine == "ward-pc-2")
    for each in asleep:
        each.resume()
    until(lambda: processes.started_at(stale.pid) is None)
    assert store.finish(job, stale.token, "done", result={"run": "stale"}) is False
    done = ended(job)
    assert (done.state, done.attempt, done.token) == ("done", 2, stale.token + 2) and published(out) == ["150"]
    ward.wait_for(*NAMES)  # it has woken up, and works on


def test_a_queue_that_is_away_for_a_while_costs_nothing_and_takes_nobody_anything(ward, tmp_path):
    out = tmp_path / "out"
    for name in NAMES:
        ward.start(name)
    ward.wait_for(*NAMES)
    job = worker.enqueue("steps_train", LONG | {"publish": str(out)})
    running(job, fraction=0.1)
    ward.server.end()
    until(out.exists)  # the work has gone on to its end; that it is done cannot be told to anybody
    with pytest.raises(UserError, match="cannot be reached") as away:
        worker.get(job)
    assert away.value.fix.startswith("Nothing was lost")
    ward.server.start()
    done = ended(job)
    assert (done.state, done.attempt) == ("done", 1) and published(out) == ["150"]


def test_a_queue_that_forgot_everything_is_told_of_and_ends_the_work(ward):
    ward.start("ward-pc-1")
    ward.wait_for("ward-pc-1")
    assert store.troubles() == []
    job = running(worker.enqueue("steps_train", LONG | {"n": 5000}))
    ward.server.empty()
    until(lambda: processes.started_at(job.pid) is None)
    assert store.troubles() == ["The shared queue has lost its list of jobs: what waited has to be started again. "
                                "Finished models are whole."]
