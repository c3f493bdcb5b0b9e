"""Whatever is killed, a job is finished once, from its last checkpoint, and nobody is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

import worker
from medml import store
from tests.at_work import (
    ROOT,
    at_work,
    end_everything,
    ended,
    of_home,
    running,
    start_process,
    until,
    worker_process,
    workers_of,
)
from worker import processes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9, SIGSTOP and sessions are POSIX")
LONG = {"n": 150, "pause": 0.02}  # at least 3 s of work, a checkpoint a step
ASLEEP = 90.0 if os.environ.get("MEDML_EVERY_CALL") else 6.0  # seconds; twice the lease or more, which a busy machine's
# heart must not use up by itself


@pytest.fixture
def busy(monkeypatch, medml_home):
    with at_work(monkeypatch, warm=True):
        yield medml_home


def published(path) -> list[str]:
    return path.read_text().split()


def test_kill_9_of_the_child_goes_on_from_the_checkpoint(busy, tmp_path):
    out = tmp_path / "out"
    job = worker.enqueue("steps_train", LONG | {"publish": str(out)})
    os.kill(running(job, fraction=0.3).pid, signal.SIGKILL)
    done = ended(job)
    assert done.state == "done" and done.attempt == 2 and published(out) == ["150"]
    rounds = [each.round for row in worker.progress_since(job) for each in row.points]
    assert len(rounds) - len(set(rounds)) <= 1  # of what was done, at most one step is done again


def test_a_job_that_kills_itself_each_time_fails_with_a_reason(busy):
    job = worker.enqueue("steps_quick", {"n": 5, "die_at": 0, "forgetful": True})
    failed = ended(job)
    assert failed.state == "failed" and failed.attempt == 3
    assert failed.error["what"] == ("The work ended 3 times without getting any further (its process was ended, "
                                    "code -9).")


def test_kill_9_of_the_worker_ends_its_children_and_the_next_worker_goes_on(busy, tmp_path):
    out, pid_file = tmp_path / "out", tmp_path / "pid"
    job = worker.enqueue("steps_train", LONG | {"publish": str(out), "child": str(pid_file)})
    child = running(job, fraction=0.2)
    worker_process().kill()
    until(lambda: processes.started_at(child.pid) is None)
    until(lambda: processes.started_at(int(pid_file.read_text())) is None)
    until(lambda: of_home(str(busy)) == [])
    assert worker.ensure_running(wait=60)
    done = ended(job)
    assert done.state == "done" and done.attempt == 2 and done.fruitless == 0 and published(out) == ["150"]


def test_a_worker_told_to_end_lets_its_job_go_on_later(busy, tmp_path):
    out = tmp_path / "out"
    job = worker.enqueue("steps_train", LONG | {"publish": str(out)})
    running(job, fraction=0.2)
    process = worker_process()
    process.terminate()
    psutil.wait_procs([process], timeout=30)
    assert worker.get(job).state == "interrupted" and of_home(str(busy)) == []
    assert worker.ensure_running(wait=60)
    assert ended(job).state == "done" and published(out) == ["150"]


def test_a_frozen_child_is_given_up_and_publishes_nothing(monkeypatch, medml_home, tmp_path):
    out = tmp_path / "out"
    with at_work(monkeypatch, MEDML_LEASE="4"):
        job = worker.enqueue("steps_train", LONG | {"publish": str(out)})
        frozen = running(job, fraction=0.2)
        os.kill(frozen.pid, signal.SIGSTOP)
        done = ended(job)
        assert done.state == "done" and done.attempt == 2 and published(out) == ["150"]
        assert processes.started_at(frozen.pid) is None


def test_a_lid_closed_over_worker_and_child_costs_nothing(monkeypatch, medml_home, tmp_path):
    out = tmp_path / "out"
    with at_work(monkeypatch, MEDML_LEASE="3"):
        job = worker.enqueue("steps_train", LONG | {"publish": str(out)})
        running(job, fraction=0.2)
        asleep = of_home(str(medml_home))
        for each in asleep:
            each.suspend()
        time.sleep(ASLEEP)
        for each in asleep:
            each.resume()
        done = ended(job)
        assert done.state == "done" and done.attempt == 1 and published(out) == ["150"]


def test_two_workers_one_consumer(busy):
    first = worker_process()
    second = start_process("-m", "worker")
    assert second.wait(60) == 0
    assert first.is_running() and [each.pid for each in store.processes("worker")] == [first.pid]


def test_two_apps_that_start_at_once_have_one_worker(monkeypatch, medml_home):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    code = "import worker; assert worker.ensure_running(wait=60)"
    try:
        apps = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
        assert [each.wait(90) for each in apps] == [0, 0, 0]
        until(lambda: len(workers_of(str(medml_home))) == 1)
    finally:
        end_everything(str(medml_home))


APP = """
import signal, sys, time, worker
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests under nohup hands down that it is ignored
worker.keep_running()
worker.ensure_running(wait=60)
print(worker.enqueue("steps_train", {"n": 150, "pause": 0.02, "publish": sys.argv[1]}), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("blow", ["kill -9", "Ctrl-C", "closed terminal"])
def test_a_training_outlives_its_app(monkeypatch, medml_home, tmp_path, blow):
    with at_work(monkeypatch):
        end_everything(str(medml_home))  # the app starts its own
        out = tmp_path / "out"
        app = subprocess.Popen([sys.executable, "-c", APP, str(out)], cwd=ROOT, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        job = app.stdout.readline().strip()
        running(job, fraction=0.1)
        strike = {"kill -9": signal.SIGKILL, "Ctrl-C": signal.SIGINT, "closed terminal": signal.SIGHUP}[blow]
        os.killpg(app.pid, strike)  # a terminal tells the whole group in its front
        app.wait(30)
        app.stdout.close()
        done = ended(job)
        assert done.state == "done" and done.attempt == 1 and published(out) == ["150"]


def test_an_app_starts_a_killed_worker_again(monkeypatch, medml_home, tmp_path):
    with at_work(monkeypatch):
        end_everything(str(medml_home))
        out = tmp_path / "out"
        app = subprocess.Popen([sys.executable, "-c", APP, str(out)], cwd=ROOT, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            job = app.stdout.readline().strip()
            running(job, fraction=0.1)
            worker_process().kill()
            done = ended(job)
            assert done.state == "done" and done.attempt == 2 and published(out) == ["150"]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(app.pid, signal.SIGKILL)
            app.wait()
            app.stdout.close()
