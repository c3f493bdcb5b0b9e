"""Kinds of jobs, found by themselves: one file here is one kind. `MEDML_JOBS` names a folder with more of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medml.ahead import PLACES
from medml.registry import Registry
from medml.store import Job
from medml.watch import Watch

Queue = Literal["train", "quick"]
WORKERS: dict[Queue, int] = PLACES  # jobs of one queue that run at a time

if os.environ.get("MEDML_JOBS"):
    __path__.append(os.environ["MEDML_JOBS"])


def as_given(payload: dict[str, Any]) -> dict[str, Any]:
    """A payload that says all by itself."""
    return payload


def never(payload: dict[str, Any]) -> bool:
    """Work without steps."""
    return False


def has_steps(family: str) -> bool:
    """Whether a family learns in steps of some rows each."""
    from medml import families

    known = family in families.registry.names()
    return known and any(each.name == "batch" for each in families.registry.get(family).params)


def source_of_run(payload: dict[str, Any]) -> Path:
    """Where the table of the run in a payload lies: its project's folder, else where the run itself was made from.

    raises  UserError if that folder or file is gone, or outside of what may be read
    """
    from medml import gallery, project

    if payload.get("project"):
        return project.check_source(project.get(payload["project"]).source)
    return project.check_source(gallery.open_run(payload["run"]).source)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a job does. Heavy imports belong inside `run`, since screens import this.

    queue   "train": one at a time; "quick": what somebody waits for at a screen
    run     (job, watch) -> what to keep as the job's result: ids and counts, no values
    resumes whether it goes on from checkpoints, so that a pause loses nothing
    halves  (payload) -> whether it needs less memory when half the rows a step are taken (Job.halved)
    freeze  (payload) -> payload with the settings as they are now, so that a later edit does not change a waiting job
    """

    name: str
    title: str
    queue: Queue
    run: Callable[[Job, Watch], dict[str, Any]]
    freeze: Callable[[dict[str, Any]], dict[str, Any]] = as_given
    resumes: bool = False
    halves: Callable[[dict[str, Any]], bool] = never


registry: Registry[Kind] = Registry("worker.jobs")

__all__ = ["WORKERS", "Kind", "Queue", "has_steps", "registry", "source_of_run"]
