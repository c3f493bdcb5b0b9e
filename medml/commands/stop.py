"""`stop`: end a job of the queue."""

from __future__ import annotations

import argparse

from medml import store
from medml.ahead import TRAININGS
from medml.commands import Printed, _jobs, command
from medml.commands._jobs import named
from medml.errors import UserError


def options(parser: argparse.ArgumentParser) -> None:
    """JOB, and whether what it has learned may be dropped."""
    _jobs.options(parser)
    parser.add_argument("--yes", action="store_true", help="though a training that waits loses what it has learned")


@command("stop", "end a job of the queue", options)
def do_stop(args: argparse.Namespace) -> Printed:
    """At once where it waits, at the next safe point where it runs; what can be kept is kept."""
    job = named(args.job)
    if job.ended_for_good:
        return [f"Job {job.id[:12]} has ended already: {job.state}."]
    if job.state in store.WAITING and job.kind in TRAININGS and job.attempt and not args.yes:
        raise UserError(what="This training does not run now, and nothing of what it has learned would be kept.",
                        fix=f"Let it go on first (python -m medml resume {job.id[:12]}) and stop it once it learns; or "
                            "add --yes. Nothing was changed.", code="would_be_lost")
    store.ask_stop(job.id)
    return ["It was waiting and is stopped." if store.get(job.id).ended_for_good else
            "It stops at the next safe point; what can be kept is kept."]
