"""`stop`: end a job of the queue."""

from __future__ import annotations

import argparse

from medml import store
from medml.commands import Printed, command
from medml.errors import UserError


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", help="its id as `jobs` prints it, or the beginning of it")


@command("stop", "end a job of the queue", options)
def do_stop(args: argparse.Namespace) -> Printed:
    """At once where it waits, at the next safe point where it runs; what can be kept is kept."""
    found = [each for each in store.jobs() if each.id.startswith(args.job)]
    if len(found) != 1:
        raise UserError(what="There is no job of that id." if not found else f"{len(found)} jobs begin like that.",
                        fix="Take the id from what `jobs` prints.")
    job = found[0]
    if job.ended_for_good:
        return [f"Job {job.id[:12]} has ended already: {job.state}."]
    store.ask_stop(job.id)
    return ["It was waiting and is stopped." if store.get(job.id).ended_for_good else
            "It stops at the next safe point; what can be kept is kept."]
