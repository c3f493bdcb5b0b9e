"""A machine that works through the night does not fall asleep, and may sleep again afterwards."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
from streamlit.testing.v1 import AppTest

import worker
from tests.at_work import at_work, ended, running, until, worker_process
from worker import awake

COMMAND = {"linux": "systemd-inhibit", "darwin": "caffeinate"}.get(sys.platform)
asks_a_command = pytest.mark.skipif(COMMAND is None, reason="Windows is asked by a call")


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What stands in for the system's own command writes down when it was asked, with what, and let go."""
    folder, said = tmp_path / "bin", tmp_path / "said"
    folder.mkdir()
    (folder / COMMAND).write_text(f'#!/bin/sh\necho "asked $@" >> "{said}"\ncat\necho "let go" >> "{said}"\n')
    (folder / COMMAND).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return lambda: said.read_text().splitlines() if said.exists() else []


@asks_a_command
def test_awake_from_the_start_of_a_job_to_its_end(asked, monkeypatch):
    with at_work(monkeypatch):
        job = worker.enqueue("steps_train", {"n": 2_000, "pause": 0.02})
        running(job)
        until(asked)
        until(lambda: worker.power().kept_awake)
        assert len(asked()) == 1 and asked()[0].startswith("asked -") and asked()[0].endswith("cat")
        worker.stop(job)
        ended(job)
        until(lambda: len(asked()) == 2)
        assert asked()[1] == "let go"
        until(lambda: not worker.power().kept_awake)


@asks_a_command
def test_awake_no_longer_than_the_worker_lives(asked, monkeypatch):
    with at_work(monkeypatch):
        worker.enqueue("steps_train", {"n": 2_000, "pause": 0.02})
        until(asked)
        os.kill(worker_process().pid, signal.SIGKILL)
        until(lambda: asked()[-1] == "let go")
        until(lambda: not worker.power().kept_awake)


@pytest.mark.parametrize(("ahead", "kept"), [(3600.0, True), (10 * 3600.0, True), (3 * 86_400.0, False)])
def test_a_job_of_tonight_keeps_the_machine_awake_and_one_of_another_day_does_not(ahead, kept):
    assert not awake.wanted(running=False)
    worker.enqueue("scan", {"project": "none"}, not_before=time.time() + ahead)
    assert awake.wanted(running=False) == kept
    assert awake.wanted(running=True)


@asks_a_command
@pytest.mark.parametrize("answer", ["exit 1", None])
def test_a_system_that_cannot_be_asked_is_not_asked_again_at_once(tmp_path, monkeypatch, answer):
    """No such command here, or one that fails because nobody listens to it (no session bus)."""
    monkeypatch.setenv("PATH", str(tmp_path))
    if answer is not None:
        (tmp_path / COMMAND).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / COMMAND).chmod(0o755)
    tried = []
    start = awake.subprocess.Popen
    monkeypatch.setattr(awake.subprocess, "Popen", lambda *a, **k: tried.append(start(*a, **k)) or tried[-1])
    asking = awake.Awake()
    asking.keep(True)
    for each in tried:
        each.wait()
    for _ in range(5):
        asking.keep(True)
    assert len(tried) == (answer is not None) and not worker.power().kept_awake
    asking.keep(False)


@pytest.mark.parametrize(("battery", "said"), [(None, False), (SimpleNamespace(power_plugged=True), False),
                                               (SimpleNamespace(power_plugged=None), False),
                                               (SimpleNamespace(power_plugged=False), True)])
def test_a_machine_on_its_battery_is_told_from_one_with_power(monkeypatch, battery, said):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert worker.power().on_battery is said


@pytest.mark.parametrize(("power", "warned", "said"), [
    (worker.Power(kept_awake=True, on_battery=False), False, "this machine is kept awake until the work is done."),
    (worker.Power(kept_awake=False, on_battery=False), False, "see that this machine does not fall asleep"),
    (worker.Power(kept_awake=True, on_battery=True), True, "this machine is kept awake until the work is done.")])
def test_the_screen_says_what_may_be_closed_and_warns_of_a_battery(monkeypatch, power, warned, said):
    def draw():
        from pages._ui_night import leave_it_on
        leave_it_on()

    monkeypatch.setattr(worker, "power", lambda: power)
    shown = " ".join(each.value for each in AppTest.from_function(draw).run().main if each.type == "html")
    assert "You may close this window. Leave the lid open and the power on" in shown and said in shown
    assert ("runs on its battery" in shown) is warned
