"""Naming a job of the queue by its id or the beginning of it."""

from __future__ import annotations

import argparse

from medml import store
from medml.errors import UserError


def options(parser: argparse.ArgumentParser) -> None:
    """JOB."""
    parser.add_argument("job", help="its id as `jobs` prints it, or the beginning of it")


def named(beginning: str) -> store.Job:
    """The one job whose id begins like that. UserError where there is none, or several."""
    found = [each for each in store.jobs() if each.id.startswith(beginning)]
    if len(found) != 1:
        raise UserError(what="There is no job of that id." if not found else f"{len(found)} jobs begin like that.",
                        fix="Take the id from what `jobs` prints.")
    return found[0]
