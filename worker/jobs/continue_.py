"""Train a run for some more rounds: a new checkpoint on its chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medml import project
from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, rounds, project} -> {run}."""
    from medml import train

    card = project.get(job.payload["project"])
    source = project.check_source(card.source)
    train.continue_run(job.payload["run"], job.payload["rounds"], source=Path(source), watch=watch, job=job.id)
    return {"run": job.payload["run"]}


registry.add("continue", Kind("continue", "Train more rounds", "train", run))
