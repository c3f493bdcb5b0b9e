"""The way of Windows and macOS, walked here: what only POSIX has is taken away, and work is done and stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.at_work import ROOT, end_everything

GONE = '''
"""Python starts every process of this test with this file: what Windows has not is not there."""
import os, sys
import psutil  # its Linux part needs `resource`; its Windows part does not
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "killpg", "setsid", "getpgid", "geteuid", "getuid"):
    if hasattr(os, name):
        delattr(os, name)
'''

WALK = '''
import json, sys, time
from pathlib import Path
from medml import config, home, logs, project, recipe, egress
import os
assert not hasattr(os, "killpg") and not hasattr(os, "fork") and sys.modules["fcntl"] is None
import start, worker
from medml import profile
from worker import processes

def ended(job, seconds=400):
    deadline = time.monotonic() + seconds
    while not worker.get(job).ended_for_good:
        assert time.monotonic() < deadline, worker.get(job)
        time.sleep(0.05)
    return worker.get(job)

assert start.free_port() >= 8501
assert worker.ensure_running(wait=120)
card = project.create(sys.argv[1])
scan = ended(worker.enqueue("scan", {"project": card.id}))
assert scan.state == "done", scan.error
found = project.profile(card.id)
choice = profile.propose_choice(found, target="outcome")
table = found.table(choice.table)
plan = recipe.propose_recipe(table, choice, home.sha256_of(found))
def settings(family, **params):
    made = config.propose_config(table, choice, plan, profile_sha256=home.sha256_of(found), data_sha256=table.sha256,
                                 family=family, folds=2)
    once = made.split.model_copy(update={"repeats": 1})
    return made.model_copy(update={"params": made.params | params, "split": once})
for value in (choice, plan, settings("logistic")):
    project.write(card.id, value)
train = ended(worker.enqueue("train", {"project": card.id}))
assert train.state == "done", train.error
project.write(card.id, settings("mlp", epochs=1_000_000))
long = worker.enqueue("train", {"project": card.id})
while not worker.progress_since(long):
    assert not worker.get(long).ended_for_good, worker.get(long)
    time.sleep(0.05)
pid, born = worker.get(long).pid, worker.get(long).pid_started
worker.stop(long)
stopped = ended(long)
while processes.alive(pid, born):
    time.sleep(0.05)
print(json.dumps({"tables": scan.result["tables"], "runs": project.runs_of(card.id), "train": train.result,
                  "stopped": stopped.state}))
'''


@pytest.fixture
def without_posix(tmp_path, medml_home):
    """The settings of a process, and of all that it starts, on a system without fork, groups and locks by fcntl."""
    place = tmp_path / "site"
    place.mkdir()
    (place / "sitecustomize.py").write_text(GONE)
    yield os.environ | {"PYTHONPATH": os.pathsep.join([str(place), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    end_everything(str(medml_home))


@pytest.fixture
def table(tmp_path) -> Path:
    """120 rows with an outcome that two columns tell."""
    place = tmp_path / "study"
    place.mkdir()
    rows = [f"{n % 17},{(n * 7) % 23},{'a' if n % 3 else 'b'},{int((n % 17) + (n * 7) % 23 > 19)}" for n in range(120)]
    (place / "cases.csv").write_text("\n".join(["age,marker,site,outcome", *dict.fromkeys(rows)]) + "\n")
    return place


def test_scan_train_and_stop_without_anything_that_only_posix_has(without_posix, table):
    ran = subprocess.run([sys.executable, "-c", WALK, str(table)], cwd=ROOT, env=without_posix, capture_output=True,
                         text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["tables"] == 1 and told["stopped"] == "stopped"
    assert told["train"]["run"] in told["runs"]


def test_every_room_imports_without_anything_that_only_posix_has(without_posix):
    names = [each.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
             for room in ("medml", "worker") for each in sorted((ROOT / room).rglob("*.py"))
             if each.parent.name != "beside"]  # scripts that travel with an exported model
    code = "\n".join(f"import {each}" for each in [*names, "start"] if not each.endswith("__main__"))
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=without_posix, capture_output=True, text=True,
                         check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
