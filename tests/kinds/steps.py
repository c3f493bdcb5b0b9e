"""A job for the tests of the queue: some steps with a checkpoint each, and one file published at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from medml import home
from medml.errors import UserError
from medml.types import Point
from worker.jobs import Kind, registry


def run(job, watch):
    """payload: n, pause (seconds a step), publish (path), die_at, deaf, child, full (path of a file that is made where
    the disk is full), fault ("user" or "ours")."""
    told = job.payload
    place = home.work_folder(job.id) / "done.txt"
    done = int(place.read_text()) if place.exists() else 0
    _begin(job, told)
    total = told.get("n", 3)
    while done < total:
        if told.get("die_at") == done:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(told.get("pause", 0.01))
        done += 1
        if not told.get("forgetful"):
            _keep(place, done, told)
        if not told.get("deaf"):
            watch.point(Point(round=done, fold=0, train=1 / done))
        watch.say("steps", done / total, f"step {done}")
        if not told.get("deaf") and watch.stopping():
            break
        if not told.get("deaf"):
            watch.safe_point()
    if told.get("publish"):
        with open(told["publish"], "a") as file:
            file.write(f"{done}\n")
    return {"steps": done}


def _keep(place, done, told):
    try:
        home.write_bytes(place, str(done).encode())
    except OSError:
        if told.get("full"):
            Path(told["full"]).touch()
        raise


def torch_out_of_memory():
    """What torch raises on the processor."""
    return RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory")


def _begin(job, told):
    if told.get("fault") == "user":
        raise UserError(what="The table is gone.", fix="Put it back.")
    if told.get("fault") == "ours":
        raise ValueError("could not convert 'Jane Roe 1951' to a number")
    if told.get("fault") == "memory":
        raise MemoryError
    if told.get("fault") == "memory until halved" and job.halved < told["halvings"]:
        raise torch_out_of_memory()
    if told.get("child"):
        started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(told["child"]).write_text(str(started.pid))


for queue in ("quick", "train"):
    registry.add(f"steps_{queue}", Kind(f"steps_{queue}", "Steps", queue, run, resumes=queue == "train",
                                       halves=lambda payload: payload.get("fault") == "memory until halved"))
