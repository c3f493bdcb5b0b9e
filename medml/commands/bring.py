"""`bring`: a run that was taken out of another gallery as one file."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.asked import existing
from medml.commands import Printed, command


def options(parser: argparse.ArgumentParser) -> None:
    """FILE"""
    parser.add_argument("file", metavar="FILE.zip", help="what `export RUN --whole FILE.zip`, or “Download as one "
                        "file” in a Gallery, wrote")


@command("bring", "bring in a run that another MedML wrote into one file", options)
def do_bring(args: argparse.Namespace) -> Printed:
    """Looked through before anything of it is kept; nothing in it can run."""
    from medml import one_file

    run = one_file.bring_from(existing(args.file))
    opened = gallery.open_run(run)
    return [f"{opened.label.name} is in the gallery as {run}. `python -m medml show {run}` tells what it is.",
            *(f"Note: {stamp}." for stamp in opened.report.stamps)]
