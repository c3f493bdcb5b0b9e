"""A machine that is shut down, short of memory, asleep in parts, or busy with its database."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import subprocess
import sys
import time

import psutil
import pytest

import worker
from medml import gallery, logs, store
from medml.errors import UserError
from medml.room import is_full
from medml.train import train
from tests.at_work import ROOT, at_work, ended, of_home, running, until, worker_process
from tests.faults.test_disk import fill, small_disk  # noqa: F401 - a fixture
from tests.faults.test_kills import APP, published
from tests.tables import clinic, planned, saved
from worker import run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGTERM, SIGSTOP and limits are POSIX")
LONG = {"n": 150, "pause": 0.02}
GRACE = 10.0  # seconds between SIGTERM and SIGKILL when a machine is shut down
LOCKED = 20.0 if os.environ.get("MEDML_EVERY_CALL") else 4.0  # seconds; less than the half minute that is waited


def test_a_machine_that_is_shut_down_leaves_a_job_that_goes_on(monkeypatch, medml_home, tmp_path):
    out = tmp_path / "out"
    with at_work(monkeypatch):
        app = subprocess.Popen([sys.executable, "-c", APP, str(out)], cwd=ROOT, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        job = app.stdout.readline().strip()
        running(job, fraction=0.1)
        everybody = of_home(str(medml_home))
        for each in everybody:
            with contextlib.suppress(psutil.Error):
                each.terminate()
        _, left = psutil.wait_procs(everybody, timeout=GRACE)
        for each in left:  # init waits no longer
            each.kill()
        app.wait(30)
        app.stdout.close()
        until(lambda: of_home(str(medml_home)) == [])
        assert not out.exists()
        assert worker.ensure_running(wait=60)
        done = ended(job)
        assert done.state == "done" and done.fruitless == 0 and published(out) == ["150"]


def test_a_worker_that_sleeps_alone_costs_its_job_nothing(monkeypatch, medml_home, tmp_path):
    out = tmp_path / "out"
    with at_work(monkeypatch, MEDML_LEASE="2"):
        job = worker.enqueue("steps_train", LONG | {"publish": str(out)})
        running(job, fraction=0.1)
        asleep = worker_process()
        asleep.suspend()
        until(lambda: store.get(job).fraction > 0.6 or store.get(job).ended_for_good)  # its child works on
        asleep.resume()
        done = ended(job)
        assert done.state == "done" and done.attempt == 1 and published(out) == ["150"]


LIMITED = """
import resource, sys
from medml import store
from worker import run
from worker.attempt import settle
from worker.jobs import Kind, registry

def greedy(job, watch):
    held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + (512 << 20), resource.RLIM_INFINITY))
    bytearray(4 << 30)

registry.add("greedy_one", Kind("greedy_one", "Greedy", "quick", greedy))
store.submit("greedy-job-1", "greedy_one", "quick", {})
job = store.claim("quick", "me", 30)
code = run.work(job, job.token)
settle(job, "exited", code)  # as the worker does
sys.exit(code)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_child_that_reaches_its_limit_of_memory_says_so(medml_home):
    done = subprocess.run([sys.executable, "-c", LIMITED], cwd=ROOT, capture_output=True, text=True, check=False)
    job = store.get("greedy-job-1")
    assert done.returncode == run.SHORT, done.stderr[-500:]
    assert job.state == "failed" and job.error["what"] == "This needed more memory than the machine has free."


def test_a_database_that_is_locked_for_a_while_costs_no_point_and_no_attempt(monkeypatch, medml_home, tmp_path):
    out = tmp_path / "out"
    with at_work(monkeypatch):
        job = worker.enqueue("steps_train", LONG | {"publish": str(out)})
        running(job, fraction=0.1)
        with contextlib.closing(sqlite3.connect(store.path(), isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            while time.monotonic() - began < LOCKED:
                assert store.get(job).state == "running"  # screens read on
                time.sleep(0.1)
            other.execute("COMMIT")
        done = ended(job)
        assert done.state == "done" and done.attempt == 1 and published(out) == ["150"]
        assert {each.round for row in worker.progress_since(job) for each in row.points} == set(range(1, 151))


@pytest.mark.machine
def test_a_full_disk_at_publishing_leaves_no_run_and_the_next_try_does(small_disk, tmp_path):  # noqa: F811
    source = saved(clinic(60), tmp_path / "own")
    profile, recipe, config = planned(source)
    ballast = []
    plain = gallery.checkpoint_folder  # the first thing that publishing asks for
    with pytest.MonkeyPatch.context() as patch:
        def full_from_here(*given):
            if not ballast:
                ballast.append(fill(small_disk / "ballast"))
            return plain(*given)
        patch.setattr(gallery, "checkpoint_folder", full_from_here)
        with pytest.raises((UserError, OSError)) as refused:
            train(source, profile, recipe, config, job="job-of-a-night")
    assert is_full(refused.value) and gallery.runs() == []
    assert not [each.name for each in (small_disk / "runs").iterdir()]
    ballast[0].unlink()
    made = train(source, profile, recipe, config, job="job-of-a-night")
    assert [each.run for each in gallery.runs()] == [made] and not gallery.runs()[0].unusable


@pytest.mark.machine
def test_a_full_disk_silences_the_log_and_nothing_else(small_disk):  # noqa: F811
    logs.set_up("command")
    ballast, log = fill(small_disk / "ballast"), logging.getLogger("medml")
    try:
        for number in range(50):
            log.warning("line %d", number)
        ballast.unlink()
        log.warning("there is room again")
        assert "there is room again" in (small_disk / "logs" / "command.log").read_text()
    finally:
        for each in list(logging.getLogger().handlers):
            if isinstance(each, logs.Turning):
                logging.getLogger().removeHandler(each)
                each.close()


