"""Answer a file of patients, or a folder of pictures. The answers are written where the person's own data lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medml.roots import check_source
from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, file, out, sheet, level, explain, project (optional)} -> {run, out, n, silent, unread rows}."""
    from medml import asking

    asked = job.payload
    found = asking.patients(asked["run"], Path(asked["file"]), Path(asked["out"]), sheet=asked.get("sheet"),
                            level=asked["level"], explain=asked["explain"], watch=watch)
    return {"run": asked["run"], "out": asked["out"]} | found


def asked_by_somebody(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload, once whoever asks may name its file and the folder of the answers: the job may use everybody's.

    raises  UserError where one is gone, or outside of the folders that this person may use
    """
    check_source(payload["file"])
    check_source(Path(payload["out"]).parent)
    return payload


registry.add("predict", Kind("predict", "Answer a file of patients", "quick", run, freeze=asked_by_somebody))
