"""`stop`: end a job of the queue."""

from __future__ import annotations

import argparse

from medml import store
from medml.commands import Printed, command
from medml.commands._jobs import named, options


@command("stop", "end a job of the queue", options)
def do_stop(args: argparse.Namespace) -> Printed:
    """At once where it waits, at the next safe point where it runs; what can be kept is kept."""
    job = named(args.job)
    if job.ended_for_good:
        return [f"Job {job.id[:12]} has ended already: {job.state}."]
    store.ask_stop(job.id)
    return ["It was waiting and is stopped." if store.get(job.id).ended_for_good else
            "It stops at the next safe point; what can be kept is kept."]
