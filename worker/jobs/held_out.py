"""Open a run's held-out part and measure on it; every look is counted."""

from __future__ import annotations

from typing import Any

from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry, source_of_run


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, project (optional)} -> {run}."""
    from medml import train

    train.open_held_out(job.payload["run"], source=source_of_run(job.payload), watch=watch, job=job.id)
    return {"run": job.payload["run"]}


registry.add("held_out", Kind("held_out", "Open the held-out part", "quick", run))
