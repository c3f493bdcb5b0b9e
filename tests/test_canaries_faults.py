"""A fault that quotes a patient, in every kind of job and command and outside of any guard: nothing repeats it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from canaries import found_in, hits_in

import worker
from medml import commands, logs, store
from medml.__main__ import main
from tests.at_work import ROOT
from worker import run
from worker.jobs import registry

VALUE = "could not convert string to float: 'ZZNOTE7 Jane Roe, 1951-02-03'"
NONE = np.array([7.654321e-5])  # no number is planted here
KINDS = sorted(registry.names())


def fail(*_, **__):
    """As a library fails that was given a patient's cell; another error is its cause."""
    try:
        raise KeyError(VALUE)
    except KeyError as cause:
        raise ValueError(VALUE) from cause


@pytest.fixture
def logged(medml_home):
    """The log of this home, written as a job's process writes it."""
    file = logs.set_up("jobs")
    yield file
    logs.set_up("command")


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_that_fails_with_a_patients_value_keeps_none(medml_home, logged, monkeypatch, kind):
    found = registry.get(kind)
    monkeypatch.setitem(registry._found, kind, replace(found, run=fail))
    store.submit("job-number-one", kind, found.queue, {})
    job = store.claim(found.queue, "me", 30.0)
    run.work(job, job.token)
    ended = worker.get("job-number-one")
    assert ended.state == "failed" and ended.error["what"].startswith("MedML made a mistake")
    assert ended.error["reference"] in logged.read_text() and "ValueError at" in logged.read_text()
    assert found_in(medml_home, NONE) == []
    assert b"Jane" not in b"".join(each.read_bytes() for each in medml_home.rglob("*") if each.is_file())


@pytest.mark.parametrize("name", sorted(commands.registry.names()))
def test_a_command_that_fails_with_a_patients_value_prints_none(medml_home, monkeypatch, capfd, name):
    found = commands.registry.get(name)
    monkeypatch.setitem(commands.registry._found, name, replace(found, run=fail, options=commands.no_options))
    assert main([name]) == 1
    said = "".join(capfd.readouterr())
    assert "MedML made a mistake" in said and hits_in("said", said.encode(), NONE) == [] and "Jane" not in said
    assert found_in(medml_home, NONE) == []


OUTSIDE = """
import sys, threading
from medml import logs
logs.set_up("app")
def fail():
    secret = "ZZNOTE7 Jane Roe"
    raise ValueError("could not convert string to float: 'ZZNOTE7 Jane Roe'")
if sys.argv[1] == "thread":
    threading.Thread(target=fail).start()
else:
    fail()
"""


@pytest.mark.parametrize("where", ["thread", "main"])
def test_a_crash_outside_of_any_guard_prints_and_logs_none(medml_home, where):
    done = subprocess.run([sys.executable, "-c", OUTSIDE, where], cwd=ROOT, capture_output=True, check=False,
                          env=os.environ | {"PYTHONDEVMODE": "0"})
    assert hits_in("said", done.stdout + done.stderr, NONE) == [] and b"Jane" not in done.stdout + done.stderr
    assert "ValueError at" in (medml_home / "logs" / "app.log").read_text()
    assert found_in(medml_home, NONE) == []
