"""Quiet hours as the worker keeps them: only small trainings start, and large ones give way at a checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Collection

from medml import ahead, quiet, store
from worker.jobs import registry

log = logging.getLogger(__name__)


def longest(queue: str) -> float | None:
    """How long a job of that queue may be foreseen to take to start just now, in seconds; None: as long as it likes."""
    return quiet.longest() if queue == "train" else None


def give_way(running: Collection[str]) -> None:
    """In quiet hours, ask every training that is large, and has long to go, to end at its next checkpoint.

    running  ids of the jobs of this worker
    """
    if not quiet.is_quiet(quiet.hours()):
        return
    for job in store.jobs(state="running", queue="train"):
        asked = job.resting is not None or job.paused is not None or job.stop is not None
        if job.id in running and not asked and registry.get(job.kind).resumes and _has_long_to_go(job):
            log.info("job %s gives way to the quiet hours", job.id)
            store.ask_to_rest(job.id, job.token)


def _has_long_to_go(job: store.Job) -> bool:
    """Not where it was foreseen to be small: it may start in quiet hours, so it may run in them."""
    return not quiet.is_small(job.payload.get("seconds")) and not quiet.is_small(ahead.seconds_left(job, {}))
