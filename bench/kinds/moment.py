"""A job for `bench.queue`: it says when it began to run, and is done."""

from __future__ import annotations

import time

from worker.jobs import Kind, registry


def run(job, watch):
    """-> {at: seconds since 1970}."""
    return {"at": time.time()}


for queue in ("quick", "train"):
    registry.add(f"moment_{queue}", Kind(f"moment_{queue}", "Moment", queue, run))
