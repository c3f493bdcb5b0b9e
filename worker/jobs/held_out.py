"""Open a run's held-out part and measure on it; every look is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medml import project
from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, project} -> {run}."""
    from medml import train

    card = project.get(job.payload["project"])
    source = project.check_source(card.source)
    train.open_held_out(job.payload["run"], source=Path(source), watch=watch)
    return {"run": job.payload["run"]}


registry.add("held_out", Kind("held_out", "Open the held-out part", "quick", run))
