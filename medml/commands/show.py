"""`show`: one run."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.commands import Printed, command
from medml.commands._json import run_as_json
from medml.commands._options import run
from medml.commands._places import save_json
from medml.commands._words import run_in_words


@command("show", "one run, its figures and its checks", run)
def do_show(args: argparse.Namespace) -> Printed:
    """One run with its figures and checks."""
    opened = gallery.open_run(args.run)
    save_json(args.json, run_as_json(opened))
    return run_in_words(opened)
