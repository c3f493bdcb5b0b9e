"""`jobs`: what runs and what waits."""

from __future__ import annotations

import argparse
import time

from medml.commands import Printed, command
from medml.terminal import table


@command("jobs", "what runs and what waits")
def do_jobs(args: argparse.Namespace) -> Printed:
    """What runs, what waits, what is done."""
    from medml import store

    rows = [(job.id[:12], job.kind, job.state, job.error["what"] if job.error else job.message,
             time.strftime("%Y-%m-%d %H:%M", time.gmtime(job.made))) for job in store.jobs()]
    return [table(rows, ["job", "kind", "state", "what", "made (UTC)"])] if rows else ["No job yet."]
