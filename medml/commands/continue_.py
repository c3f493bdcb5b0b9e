"""`continue`: a finished run, for more rounds."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.commands import Printed, command
from medml.commands._json import run_as_json
from medml.commands._options import run_and_source, source_of
from medml.commands._places import save_json
from medml.commands._words import run_in_words
from medml.terminal import Bar


def options(parser: argparse.ArgumentParser) -> None:
    """RUN and how much more."""
    run_and_source(parser)
    parser.add_argument("--epochs", type=int, required=True, metavar="N", help="rounds to add")


@command("continue", "train a finished run for more rounds", options)
def do_continue(args: argparse.Namespace) -> Printed:
    """Train a finished run for N rounds more, in every fold and in the final model."""
    from medml.copilot import give_way
    from medml.train import continue_run

    was = gallery.open_run(args.run)
    source = source_of(args, was)
    bar = Bar()
    give_way(was.profile, was.recipe, was.config)
    checkpoint = continue_run(args.run, args.epochs, source=source, watch=bar)
    opened = gallery.open_run(args.run)
    save_json(args.json, run_as_json(opened))
    ended = f"Stopped: the rounds so far are kept as checkpoint {checkpoint.number}, " if bar.asked_to_stop else \
        f"Checkpoint {checkpoint.number}: "
    same = " They brought nothing better, so the figures are as before." if opened.chain.is_as_before() else ""
    return [f"{ended}{checkpoint.rounds:,} rounds in all.{same}", *run_in_words(opened)]
