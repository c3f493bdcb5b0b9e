"""Look through a project's folder and keep its profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medml import project
from medml.errors import Stopped
from medml.store import Job
from medml.types import Choice
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {project; sheet, labels, choice optional} -> {files, tables}; raises Stopped: the old profile stays.

    labels  what a person said of pictures, by name, as in medml.data.images.beside.Labels
    choice  only count the profile that is there again, by the patients that this choice names

    Where only the pass over pixels was stopped the profile is kept: it says what was not looked at.
    """
    from medml import profile
    from medml.data.images.beside import Labels

    card = project.get(job.payload["project"])
    source = project.check_source(card.source)
    old = project.profile(card.id)
    if "choice" in job.payload and old is not None:
        found = profile.regrouped(old, Choice.model_validate(job.payload["choice"]), watch=watch)
    else:
        found = profile.scan(Path(source), sheet=job.payload.get("sheet"), watch=watch,
                             labels=Labels(**job.payload.get("labels", {})))
    if watch.stopping() and not any(table.pictures for table in found.tables):
        raise Stopped
    project.write(card.id, found)
    return {"files": len(found.files), "tables": len(found.tables)}


def asked_by_somebody(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload, once whoever asks may name the table of labels in it: the job itself may read for everybody.

    raises  UserError where the table is gone, or outside of the folders that this person may use
    """
    from medml.data.index import place_of

    file = payload.get("labels", {}).get("file")
    if file:
        place_of(Path(project.get(payload["project"]).source), file)
    return payload


registry.add("scan", Kind("scan", "Scan", "quick", run, freeze=asked_by_somebody))
