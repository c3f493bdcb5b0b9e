"""Judge a finished run on another folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medml import project
from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, source, renamed {their column: ours}, stated, by and project (optional)} -> {run, external}."""
    from medml import outside

    source = project.check_source(job.payload["source"])
    found = outside.validate(job.payload["run"], Path(source), renamed=job.payload.get("renamed") or {},
                             stated=bool(job.payload.get("stated")), by=job.payload.get("by") or "", watch=watch)
    return {"run": job.payload["run"], "external": found.id}


def asked_by_somebody(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload, once whoever asks may name its folder: the job may read for everybody. UserError where not."""
    project.check_source(payload["source"])
    return payload


registry.add("external", Kind("external", "Validate on other data", "quick", run, freeze=asked_by_somebody))
