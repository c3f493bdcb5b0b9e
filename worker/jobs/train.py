"""Train the configuration of a project, as it was when the job was queued."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from medml import home, project
from medml.errors import UserError
from medml.store import Job
from medml.types import Profile, Recipe, TrainConfig
from medml.watch import Watch
from worker import published
from worker.jobs import Kind, has_steps, registry

SCANNED_AGAIN = "The folder was scanned again after this training was queued."


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
    profile = _profile(card.id, config.profile_sha256, home.work_folder(job.id) / "profile.json")
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


def _profile(project_id: str, sha256: str, kept: Path) -> Profile:
    """The profile that the configuration was made from: the project's own, or the one that the first attempt kept
    where the folder was scanned again since. Whether the data are as they were is seen when they are read."""
    found = project.profile(project_id)
    if found is not None and home.sha256_of(found) == sha256:
        home.write_model(kept, found)
        return found
    with contextlib.suppress(FileNotFoundError, ValidationError):
        found = home.read_model(kept, Profile)
        if home.sha256_of(found) == sha256:
            return found
    raise UserError(what=SCANNED_AGAIN, code="scanned_again",
                    fix="Look at the new scan, then start the training again.")


registry.add("train", Kind("train", "Train", "train", run, freeze, resumes=True,
                           halves=lambda payload: has_steps(payload["config"]["family"])))
