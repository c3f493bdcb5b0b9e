"""`open`: look at the part that was kept closed."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.commands import Printed, command
from medml.commands._json import run_as_json
from medml.commands._options import run_and_source, source_of
from medml.commands._places import save_json
from medml.commands._words import title
from medml.terminal import Bar, figure


@command("open", "open the part that was kept closed (every look is counted)", run_and_source)
def do_open(args: argparse.Namespace) -> Printed:
    """Open the part that was kept closed; every look is counted."""
    from medml.train import open_held_out

    open_held_out(args.run, source=source_of(args, gallery.open_run(args.run)), watch=Bar())
    opened = gallery.open_run(args.run)
    save_json(args.json, run_as_json(opened))
    return [f"Held-out part, opened {opened.report.looks} time(s):",
            *(f"  {title(name)}: {figure(metric)}" for name, metric in opened.report.held_out.items()
              if name not in opened.report.hidden)]
