"""A real worker on a home of its own for the tests of the queue, and waiting for what it does."""

from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

import worker
from medml import store
from medml.store import Job
from worker import processes

ROOT = Path(__file__).resolve().parents[1]
KINDS = ROOT / "tests" / "kinds"
PATIENCE = 60.0  # seconds; only a hanging test waits that long


@contextlib.contextmanager
def at_work(monkeypatch, *, warm: bool = False, **settings: str) -> Iterator[None]:
    """A worker of this test's home, with the test's kinds of jobs; ended with all its jobs.

    warm  whether it keeps a child ready, as outside of tests: its second of imports is most of what a short test costs
    """
    know_the_kinds(monkeypatch)
    monkeypatch.setenv("MEDML_WARM", "1" if warm else "0")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    try:
        assert worker.ensure_running(wait=PATIENCE)
        yield
    finally:
        end_everything(os.environ["MEDML_HOME"])


def know_the_kinds(monkeypatch) -> None:
    monkeypatch.setenv("MEDML_JOBS", str(KINDS))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    package = importlib.import_module("worker.jobs")
    if str(KINDS) not in package.__path__:
        package.__path__.append(str(KINDS))
    importlib.import_module("worker.jobs.steps")  # registers its kinds, once


def until(truth: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until it is true; fails the test when that takes longer than any machine needs."""
    deadline = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ended(job: str) -> Job:
    """The job, once it has ended."""
    until(lambda: store.get(job).ended_for_good)
    return store.get(job)


def running(job: str, fraction: float = 0.01) -> Job:
    """The job, once it is under way."""
    until(lambda: store.get(job).state == "running" and store.get(job).pid and store.get(job).fraction >= fraction)
    return store.get(job)


def worker_process() -> psutil.Process:
    """The worker of this home, once there is one."""
    until(worker.is_running)
    return next(psutil.Process(each.pid) for each in store.processes("worker")
                if processes.alive(each.pid, each.started))


def start_process(*arguments: str, **more) -> subprocess.Popen:
    """This Python in a session of its own, as an app would be."""
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, **more)


def of_home(home: str) -> list[psutil.Process]:
    """Every process of that very home but this one."""
    found = []
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if each.environ().get("MEDML_HOME") == home and each.pid != os.getpid():
                if each.status() != psutil.STATUS_ZOMBIE:
                    found.append(each)
    return found


def workers_of(home: str) -> list[psutil.Process]:
    """The workers of that home; one that ends while it is asked is none."""
    found = []
    for each in of_home(home):
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie counts as one
            if "worker" in each.cmdline():
                found.append(each)
    return found


def end_everything(home: str) -> None:
    while left := of_home(home):
        for each in left:
            with contextlib.suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(left, timeout=10)
