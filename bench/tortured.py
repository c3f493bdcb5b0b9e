"""What `bench.torture` is done to: small data made in place, trainings without interruption to compare with, a disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from tests.machine import is_mounted, unmount

ROOT = Path(__file__).resolve().parents[1]
SIDE, PICTURES_IN_ALL, PATIENTS = 16, 40, 120
SETTINGS = {"mlp": {"epochs": 400, "patience": 400, "width": 32, "batch": 16},
            "cnn": {"backbone": "small", "start": "scratch", "epochs": 24, "patience": 24, "batch": 8, "turn": 0.0,
                    "shift": 0.0, "light": 0.0}}
APP = """
import time, worker
worker.keep_running()
time.sleep(36000)
"""


@dataclass(frozen=True)
class Plan:
    """One training and what an uninterrupted one of it says."""

    source: Path
    profile: object
    recipe: object
    config: object
    told: str


def plans(own: Path, home: Path, seeds: int) -> list[Plan]:
    """A network on a table and one on pictures, so many seeds each, trained once each without any interruption."""
    os.environ["MEDML_HOME"] = str(home)
    home.mkdir()
    from medml import train

    found = []
    for family, source in (("mlp", a_table(own / "table")), ("cnn", films(own / "films"))):
        for seed in range(11, 11 + seeds):
            profile, recipe, config = planned(source, family, seed)
            run = train.train(source, profile, recipe, config)
            found.append(Plan(source, profile, recipe, config, told_of(run)))
    return found[::seeds] + found[1::seeds] if seeds > 1 else found


def planned(source: Path, family: str, seed: int) -> tuple:
    """Profile, recipe and configuration, as the screens would make them; two folds."""
    from medml import home, profile
    from medml.config import propose_config
    from medml.recipe import propose_recipe
    from medml.types import PicturePlan

    found = profile.scan(source)
    choice = profile.propose_choice(found, pictures=PicturePlan(size=SIDE)) if family == "cnn" else \
        profile.propose_choice(found, target="outcome")
    table, sha = found.table(choice.table), home.sha256_of(found)
    recipe = propose_recipe(table, choice, sha)
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family=family,
                            params=SETTINGS[family], seed=seed, folds=2)
    split = config.split.model_copy(update={"folds": 2, "repeats": 1})
    return found, recipe, config.model_copy(update={"split": split})


def a_table(folder: Path) -> Path:
    """Patients with two numbers that tell of the outcome."""
    folder.mkdir(parents=True)
    drawn = np.random.default_rng(5)
    age, pressure = drawn.normal(60, 12, PATIENTS), drawn.normal(130, 18, PATIENTS)
    sick = drawn.random(PATIENTS) < 1 / (1 + np.exp(-(0.09 * (age - 60) + 0.05 * (pressure - 130))))
    rows = [f"P{n:05d},{age[n]:.1f},{pressure[n]:.0f},{int(sick[n])}" for n in range(PATIENTS)]
    (folder / "clinic.csv").write_text("patient_id,age,pressure,outcome\n" + "\n".join(rows) + "\n")
    return folder / "clinic.csv"


def films(folder: Path) -> Path:
    """Pictures with a bar that lies or stands."""
    from PIL import Image

    drawn = np.random.default_rng(6)
    for n in range(PICTURES_IN_ALL):
        pixels, place = drawn.integers(0, 60, (SIDE, SIDE)).astype(np.uint8), drawn.integers(2, SIDE - 4)
        pixels[(slice(place, place + 2), slice(None)) if n % 2 == 0 else (slice(None), slice(place, place + 2))] = 220
        kind = folder / ("standing" if n % 2 else "lying")
        kind.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(kind / f"{1000 + n:06d}.png")
    return folder


def same_machine(tried: Path, home: Path) -> None:
    """Let a home know what was tried out on this machine for another one: which precision a network learns in decides
    on its last digits, and on a busy machine the trial can come out either way."""
    for each in tried.glob("precision.json"):
        shutil.copy(each, home)


def submit(plan: Plan, number: int) -> str:
    """A training in the queue, as the Configure screen puts it there."""
    from medml import project, store

    made = project.create(plan.source, f"Training {number}")
    for value in (plan.profile, plan.config.choice, plan.recipe, plan.config):
        project.write(made.id, value)
    job = uuid.uuid4().hex
    store.submit(job, "told_train", "train", {
        "project": made.id, "recipe": plan.recipe.model_dump(mode="json"),
        "config": plan.config.model_dump(mode="json")}, project=made.id)
    return job


def told_of(run: str) -> str:
    """A hash of all weights of a run, of every fold and the final model, and of its out-of-fold probabilities."""
    from medml import gallery, publish

    opened, digest = gallery.open_run(run), hashlib.sha256()
    for each in sorted(opened.checkpoint_folder.rglob("*")):
        if each.suffix == ".safetensors":
            digest.update(f"{each.relative_to(opened.checkpoint_folder)}".encode() + each.read_bytes())
    kept = publish.out_of_fold(opened)
    digest.update(np.ascontiguousarray(kept.p).tobytes() + np.ascontiguousarray(kept.baseline).tobytes())
    return digest.hexdigest()


@contextlib.contextmanager
def disk(place: Path, size: str) -> Iterator[bool]:
    """A folder on a small file system in memory; on the disk as it is where none can be mounted."""
    mounted = is_mounted(place, size)
    try:
        yield mounted
    finally:
        if mounted:
            unmount(place)


def start_app() -> subprocess.Popen:
    """What an app is to the queue, in a session of its own."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-c", APP], cwd=ROOT, start_new_session=True, stdin=quiet, stdout=quiet,
                            stderr=quiet)


def is_worker(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()[-2:] == ["-m", "worker"]
    return False


def is_at_work(process: psutil.Process) -> bool:
    """Whether it lives; one that has ended and that nobody asked about yet does not."""
    with contextlib.suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def is_left(process: psutil.Process) -> bool:
    """Whether it is a worker's child and that worker has died."""
    with contextlib.suppress(psutil.Error):
        parent = process.parent()
        return "worker.run" in process.cmdline() and (parent is None or not is_worker(parent))
    return False
