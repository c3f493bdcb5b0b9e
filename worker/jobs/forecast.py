"""Train a run's configuration on parts of its patients, to say what more of them would bring."""

from __future__ import annotations

from typing import Any

from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry, source_of_run


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, project (optional)} -> {run}."""
    from medml import forecast

    forecast.of_run(job.payload["run"], source=source_of_run(job.payload), watch=watch)
    return {"run": job.payload["run"]}


registry.add("forecast", Kind("forecast", "What more patients would bring", "train", run))
