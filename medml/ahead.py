"""What lies ahead of the queue: when a job is likely to start and to finish, quiet hours and pauses included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medml import quiet, store
from medml.store import Job

TRAININGS = ("train", "continue")  # kinds of jobs that make, or go on with, a model
PLACES = {"train": 1, "quick": 2}  # jobs of one queue that run at a time on a machine
EARLY = 0.02  # below this fraction a running job says too little about itself
RECENT = 200  # jobs that are done, from which is told how long others take
ENOUGH = 5  # trainings whose foreseen and real lengths say how far a forecast may be off
WITHOUT = (0.5, 2.0)  # before there are so many: half to twice what is foreseen
JUDGED = 0.07  # share of a training's bar that is not learning, all there is where it was stopped while it waited

@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds since 1970, UTC; None where nothing is known yet. The finish lies between earliest and latest in four of
    five cases, as far as earlier trainings tell."""

    start: float | None
    finish: float | None
    earliest: float | None = None
    latest: float | None = None


def expected(job_id: str) -> Expected:
    """When a job started or will start, and when it will be finished, as far as can be told. KeyError if unknown."""
    job = store.get(job_id)
    if job.ended_for_good:
        return Expected(job.started, job.ended, job.ended, job.ended)
    return all_of(job.queue).get(job_id, Expected(None, None))


def all_of(queue: str) -> dict[str, Expected]:
    """What is expected of every job of a queue that runs or waits, by id: once for a screen that lists them, since each
    answer takes the whole queue."""
    return foreseen(line_of(queue))


def if_queued(seconds: float | None, not_before: float = 0.0, line: Line | None = None) -> Expected:
    """When a training that is not in the queue yet would start and finish, behind all that is.

    seconds  that it is foreseen to take; None where that cannot be told
    line     the queue of trainings, where it was read already
    """
    new = store.Job(**dict.fromkeys(store.Job.__dataclass_fields__) | {
        "id": "", "kind": "train", "queue": "train", "state": "queued", "priority": -1, "number": 0, "halved": 0,
        "fraction": 0.0, "not_before": not_before, "payload": {} if seconds is None else {"seconds": seconds}})
    return foreseen(line or line_of("train"), new).get("", Expected(None, None))


@dataclass(frozen=True, slots=True)
class Line:
    """A queue as it stands, read once however often it is asked what would be.

    took  how long jobs of it took that are done;   typical  seconds, the median of them by kind
    """

    queue: str
    going: Sequence[Job]
    took: Sequence[store.Took]
    typical: dict[str, float]
    quiet: quiet.Hours | None
    places: int
    now: float


def line_of(queue: str) -> Line:
    """A queue as it stands now."""
    took = store.took(queue, RECENT)
    kinds = {each.kind for each in took}
    typical = {kind: statistics.median(each.seconds for each in took if each.kind == kind) for kind in kinds}
    return Line(queue, store.jobs(queue=queue, state=store.GOING), took, typical,
                quiet.hours() if queue == "train" else None, PLACES[queue] * max(1, len(store.machines())),
                time.time())


def spread(took: Sequence[store.Took]) -> tuple[float, float]:
    """Seconds taken per second foreseen, the 10th and the 90th percentile of earlier trainings of one attempt."""
    ratios = sorted(each.seconds / each.foreseen for each in took if each.attempt == 1 and each.foreseen)
    if len(ratios) < ENOUGH:
        return WITHOUT
    tenths = statistics.quantiles(ratios, n=10, method="inclusive")
    return min(tenths[0], 1.0), max(tenths[-1], 1.0)


def foreseen(line: Line, new: Job | None = None) -> dict[str, Expected]:
    """What is expected of every job of a queue that runs or waits, and of a new one behind them, by id."""
    low, high = spread(line.took)
    middle, early, late = (_walked(line, new, scale, judged)
                           for scale, judged in ((1.0, JUDGED), (low, JUDGED), (high, 1.0)))
    unknown = (None, None)
    return {name: Expected(start, finish, early.get(name, unknown)[1], late.get(name, unknown)[1])
            for name, (start, finish) in middle.items()}


def _walked(line: Line, new: Job | None, scale: float, judged: float) \
        -> dict[str, tuple[float | None, float | None]]:
    """(start, finish) of each job, if every one takes `scale` times as long as foreseen: jobs walk through the places
    of their queue, and whoever is due, not paused and small enough for the hour goes first.

    judged  the share of its length that one takes which is only to be judged: for large tables, most of a short one
    """
    found: dict[str, tuple[float | None, float | None]] = {}
    free: list[float | None] = []
    for each in (each for each in line.going if each.state == "running"):
        left = _judging_left(each, line.typical, judged) if each.is_finishing else seconds_left(each, line.typical)
        free.append(None if left is None else quiet.finished(line.quiet, line.now, left * scale))
        found[each.id] = (each.started, None if each.paused is not None else free[-1])
    free += [line.now] * (line.places - len(free))
    waiting = [each for each in line.going if each.state in store.WAITING and not each.is_paused]
    waiting += [] if new is None else [new]
    waiting.sort(key=lambda job: (-job.priority, job.number))
    while waiting and None not in free:
        free.sort()
        start, job = _next(waiting, max(line.now, free[0]), line)
        waiting.remove(job)
        length = _judging_left(job, line.typical, judged) if job.is_finishing else _length(job, line.typical)
        free[0] = None if length is None else quiet.finished(line.quiet, start, length * scale)
        found[job.id] = (start, free[0])
    return found


def _next(waiting: Sequence[Job], free: float, line: Line) -> tuple[float, Job]:
    """Who goes next once a place is free, and when; those that wait stand in their turn."""
    soonest: tuple[float, Job] | None = None
    for job in waiting:
        start = max(free, job.not_before)
        if quiet.is_quiet(line.quiet, start) and not quiet.is_small(_length(job, line.typical)):
            start = quiet.ends(line.quiet, start)
        if start <= free:
            return start, job  # nobody behind it can start sooner
        if soonest is None or start < soonest[0]:
            soonest = start, job
    return soonest


def rests(job: Job) -> bool:
    """Whether a job that waits does so because of the quiet hours."""
    if job.queue != "train" or job.state not in store.WAITING or job.is_paused or job.not_before > time.time():
        return False
    return quiet.is_quiet(quiet.hours()) and not quiet.is_small(_length(job, {}))


def seconds_left(job: Job, typical: Mapping[str, float]) -> float | None:
    """Seconds that a running job has still to go: from the share done so far; before that says anything, or where it
    went on from a checkpoint, from how long it should take."""
    now, length = time.time(), _length(job, typical)
    if job.attempt > 1 and length is not None:
        return length * (1 - job.fraction)
    if job.fraction >= EARLY and job.heartbeat is not None and job.started is not None:
        return max(job.heartbeat - job.started, 0.0) * (1 - job.fraction) / job.fraction
    return None if length is None or job.started is None else max(job.started + length - now, 0.0)


def _judging_left(job: Job, typical: Mapping[str, float], judged: float) -> float | None:
    """Seconds that a training has to go which was stopped while it waited, and learns nothing further."""
    length = _length(job, typical)
    begun = job.started if job.state == "running" and job.started is not None else time.time()
    return None if length is None else max(length * judged - (time.time() - begun), 0.0)


def _length(job: Job, typical: Mapping[str, float]) -> float | None:
    """Seconds one job takes: its own estimate, else the median of those of its kind that are done."""
    own = job.payload.get("seconds")
    return float(own) if isinstance(own, int | float) else typical.get(job.kind)
