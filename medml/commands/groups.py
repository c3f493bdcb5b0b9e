"""`groups`: the figures of a run by one more column, picked after training."""

from __future__ import annotations

import argparse
from pathlib import Path

from medml import gallery
from medml.commands import Printed, command
from medml.commands._options import run_and_source, source_of
from medml.commands._places import check_json, save_json
from medml.evaluate.words import HEADLINE, title
from medml.terminal import table


def options(parser: argparse.ArgumentParser) -> None:
    """RUN, the column, and where its table lies now."""
    run_and_source(parser)
    parser.add_argument("column", help="a column of numbers or categories that makes no groups yet")


@command("groups", "the figures of a run by one more column", options)
def do_groups(args: argparse.Namespace) -> Printed:
    """Groups made from the clinician's folder in memory; kept with the run and said to be picked later."""
    from medml import grouped, picked
    from medml.report.wording import of_group

    opened = gallery.open_run(args.run)
    source = source_of(args, opened)
    check_json(args, source)
    found = grouped.by_column(args.run, args.column, Path(source))
    save_json(args.json, {"run": args.run, "checkpoint": opened.chain.current, "stamps": opened.report.stamps,
                          "groups": [each.model_dump(mode="json") for each in found]}, source)
    return [table([of_group(each) for each in found],
                  ["group", "cases", title(HEADLINE[opened.report.task]), "calibration slope"]), picked.said(found),
            *(f"Note: {stamp}." for stamp in opened.report.stamps)]
