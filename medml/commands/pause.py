"""`pause`: let a job of the queue rest until `resume`."""

from __future__ import annotations

import argparse

from medml import store
from medml.ahead import TRAININGS
from medml.commands import Printed, command
from medml.commands._jobs import named, options
from medml.errors import UserError


@command("pause", "let a job of the queue rest until `resume`; a training keeps all it has learned", options)
def do_pause(args: argparse.Namespace) -> Printed:
    """A waiting job does not start; a running training ends at its next checkpoint, and its memory comes back."""
    job = named(args.job)
    if job.ended_for_good:
        return [f"Job {job.id[:12]} has ended already: {job.state}."]
    if job.state == "running" and job.kind not in TRAININGS:
        raise UserError(what="This work cannot be paused while it runs: it would begin anew.",
                        fix="Let it end, or stop it.", code="no_pause")
    if not store.ask_pause(job.id):
        return ["It is paused already."]
    go_on = f"python -m medml resume {job.id[:12]}"
    return [f"It pauses at its next checkpoint and gives its memory back; let it go on with: {go_on}"
            if job.state == "running" else f"It does not start until you let it: {go_on}"]
