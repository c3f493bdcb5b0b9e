"""What a machine refuses is skipped by name, and where CI=true that is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
