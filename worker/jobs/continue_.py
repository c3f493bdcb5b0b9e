"""Train a run for some more rounds: a new checkpoint on its chain."""

from __future__ import annotations

from typing import Any

from medml.errors import UserError
from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, has_steps, registry, source_of_run


def halves(payload: dict[str, Any]) -> bool:
    """Whether the run's family learns in steps of some rows each; no where the run is gone or damaged."""
    from medml import gallery

    try:
        return has_steps(gallery.open_run(payload["run"]).config.family)
    except UserError:
        return False


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, rounds, project (optional)} -> {run}."""
    from medml import gallery, train
    from medml.copilot import give_way

    was = gallery.open_run(job.payload["run"])
    give_way(was.profile, was.recipe, was.config)
    train.continue_run(job.payload["run"], job.payload["rounds"], source=source_of_run(job.payload), watch=watch,
                       job=job.id, halved=job.halved, finish=job.is_finishing)
    return {"run": job.payload["run"]}


registry.add("continue", Kind("continue", "Train more rounds", "train", run, resumes=True, halves=halves))
