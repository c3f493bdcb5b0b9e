"""Stop, as a person asks for it of work that may not run just now. A training that has learned something waits for its
turn once more, learns nothing further, and is judged and listed as one that was stopped; all else ends at once."""

from __future__ import annotations

import contextlib

from medml import home, store
from medml.ahead import TRAININGS
from medml.store import Job


def stop(job_id: str) -> None:
    """Ask for it; what can be kept is kept. A job that has ended, or is not there, needs nothing."""
    with contextlib.suppress(KeyError):
        job = store.get(job_id)
        store.ask_stop(job_id, keep=job.state in store.WAITING and job.kind in TRAININGS and keeps(job))


def keeps(job: Job) -> bool:
    """Whether a stop of a training leaves a model: it has learned rounds that can be kept, or all there was to learn.
    """
    return (keeps_rounds(job) and store.has_points(job.id)) or home.has_learned_all(job.id)


def keeps_rounds(job: Job) -> bool:
    """Whether a stop keeps what was learned so far: not where a family is fitted in one go."""
    from medml import families  # late: it is asked for at a stop alone

    config = job.payload.get("config")
    return config is None or families.registry.get(config["family"]).round is not None
