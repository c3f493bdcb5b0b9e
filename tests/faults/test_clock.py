"""A clock that is set back, or changes to and from summer time under a job, loses nothing and blames nobody."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime
from pathlib import Path

import pytest

import worker
from medml import clock, home, night, store
from tests.at_work import ROOT, at_work, ended, running
from worker import processes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGSTOP and time zones of a process are POSIX")
LONG = {"n": 100, "pause": 0.04}  # 4 s of work: a clock is set under it
BRIEF = LONG | {"pause": 0.02}
HOURS = 3600.0


class Clock:
    """The clock of the worker and of its children."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.ahead = 0.0

    def set_by(self, seconds: float) -> None:
        """So many seconds ahead of the real one."""
        self.ahead = seconds
        home.write_bytes(self.file, str(seconds).encode())

    def set_to(self, moment: datetime) -> None:
        self.set_by(moment.timestamp() - time.time())

    def now(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def set_clock(tmp_path):
    made = Clock(tmp_path / "clock")
    made.set_by(0.0)
    return made


def with_that_clock(monkeypatch, set_clock: Clock, **more: str):
    path = os.pathsep.join([str(Path(__file__).parent / "set_clock"), str(ROOT)])
    return at_work(monkeypatch, CLOCK_FILE=str(set_clock.file), PYTHONPATH=path, **more)


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_clock_set_back_two_hours_costs_no_attempt_and_a_frozen_child_is_still_given_up(monkeypatch, set_clock,
                                                                                         tmp_path):
    with with_that_clock(monkeypatch, set_clock, MEDML_LEASE="4"):
        job = worker.enqueue("steps_train", BRIEF | {"publish": str(tmp_path / "whole")})
        running(job, fraction=0.2)
        set_clock.set_by(-2 * HOURS)
        done = ended(job)
        assert done.state == "done" and done.attempt == 1 and (tmp_path / "whole").read_text() == "100\n"
        assert done.heartbeat < done.started  # the clock of the child itself was set back
        assert night.came(done).seconds >= 0
        frozen = worker.enqueue("steps_train", BRIEF | {"publish": str(tmp_path / "frozen")})
        first = running(frozen, fraction=0.2)
        set_clock.set_by(-4 * HOURS)
        os.kill(first.pid, signal.SIGSTOP)
        done = ended(frozen)
        assert done.state == "done" and done.attempt == 2 and (tmp_path / "frozen").read_text() == "100\n"
        assert processes.started_at(first.pid) is None


def test_a_job_waits_for_its_hour_and_runs_over_the_change_to_summer_time(berlin, monkeypatch, set_clock, tmp_path):
    set_clock.set_to(datetime.fromisoformat("2026-03-29T01:40:00"))  # in twenty minutes the wall shows 03:00
    with with_that_clock(monkeypatch, set_clock):
        before = worker.enqueue("steps_quick", LONG | {"publish": str(tmp_path / "before")})
        at_three = clock.tonight(3, now=set_clock.now())
        after = worker.enqueue("steps_train", {"n": 1}, not_before=at_three)
        running(before, fraction=0.01)
        assert store.get(after).state == "queued"
        set_clock.set_to(datetime.fromisoformat("2026-03-29T03:00:01"))
        done = ended(after)
        assert done.state == "done" and done.started >= at_three
        assert datetime.fromtimestamp(done.started).hour == 3
        whole = ended(before)
        assert whole.state == "done" and whole.attempt == 1 and (tmp_path / "before").read_text() == "100\n"
        assert whole.started < at_three <= whole.ended


def test_a_job_runs_once_over_the_hour_that_comes_twice(berlin, monkeypatch, set_clock, tmp_path):
    change = datetime.fromisoformat("2026-10-25T02:00:00").replace(fold=1)  # 02:00 again
    set_clock.set_to(datetime.fromisoformat("2026-10-25T02:40:00"))
    with with_that_clock(monkeypatch, set_clock):
        job = worker.enqueue("steps_train", LONG | {"publish": str(tmp_path / "out")})
        running(job, fraction=0.01)
        set_clock.set_by(change.timestamp() - 0.3 - time.time())
        done = ended(job)
        assert done.state == "done" and done.attempt == 1 and (tmp_path / "out").read_text() == "100\n"
        assert done.started < change.timestamp() <= done.ended
        assert [datetime.fromtimestamp(each).fold for each in (done.started, done.ended)] == [0, 1]
    before = change.timestamp() - 2
    assert clock.tonight(3, now=before) - before == 2 + HOURS  # 03:00 comes once, an hour later
