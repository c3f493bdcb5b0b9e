"""Train the configuration of a project, as it was when the job was queued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medml import home, project
from medml.errors import UserError
from medml.store import Job
from medml.types import Recipe, TrainConfig
from medml.watch import Watch
from worker import published
from worker.jobs import Kind, has_steps, registry


def freeze(payload: dict[str, Any]) -> dict[str, Any]:
    """Put the project's recipe and configuration into the payload. UserError if a stage before is missing."""
    if "recipe" in payload and "config" in payload:
        return payload
    recipe, config = project.recipe(payload["project"]), project.config(payload["project"])
    if recipe is None or config is None:
        raise UserError(what="This project has no finished configuration yet.",
                        fix="Go through Cleanup and Configure first.")
    return payload | {"recipe": recipe.model_dump(mode="json"), "config": config.model_dump(mode="json")}


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {project, recipe, config} -> {run}."""
    from medml import train
    from medml.copilot import give_way
    from medml.profile import is_foreseen

    before = published.entered(job)
    if before is not None:
        return before  # an attempt before was ended between publishing and saying so
    card = project.get(job.payload["project"])
    recipe = Recipe.model_validate(job.payload["recipe"])
    config = TrainConfig.model_validate(job.payload["config"])
    profile = project.profile(card.id)
    if profile is None or home.sha256_of(profile) != config.profile_sha256:
        raise UserError(what="The folder was scanned again after this training was queued.", code="changed",
                        fix="Look at the new scan, then start the training again.")
    if not is_foreseen(profile, config.choice):
        raise UserError(what=f"Small groups have not been counted by the patients of “{config.choice.patient}” yet.",
                        fix="Press “Continue to preview” on the Scan page, then start the training again.",
                        code="not_counted")
    source = project.check_source(card.source)
    give_way(profile, recipe, config)
    made = train.train(Path(source), profile, recipe, config, watch=watch, job=job.id, halved=job.halved,
                       finish=job.is_finishing)
    project.add_run(card.id, made)
    return {"run": made}


registry.add("train", Kind("train", "Train", "train", run, freeze, resumes=True,
                           halves=lambda payload: has_steps(payload["config"]["family"])))
