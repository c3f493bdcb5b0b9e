"""Answer a file of patients, or a folder of pictures. The answers are written where the person's own data lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, file, out, sheet, level, explain, project (optional)} -> {run, out, n rows, silent rows}."""
    from medml import asking

    asked = job.payload
    found = asking.patients(asked["run"], Path(asked["file"]), Path(asked["out"]), sheet=asked.get("sheet"),
                            level=asked["level"], explain=asked["explain"], watch=watch)
    return {"run": asked["run"], "out": asked["out"]} | found


registry.add("predict", Kind("predict", "Answer a file of patients", "quick", run))
