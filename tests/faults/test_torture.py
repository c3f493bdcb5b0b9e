"""Real small trainings under kills, freezes and a full disk come out as if nothing had been."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.torture import Deck, Figures
from tests.machine import mounts

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.machine
@pytest.mark.skipif(os.name != "posix", reason="kill -9 and SIGSTOP are POSIX")
def test_a_short_torture_leaves_every_training_equal_and_nobody_behind(tmp_path):
    has_disk = mounts(tmp_path / "disk")
    done = subprocess.run([sys.executable, "-m", "bench.torture", "--short"], cwd=ROOT, text=True, check=False,
                          env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True)
    told = f"{done.stdout}\n{done.stderr[-3000:]}"
    assert done.returncode == 0 and "NOT MET" not in done.stdout, told
    said = dict(line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line.strip())
    finished, _, trainings = said["finished"].split()
    assert finished == trainings and int(trainings) >= 2 and said["orphans"].split() == ["0"], told
    assert said["kill -9"].startswith(f"{' ' * 13}3; freezes 1; full disks {int(has_disk)}"), told
    if not has_disk:
        pytest.skip("no file system can be mounted here")


def test_a_torture_says_why_it_failed():
    well = Figures(trainings=40, finished=40, equal=40, again=[0.3], starts=[2.0])
    assert well.not_met(judges_times=True) == []
    found = Figures(trainings=40, finished=39, equal=38, orphans=1, again=[3.0, 0.1], over=1, starts=[16.0, 2.0],
                    undone=2)
    assert [each.split(" ")[0] for each in found.not_met(judges_times=False)] == ["1", "1", "1", "2"]
    missed = found.not_met(judges_times=True)
    assert missed[-1] == "work went on later than 15 s after 1 of 2 faults"
    assert "1 of 2 attempts did more than an epoch and 2 s again" in missed


def test_a_torture_does_all_that_it_says():
    acts = Deck(trainings=20, kills=100, freezes=25, full_disks=2, seed=1, minutes=1.0).acts()
    assert len(acts) == 127 and acts.count("full disk") == 2 and sum(each.startswith("freeze") for each in acts) == 25
