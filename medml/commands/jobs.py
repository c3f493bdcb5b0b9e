"""`jobs`: what runs, what waits, what the night brought."""

from __future__ import annotations

import argparse
import time
from datetime import datetime

from medml.commands import Printed, command
from medml.commands._places import words_or_json
from medml.terminal import table


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--night", action="store_true", help="the trainings that ended since 18:00, and what came of "
                        "each")
    parser.add_argument("--quiet", metavar="HH:MM-HH:MM", help="hours of every day in which large trainings rest, such "
                        "as 08:00-18:00; off for none")
    parser.add_argument("--json", metavar="FILE", nargs="?", const="-", help="write the list to a file; "
                        "without FILE it is printed")


@command("jobs", "what runs, what waits, what the night brought", options)
def do_jobs(args: argparse.Namespace) -> Printed:
    """What runs, what waits, what is done."""
    from medml import clock, morning, night, quiet, store

    if args.quiet is not None:
        quiet.keep(quiet.parsed(args.quiet))
        return [morning.quiet_in_words()]
    if args.night:
        listed = night.since(clock.evening())
        return words_or_json(args.json, [as_json(each.job) | {"result": each.result} for each in listed],
                             [night.summed_up(listed), *([_told(listed)] if listed else [])])
    jobs, ahead = store.jobs(), {each.job.id: each for each in morning.ready()}
    content = [as_json(each) | _ahead_as_json(ahead.get(each.id)) for each in jobs]
    return words_or_json(args.json, content, _listed(jobs, list(ahead.values())))


def _listed(jobs: list, ahead: list) -> Printed:
    """Every job in a table, and what the morning will bring."""
    rows = [(job.id[:12], job.kind, "paused" if job.is_paused else "stopping" if job.is_finishing else job.state,
             job.error["what"] if job.error else job.message,
             time.strftime("%Y-%m-%d %H:%M", time.gmtime(job.made))) for job in jobs]
    yield table(rows, ["job", "kind", "state", "what", "made (UTC)"]) if rows else "No job yet."
    yield from _foreseen(ahead)


def _foreseen(ahead: list) -> Printed:
    """What the morning will bring, and which quiet hours hold."""
    from medml import morning, quiet

    by = morning.coming()
    hours_set = quiet.hours() is not None or quiet.damaged()
    if ahead or hours_set:
        yield ""
    for each in ahead:
        yield f"{each.job.id[:12]}  {morning.in_words(each.verdict, each.expected, by)}"
    if len(ahead) > 1:
        yield morning.summed_up(ahead, by)
    if hours_set:
        yield morning.quiet_in_words()


def _ahead_as_json(found: object) -> dict:
    """When a training that runs or waits will be finished, and whether by 07:00; {} for other jobs."""
    if found is None:
        return {}
    return {"by_morning": found.verdict, "expected": {name: getattr(found.expected, name) for name in
                                                      ("start", "finish", "earliest", "latest")}}


def _told(listed: list) -> str:
    """One line a training: when it ended, how long it took, and what came of it."""
    from medml.clock import duration

    rows = [(f"{datetime.fromtimestamp(each.job.ended):%d %b %H:%M}", each.job.id[:12], each.job.state,
             "-" if each.seconds is None else duration(each.seconds), each.result or each.why) for each in listed]
    return table(rows, ["ended", "job", "state", "took", "what came of it"])


def as_json(job: object) -> dict:
    """A job as the Jobs screen knows it, without its settings; times in seconds since 1970, UTC."""
    names = ("id", "kind", "project", "state", "not_before", "made", "started", "ended", "paused", "halved", "fraction",
             "message", "error", "result")
    return {name: getattr(job, name) for name in names}
