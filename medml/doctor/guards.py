"""Is the tripwire in every process? Each tries a connect to an address that belongs to nobody (RFC 5737)."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime

from medml import egress, refusals
from medml.doctor import Finding, found, look
from medml.doctor.scene import PATIENCE, ROOT, Scene, fresh
from medml.home import log_folder
from medml.store import vitals

HOW = "A connect to 192.0.2.254 was tried in that process."
NAMES = {"app": "the app", "worker": "the worker", "job": "a job's process", "command line": "the command line",
         "answers": "the process that answers a screen's questions"}
AGAIN = "Start MedML again; if it stays so, use this machine without a network and tell whoever looks after MedML."


def judged(role: str, holds: bool, when: float, setting: str = "") -> Finding:
    """The finding of one process that tried."""
    name, clock = NAMES[role], f"{datetime.fromtimestamp(when):%H:%M:%S}"
    setting = setting or f"Tripwire in {name}"
    if holds:
        return found("green", setting, f"Tried at {clock}: {name} was refused the connection.", how=HOW)
    return found("red", setting, f"Tried at {clock}: {name} was not refused the connection.", AGAIN, how=HOW)


@look("Nothing leaves")
def guards(scene: Scene) -> Iterator[Finding]:
    """This process tries now; app, worker and jobs try every minute and say what came of it."""
    yield judged(scene.role, egress.installed() and egress.holds(), time.time())
    for role in ("app", "worker", "job"):
        if role != scene.role:
            yield from of_role(scene, role)


def of_role(scene: Scene, role: str) -> Iterator[Finding]:
    there = scene.of(role)
    setting = f"Tripwire in {NAMES[role]}"
    if not there:
        yield found("amber", setting, f"It could not be tried: {NAMES[role]} is not about.",
                    "Start MedML and look again.", how=HOW)
    elif any(fresh(each) and not each.told.get("guarded") for each in there):
        yield judged(role, False, there[0].time)
    elif not fresh(there[0]):
        minutes = (time.time() - there[0].time) / 60
        yield found("amber", setting, f"{NAMES[role].capitalize()} has said nothing for {minutes:.0f} minutes.",
                    "It may be at hard work, or asleep. Look again in a minute.", how=HOW)
    else:
        yield judged(role, True, there[0].time)


@look("Nothing leaves", slow=True)
def fresh_processes(scene: Scene) -> Iterator[Finding]:
    """A process of each kind that works on data is started for this alone."""
    child = subprocess.Popen([sys.executable, "-m", "worker.run", "quick"], cwd=ROOT, stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        said = _wait_for(child)
    finally:
        child.stdin.close()  # the end of its pipe is its end
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE)
    yield judged("job", said, time.time(), "Tripwire in a job's process, started now")
    yield judged("answers", _asked(), time.time())


def _wait_for(child: subprocess.Popen) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and child.poll() is None:
        mine = [each for each in vitals.told() if each.role == "job" and each.pid == child.pid]
        if mine:
            return bool(mine[0].told.get("guarded"))
        time.sleep(0.05)
    return False


def _asked() -> bool:
    """Through the pipe by which a screen asks for answers that hold pictures."""
    import numpy as np

    done = subprocess.run([sys.executable, "-m", "worker.aside"], cwd=ROOT, capture_output=True, timeout=PATIENCE,
                          input=json.dumps({"question": "guarded", "about": {}}).encode(), check=False)
    if done.returncode:
        return False
    with np.load(io.BytesIO(done.stdout), allow_pickle=False) as arrays:
        return bool(arrays["guarded"].all())


@look("Nothing leaves")
def refused(scene: Scene) -> Iterator[Finding]:
    """What the tripwire caught so far."""
    kept = refusals.kept(log_folder())
    how = "Read from the record that every process keeps."
    if not kept:
        yield found("green", "Connections refused so far", "No process of MedML has tried to reach another machine.",
                    how=how)
        return
    times, last = sum(each.times for each in kept), datetime.fromtimestamp(kept[0].time)
    many = "One try to reach another machine was" if times == 1 else f"{times:,} tries to reach another machine were"
    yield found("amber", "Connections refused so far", f"{many} refused, the last on {last:%d %B at %H:%M} "
                f"({kept[0].process}).", "See the list: who tried, and where to. Nothing "
                "left the machine by these tries.", how=how)
