"""Look through a project's folder and keep its profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medml import project
from medml.errors import Stopped
from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {project, sheet (optional)} -> {files, tables}; raises Stopped, and then the old profile stays.

    Where only the pass over pixels was stopped the profile is kept: it says what was not looked at.
    """
    from medml import profile

    card = project.get(job.payload["project"])
    source = project.check_source(card.source)
    found = profile.scan(Path(source), sheet=job.payload.get("sheet"), watch=watch)
    if watch.stopping() and not any(table.pictures for table in found.tables):
        raise Stopped
    project.write(card.id, found)
    return {"files": len(found.files), "tables": len(found.tables)}


registry.add("scan", Kind("scan", "Scan", "quick", run))
