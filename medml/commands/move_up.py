"""`move-up`: let a job of the queue go first."""

from __future__ import annotations

import argparse
import time

from medml import store
from medml.commands import Printed, command
from medml.commands._jobs import named, options


@command("move-up", "let a waiting job of the queue go before the others", options)
def do_move_up(args: argparse.Namespace) -> Printed:
    """Before all others of its kind of queue; an hour that was set, quiet hours and a pause still hold."""
    job = named(args.job)
    if job.ended_for_good:
        return [f"Job {job.id[:12]} has ended already: {job.state}."]
    if job.state == "running":
        return ["It runs already."]
    store.put_first(job.id)
    later = job.is_paused or job.not_before > time.time()
    return ["It goes before the others" + (", once its pause or its hour is over." if later else ".")]
