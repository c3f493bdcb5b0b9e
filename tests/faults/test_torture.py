"""Real small trainings under kills, freezes and a full disk come out as if nothing had been."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.machine
@pytest.mark.skipif(os.name != "posix", reason="kill -9 and SIGSTOP are POSIX")
def test_a_short_torture_leaves_every_training_equal_and_nobody_behind(tmp_path):
    done = subprocess.run([sys.executable, "-m", "bench.torture", "--short"], cwd=ROOT, text=True, check=False,
                          env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True)
    said = dict(line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line.strip())
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-3000:]}"
    assert said["finished"].split() == ["2", "of", "2"] and said["orphans"].split() == ["0"]
    if "full disks 1" not in done.stdout:
        pytest.skip("no file system can be mounted here")
