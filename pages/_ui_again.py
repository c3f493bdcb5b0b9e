"""Handing in work once: ids that two windows, or two presses, make alike; and the same work once more."""

from __future__ import annotations

import hashlib
import itertools
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
    for number in itertools.count():
        at = f"{stem}-{number}"
        try:
            if not worker.get(at).ended_for_good:
                return at
        except KeyError:  # there is none yet
            return at


def training(project: str, seconds: float, at: float) -> str:
    """Hand in the training that is configured, for a moment (seconds since 1970; 0 for as soon as can be), and return
    its job's id. The same configuration once more, by a double click or after a reload, is the job that waits or runs
    already; one that waits is moved to that moment."""
    facts = [home.sha256_of(each) for each in (projects.recipe(project), projects.config(project)) if each is not None]
    job = worker.enqueue("train", {"project": project, "seconds": seconds}, project=project, not_before=at,
                         job_id=id_of("train", project, *facts))
    if worker.get(job).not_before != at:
        worker.run_at(job, at)
    return job


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
