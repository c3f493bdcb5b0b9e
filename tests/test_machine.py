"""What a machine refuses is skipped by name, and where CI=true that is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONG

ROOT = Path(__file__).resolve().parents[1]
REFUSED = """
import pytest

@pytest.mark.machine
def test_in_a_namespace():
    pytest.skip("no namespace here")

def test_beside_it():
    pytest.skip("no reason")
"""


def run(place: Path, ci: str, *more: str) -> subprocess.CompletedProcess:
    (place / "test_refused.py").write_text(REFUSED)
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "tests.machine", "-p",
                           "no:cacheprovider", "--rootdir", str(place), "-c", os.devnull, *more,
                           str(place / "test_refused.py")],
                          cwd=ROOT, env=os.environ | {"CI": ci}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("more", [(), ("-n", "1")])
def test_a_skip_of_a_machine_test_fails_the_run_of_ci(tmp_path, more):
    done = run(tmp_path, "true", *more)
    assert done.returncode == 1 and "2 skipped" in done.stdout
    assert "test_in_a_namespace - skipped, and CI=true" in done.stdout
    assert "test_beside_it - skipped" not in done.stdout


def test_elsewhere_it_is_a_skip(tmp_path):
    done = run(tmp_path, "")
    assert done.returncode == 0 and "FAILED" not in done.stdout


def test_files_that_take_long_are_begun_before_the_short_ones():
    assert [each for each in LONG if not (ROOT / "tests" / f"{each}.py").is_file()] == []
    files = ["test_backup", "test_mishaps", "e2e/test_use"]
    done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-o", "addopts=",
                           *(f"tests/{each}.py" for each in files)],
                          cwd=ROOT, capture_output=True, text=True, check=True)
    places = [done.stdout.index(f"<Module {each.split('/')[-1]}.py>") for each in files]
    assert places[1] < places[0] and places[2] < places[0]
