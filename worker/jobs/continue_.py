"""Train a run for some more rounds: a new checkpoint on its chain."""

from __future__ import annotations

from typing import Any

from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry, source_of_run


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, rounds, project (optional)} -> {run}."""
    from medml import train

    train.continue_run(job.payload["run"], job.payload["rounds"], source=source_of_run(job.payload), watch=watch,
                       job=job.id)
    return {"run": job.payload["run"]}


registry.add("continue", Kind("continue", "Train more rounds", "train", run, resumes=True))
