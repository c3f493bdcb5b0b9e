"""Does the queue live: its databases whole, its worker about, and nothing due that nobody takes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from medml import quiet, store
from medml.doctor import Finding, Light, found, look
from medml.doctor.scene import Scene, fresh
from medml.store.condition import condition

LATE = 120.0  # seconds that a due job may wait while no other of its queue runs
TROUBLE: dict[str, tuple[Light, str, str]] = {
    "damaged": ("red", "It is damaged.", "Close MedML and start it again: it brings back last night's copy, and says "
                "so. Runs and projects are kept elsewhere."),
    "busy": ("amber", "Another program holds it, so it could not be looked at. That is no damage.",
             "Look again in a minute. If it stays so, see which program has the file open (a copy or virus scan, or a "
             "viewer of databases) and close that; what is queued waits meanwhile."),
    "unreadable": ("red", "It could not be read.", "See that this account may read the file and that the drive is "
                   "there, then look again."),
}
DATABASES = (("medml.db", "Database of jobs"), ("queue.db", "Database of the queue"))


@look("The queue")
def databases(scene: Scene) -> Iterator[Finding]:
    """Every page of them, and the journal by which readers and writers pass each other."""
    for name, setting in DATABASES:
        file = store.path() if name == store.path().name else scene.home / name
        how = f"SQLite's own quick_check and journal_mode of {name}."
        if not file.exists():
            yield found("amber", setting, "It has not been made yet.", "Start MedML and look again.", how=how)
            continue
        now = condition(file)
        if now.verdict != "whole":
            light, what, fix = TROUBLE[now.verdict]
            yield found(light, setting, what, fix, how=how)
        elif now.journal != "wal":
            yield found("amber", setting, f"It is whole, but kept in the journal mode {now.journal}, which locks.",
                        "Start MedML again.", how=how)
        else:
            yield found("green", setting, "It is whole, and readers do not wait for writers.", how=how)


@look("The queue")
def worker(scene: Scene) -> Iterator[Finding]:
    """A worker that says so every minute."""
    how, there = "The worker's own word, which it gives every minute.", scene.of("worker")
    if not there:
        yield found("amber", "Worker", "No worker is about: what is queued waits.",
                    "Start MedML; it starts the worker.", how=how)
    elif not fresh(there[0]):
        yield found("red", "Worker", f"It has said nothing for {(time.time() - there[0].time) / 60:.0f} minutes.",
                    "Wake the machine, or restart it: jobs go on from their last checkpoint.", how=how)
    else:
        yield found("green", "Worker", f"It is at work (process {there[0].pid}).", how=how)


@look("The queue")
def quiet_hours(scene: Scene) -> Iterator[Finding]:
    """Hours that were set and can be read."""
    how = f"{quiet.FILE} in MedML's folder."
    if quiet.damaged():
        yield found("red", "Quiet hours", "They were set, but cannot be read any more: trainings run at any time.",
                    "Set them again on the Jobs screen, or with `python -m medml jobs --quiet 08:00-18:00`.", how=how)
    else:
        yield found("green", "Quiet hours", f"{quiet.hours() or 'None'} {'hold' if quiet.hours() else 'are set'}.",
                    how=how)


@look("The queue")
def waiting(scene: Scene) -> Iterator[Finding]:
    """A job that is due, and no other running, is taken within seconds."""
    now, how = time.time(), "The table of jobs."
    jobs = store.jobs(state=store.GOING)
    running = {each.queue for each in jobs if each.state not in store.WAITING}
    late = [each for each in jobs if each.state in store.WAITING and each.queue not in running
            and max(each.made, each.not_before) < now - LATE]
    if late:
        yield found("red", "Jobs that wait", f"{len(late):,} due and not taken.",
                    "Start MedML again; the jobs stay.", how=how)
    else:
        yield found("green", "Jobs that wait", f"None is late ({len(jobs):,} running or waiting).", how=how)
