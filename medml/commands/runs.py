"""`runs`: the gallery."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.commands import Printed, command
from medml.commands._words import title
from medml.terminal import figure, table


@command("runs", "list the gallery")
def do_runs(args: argparse.Namespace) -> Printed:
    """Every run of the gallery, newest first."""
    found = gallery.runs()
    rows = [(each.run, each.name, each.unusable or f"{title(each.headline_name)} {figure(each.headline)}",
             each.target, each.source_file, each.made[:16].replace("T", " "), "; ".join(each.stamps)) for each in found]
    return [table(rows, ["run", "name", "result", "outcome", "file", "made (UTC)", "note"])] if rows else \
        ["No run yet. `python -m medml train SOURCE --target COLUMN` makes one."]
