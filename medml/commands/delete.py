"""`delete`: a run, for good."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.commands import Printed, command
from medml.commands._places import agreed


def options(parser: argparse.ArgumentParser) -> None:
    """RUN, and leave to do it."""
    parser.add_argument("run")
    parser.add_argument("--yes", action="store_true", help="do not ask (for scripts)")


@command("delete", "remove a run for good", options)
def do_delete(args: argparse.Namespace) -> Printed:
    """Remove a run for good, once a person has said so: on the terminal, or by --yes in a script."""
    names = {each.run: each.name for each in gallery.runs()}
    asked = args.run in names and not args.yes
    if asked and not agreed(f"Delete “{names[args.run]}” ({args.run}) for good? It cannot be brought back."):
        return [f"{args.run} was not deleted."]
    gallery.delete(args.run)
    return [f"{args.run} was deleted. The clinician's own files were not touched."]
