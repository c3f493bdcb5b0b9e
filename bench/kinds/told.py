"""A real training that tells of each epoch in a file, so that `bench.torture` can count what was done twice."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

from medml.store import Job
from medml.watch import Watch
from worker.jobs import registry
from worker.jobs import train as real

TOLD = "MEDML_TORTURE_TOLD"  # a file off the disk that is filled


def run(job: Job, watch: Watch) -> dict[str, Any]:
    """As `train`; a line an epoch: job, attempt, fit, epoch, seconds."""
    from medml import loop

    plain_run, plain_epoch, place = loop.run, loop._epoch, {}
    out = os.open(os.environ[TOLD], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def told_run(session: Any, *given: Any, **more: Any) -> Any:
        work = more.get("work")
        place[id(session)] = "" if work is None else work.path.parent.name
        return plain_run(session, *given, **more)

    def told_epoch(session: Any, *given: Any) -> float:
        began = time.monotonic()
        mean = plain_epoch(session, *given)
        where = place.get(id(session), "")
        if where:  # not the fold that is made a second time to compare the numbers
            os.write(out, f"{job.id} {job.attempt} {where} {session.epoch} {time.monotonic() - began:.4f}\n".encode())
        return mean

    loop.run, loop._epoch = told_run, told_epoch
    return real.run(job, watch)


registry.add("told_train", replace(registry.get("train"), name="told_train", run=run))
