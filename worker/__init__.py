"""The worker's door: hand in work, watch it, stop it. Screens and the command line use these and nothing else.

    job = worker.enqueue("scan", {"project": project.id}, job_id=client_made_id)
    rows = worker.progress_since(job, seq)      # rows newer than the one the screen has; row.points, row.said
    worker.get(job).state                       # queued running done failed stopped interrupted
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from medml import morning, quiet, rights, stops, store
from medml.ahead import Expected, all_of, expected, if_queued, rests
from medml.clock import tonight
from medml.errors import UserError
from medml.morning import Ready
from medml.store import Job, Progress, State
from worker.alive import ensure_running, is_running, keep_running
from worker.aside import ask
from worker.awake import Power, power
from worker.jobs import registry
from worker.standby import answer, answer_soon

# The package worker.jobs is imported by now, so the function `jobs` below is what `worker.jobs` means;
# `from worker.jobs import registry` goes by the module's name and finds the package.

__all__ = [
    "Expected", "Job", "Power", "Progress", "Ready", "State", "answer", "answer_soon", "ask", "enqueue",
    "ensure_running", "expected", "get", "go_on", "if_queued", "is_running", "jobs", "keep_running", "keeps",
    "move_up", "outlook", "pause", "power", "progress_since", "ready", "resumes", "rests", "run_at", "set_quiet_hours",
    "stop", "tonight",
]


def enqueue(kind: str, payload: dict[str, Any], *, project: str | None = None, job_id: str | None = None,
            not_before: float | None = None, priority: int = 0) -> str:
    """Hand in a job and return its id.

    payload     ids and settings, never data; what a screen may still change is copied in (a training's configuration)
    job_id      made by the caller (8-64 letters, digits, _ or -): the same id twice is one job
    not_before  seconds since 1970, UTC; None for as soon as can be
    raises      UserError if a stage before is missing, or the job cannot be kept (disk full ...): nothing is queued
    """
    from worker import queue

    found = registry.get(kind)
    frozen: dict[str, Any] = {}
    rights.require_job(kind, payload, project, ready=lambda: frozen.update(found.freeze(payload)))
    job_id = job_id or uuid.uuid4().hex
    new = store.submit(job_id, kind, found.queue, frozen, project=project or payload.get("project"),
                       not_before=not_before or 0.0, priority=priority)
    if new:
        queue.nudge(job_id, found.queue)
    return job_id


def get(job_id: str) -> Job:
    """The job as it stands. KeyError if there is none of that id for one to see."""
    job = store.get(job_id)
    if not rights.sees_job(job):
        raise KeyError(job_id)
    return job


def jobs(state: State | tuple[State, ...] | None = None, project: str | None = None, *,
         most: int | None = None) -> list[Job]:
    """Jobs that one may see, newest first; those that wait stand in the order in which they will run among themselves.

    most  so many of the newest, of those that one may see
    """
    return store.jobs(state=state, project=project, most=most, seen=rights.seen_jobs())


def progress_since(job_id: str, seq: int = 0) -> list[Progress]:
    """Rows newer than `seq`, oldest first."""
    return store.progress_since(get(job_id).id, seq) if rights.of_many() else store.progress_since(job_id, seq)


def ready() -> list[Ready]:
    """Trainings that one may see and that run or wait, what is expected of them, and whether they will be done by the
    next 07:00."""
    return list(filter(_sees_training(), morning.ready()))


def outlook() -> tuple[list[Ready], dict[str, Expected]]:
    """As `ready`, and what is expected of every job that runs or waits, by id: once for a screen that lists them, since
    each answer takes the whole queue."""
    listed, expected_there = morning.outlook()
    return list(filter(_sees_training(), listed)), expected_there | all_of("quick")


def _sees_training() -> Callable[[Ready], bool]:
    sees = rights.seen_jobs()
    return lambda each: sees(each.job)


def stop(job_id: str) -> None:
    """Stop a job: at once if it waits and has learned nothing, within seconds if it runs; what can be kept is kept."""
    rights.require_of_job("stop", job_id)
    stops.stop(job_id)


def keeps(job: Job) -> bool:
    """Whether a stop of a training that does not run just now leaves a model."""
    return stops.keeps(job)


def pause(job_id: str) -> None:
    """Let a waiting job not start, and a running training end at its next checkpoint, until `go_on`; a stop that waits
    for its turn is taken back.

    raises  UserError where it runs and would have to begin anew: only trainings keep what they have
    """
    rights.require_of_job("stop", job_id)
    job = store.get(job_id)
    if job.state == "running" and not resumes(job.kind):
        raise UserError(what="This work cannot be paused while it runs: it would begin anew.",
                        fix="Let it end, or stop it.", code="no_pause")
    store.ask_pause(job_id)


def resumes(kind: str) -> bool:
    """Whether work of that kind goes on from checkpoints, so that a pause loses nothing."""
    return kind in registry.names() and registry.get(kind).resumes


def go_on(job_id: str) -> None:
    """Take a pause back: the job waits for its turn, and goes on from its last checkpoint."""
    rights.require_of_job("schedule", job_id)
    store.let_go_on(job_id)


def move_up(job_id: str) -> None:
    """Let a waiting job go first."""
    rights.require_of_job("schedule", job_id)
    store.put_first(job_id)


def set_quiet_hours(words: str) -> None:
    """Let large trainings rest in a part of every day: "08:00-18:00", or "off". UserError for other words."""
    chosen = quiet.parsed(words)
    rights.require("settings")
    quiet.keep(chosen)


def run_at(job_id: str, when: float) -> None:
    """Let a waiting job start at that time (seconds since 1970, UTC; see `tonight`) or later; 0 for now."""
    rights.require_of_job("schedule", job_id)
    store.put_off(job_id, when)
