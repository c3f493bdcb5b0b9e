"""Handing in work once: ids that two windows, or two presses, make alike; and the same work once more."""

from __future__ import annotations

import hashlib
import re

import worker
from medml import home
from medml import project as projects
from medml.store import Job

_AGAIN = re.compile(r"-again(\d+)$")


def id_of(kind: str, *facts: object) -> str:
    """An id for work that is said in full by these facts: whoever asks for the same gets the same job.

    Where all of that id have ended, it is the next one: so a training that failed can be asked for again, and one
    that was done, and taken back by a revert, too.
    """
    stem = f"{kind}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:24]}"
    known = {each.id: each for each in worker.jobs() if each.id.startswith(stem)}
    number = 0
    while (at := f"{stem}-{number}") in known and known[at].ended_for_good:
        number += 1
    return at


def queue(job: Job) -> str:
    """Hand in an ended job's work once more, as it was, and return the new one's id; a second press finds that one."""
    return worker.enqueue(job.kind, job.payload, project=job.project, job_id=next_id(job.id))


def next_id(job_id: str) -> str:
    """The id of the attempt that follows: "a" -> "a-again1" -> "a-again2"."""
    found = _AGAIN.search(job_id)
    return f"{job_id[:found.start()]}-again{int(found[1]) + 1}" if found else f"{job_id}-again1"


def is_stale(job: Job) -> bool:
    """Whether the folder was scanned again since: the same work can then not be done once more."""
    if job.project is None or "config" not in job.payload:
        return False
    profile = projects.profile(job.project)
    return profile is None or home.sha256_of(profile) != job.payload["config"]["profile_sha256"]
