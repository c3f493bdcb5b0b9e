"""When a job is likely to start and to finish."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from medml import store
from medml.store import Job
from worker.jobs import WORKERS

EARLY = 0.02  # below this fraction a running job says too little about itself


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds since 1970, UTC; None where nothing is known yet."""

    start: float | None
    finish: float | None


def expected(job_id: str) -> Expected:
    """When a job started or will start, and when it will be finished, as far as can be told. KeyError if unknown."""
    job = store.get(job_id)
    if job.ended_for_good:
        return Expected(job.started, job.ended)
    everything = store.jobs(queue=job.queue)
    if job.state == "running":
        return Expected(job.started, _finish(job, everything))
    return _in_line(job, everything)


def _finish(job: Job, everything: list[Job]) -> float | None:
    """From the share done so far; before that says anything, from how long it should take."""
    now = time.time()
    if job.fraction >= EARLY and job.heartbeat is not None and job.started is not None:
        return now + max(job.heartbeat - job.started, 0.0) * (1 - job.fraction) / job.fraction
    length = _length(job, everything)
    return None if length is None or job.started is None else max(job.started + length, now)


def _length(job: Job, everything: list[Job]) -> float | None:
    """Seconds one job takes: its own estimate, else the median of those of its kind that are done."""
    if isinstance(job.payload.get("seconds"), int | float):
        return float(job.payload["seconds"])
    done = [each.ended - each.started for each in everything
            if each.kind == job.kind and each.state == "done" and each.ended and each.started]
    return statistics.median(done) if done else None


def _in_line(job: Job, everything: list[Job]) -> Expected:
    """Let the jobs before it run through the places of its queue, one after another."""
    now = time.time()
    free = [_finish(each, everything) for each in everything if each.state == "running"]
    free += [now] * (WORKERS[job.queue] - len(free))
    for each in (other for other in everything if other.state in store.WAITING):
        if None in free:
            return Expected(None, None)
        free.sort()
        start = max(free[0], each.not_before)
        length = _length(each, everything)
        free[0] = None if length is None else start + length
        if each.id == job.id:
            return Expected(start, free[0])
    return Expected(None, None)
