"""`stop`: end a job of the queue."""

from __future__ import annotations

import argparse

from medml import stops, store
from medml.commands import Printed, command
from medml.commands._jobs import named, options


@command("stop", "end a job of the queue", options)
def do_stop(args: argparse.Namespace) -> Printed:
    """At the next safe point where it runs, at once where it waits and has learned nothing; what can be kept is kept.
    """
    job = named(args.job)
    if job.ended_for_good:
        return [f"Job {job.id[:12]} has ended already: {job.state}."]
    stops.stop(job.id)
    left = store.get(job.id)
    if left.state in store.WAITING:
        return ["It learns nothing further. Once it is its turn, what it has learned is judged and saved; until then, "
                f"this lets it be paused again instead: python -m medml pause {job.id[:12]}"]
    return ["It was waiting and is stopped." if left.ended_for_good else
            "It stops at the next safe point; what can be kept is kept."]
