"""`resume`: let a paused job of the queue go on."""

from __future__ import annotations

import argparse

from medml import store
from medml.commands import Printed, command
from medml.commands._jobs import named, options


@command("resume", "let a paused job of the queue go on from where it was", options)
def do_resume(args: argparse.Namespace) -> Printed:
    """It waits for its turn, and goes on from its last checkpoint as if it had never paused."""
    job = named(args.job)
    if not store.let_go_on(job.id):
        return [f"Job {job.id[:12]} was not paused."]
    return ["It goes on." if store.get(job.id).state == "running" else "It waits for its turn, and goes on then."]
