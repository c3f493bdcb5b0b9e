"""`enqueue train`: put a training into the queue, for now or for tonight."""

from __future__ import annotations

import argparse
import re
import time
import uuid
from datetime import datetime

from medml import clock, project, store
from medml.commands import Printed, command, train
from medml.config import estimate
from medml.errors import UserError
from medml.roots import existing
from medml.terminal import Bar


def options(parser: argparse.ArgumentParser) -> None:
    """As `train`, and when."""
    parser.add_argument("what", choices=["train"], help="what is put into the queue")
    train.options(parser)
    parser.add_argument("--at", metavar="HH:MM", help="not before the clock next shows this hour, such as 20:00")


@command("enqueue", "put a training into the queue, for now or tonight", options)
def do_enqueue(args: argparse.Namespace) -> Printed:
    """Scan and plan in place, then leave the training to the worker."""
    moment, source = when(args.at), existing(args.source)
    if args.open:
        raise UserError(what="The held-out part is opened once a training is done, not from the queue.",
                        fix="Leave --open out; open it on the Evaluate page when the training is done.")
    profile, config, recipe = train.planned(args, source, Bar())
    yield from train.proposals_in_words(source, profile, config, recipe)
    made = project.create(source)
    for value in (profile, config.choice, recipe, config):
        project.write(made.id, value)
    seconds = estimate(profile.table(config.choice.table), config).seconds
    job = uuid.uuid4().hex
    store.submit(job, "train", "train", {
        "project": made.id, "seconds": seconds, "recipe": recipe.model_dump(mode="json"),
        "config": config.model_dump(mode="json")}, project=made.id, not_before=moment)
    start = f"at {datetime.fromtimestamp(moment):%H:%M on %d %B}" if moment else "as soon as those before it are done"
    yield f"In the queue as job {job[:12]}: it starts {start}."
    yield "It is done by the worker, which runs beside the app; without the app: python -m worker"


def when(hour: str | None, now: float | None = None) -> float:
    """The next moment at which the clock shows that hour (seconds since 1970, UTC); 0.0 for None, which is now."""
    if hour is None:
        return 0.0
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", hour)
    if found is None:
        raise UserError(what="--at takes an hour of the day.", fix="Write it as HH:MM, for example --at 20:00.")
    return clock.tonight(int(found[1]), int(found[2]), now=time.time() if now is None else now)
