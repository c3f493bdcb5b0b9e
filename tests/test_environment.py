"""Numbers set as environment variables: a wrong one is told in a sentence, by whatever would begin with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from medml import device, environment
from medml.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
STARTED = [["-m", "worker"], ["-m", "medml", "runs"], ["-c", "import streamlit_app"]]


@pytest.mark.parametrize("args", STARTED, ids=["worker", "command", "app"])
@pytest.mark.parametrize("name", ["MEDML_IDLE", "MEDML_LEASE", "MEDML_THREADS"])
def test_a_wrong_number_is_told_in_a_sentence_and_nothing_is_begun(name, args, medml_home):
    done = subprocess.run([sys.executable, *args], cwd=ROOT, capture_output=True, text=True, timeout=120,
                          env=os.environ | {name: "abc"})
    assert done.returncode == (1 if args[0] == "-c" else 2) and "Traceback" not in done.stderr
    assert f"{name}, " in done.stderr and "Nothing was begun" in done.stderr and "or take it out" in done.stderr


@pytest.mark.parametrize(("name", "wrong"), [
    ("MEDML_IDLE", ""), ("MEDML_IDLE", "-1"), ("MEDML_IDLE", "nan"), ("MEDML_IDLE", "10 minutes"), ("MEDML_LEASE", "0"),
    ("MEDML_LEASE", "inf"), ("MEDML_THREADS", "0"), ("MEDML_THREADS", "2.5"), ("MEDML_THREADS", "many"),
    ("MEDML_LEAST_FREE_GB", "inf"), ("MEDML_LEAST_FREE_GB", "2 GB")])
def test_what_a_number_cannot_be_is_refused(monkeypatch, name, wrong):
    monkeypatch.setenv(name, wrong)
    with pytest.raises(UserError, match=f"{name}, .* is set to what is no ") as refused:
        environment.number(name)
    assert re.search(r"Set it to a(?: whole)? number such as \d+, or take it out", refused.value.fix)


@pytest.mark.parametrize(("name", "said", "read"), [
    ("MEDML_IDLE", "inf", float("inf")), ("MEDML_IDLE", "0", 0.0),
    ("MEDML_LEASE", " 4 ", 4.0), ("MEDML_THREADS", "3", 3), ("MEDML_LEAST_FREE_GB", "1.5", 1.5)])
def test_what_a_number_can_be_is_read(monkeypatch, name, said, read):
    monkeypatch.setenv(name, said)
    assert environment.number(name) == read
    monkeypatch.delenv(name)
    environment.check()


def test_threads_are_those_that_are_set_or_all_that_the_machine_has(monkeypatch):
    monkeypatch.setenv("MEDML_THREADS", "3")
    assert device.threads(device.SMALL) == 3 and device.threads(device.SMALL - 1) == 1
    monkeypatch.delenv("MEDML_THREADS")
    assert device.threads(device.SMALL) == os.cpu_count()


def test_no_other_way_of_reading_a_number_from_the_environment_is_left():
    read = re.compile(r"(?:int|float)\(\s*os\.(?:environ|getenv)")
    files = [each for room in ("medml", "worker", "pages") for each in (ROOT / room).rglob("*.py")]
    assert [each.name for each in files if read.search(each.read_text(encoding="utf-8"))] == ["environment.py"]
