"""Read a folder of the clinician's own documents, for the co-pilot to look things up in."""

from __future__ import annotations

from typing import Any

from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {folder} -> {files, passages, left_out}, counts; a folder read before is replaced, a stop changes
    nothing."""
    from medml.copilot import Settings, read_documents

    found = read_documents(job.payload["folder"], watch=watch, settings=Settings())
    return {"files": found.files, "passages": found.passages, "left_out": len(found.left_out)}


registry.add("documents", Kind("documents", "Read documents", "quick", run))
