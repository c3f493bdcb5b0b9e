"""`revert`: back to an earlier checkpoint."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.commands import Printed, command


def options(parser: argparse.ArgumentParser) -> None:
    """RUN and which checkpoint."""
    parser.add_argument("run")
    parser.add_argument("--to", type=int, metavar="CHECKPOINT", help="its number; without it, the one before")


@command("revert", "go back to an earlier checkpoint", options)
def do_revert(args: argparse.Namespace) -> Printed:
    """Go back to an earlier checkpoint: model, folds and figures."""
    checkpoint = gallery.revert(args.run, args.to)
    return [f"{args.run} stands at checkpoint {checkpoint.number} again ({checkpoint.rounds:,} rounds). "
            "The later ones are still there."]
