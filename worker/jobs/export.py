"""Write a run's model as a file that other programs open, and as a capsule for another hospital."""

from __future__ import annotations

from typing import Any

from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, project (optional)} -> {run, bytes of the model}."""
    from medml.export import kept

    return {"run": job.payload["run"], "bytes": kept.make(job.payload["run"], watch=watch).bytes}


registry.add("export", Kind("export", "Write the model file", "quick", run))
