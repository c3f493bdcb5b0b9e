"""`recalibrate`: have every answer of a run put right by the map that its evaluation chose, or no longer."""

from __future__ import annotations

import argparse

from medml.commands import Printed, command


def options(parser: argparse.ArgumentParser) -> None:
    """RUN, and which way."""
    parser.add_argument("run")
    parser.add_argument("--off", action="store_true", help="give answers as the model has them again")


@command("recalibrate", "have every answer put right by the map that the evaluation chose", options)
def do_recalibrate(args: argparse.Namespace) -> Printed:
    """Keep the decision with the run; predict and export follow it."""
    from medml import righted

    run = righted.decide(args.run, on=not args.off)
    if args.off:
        return ["Answers are given as the model has them. Files exported before were dropped: export again."]
    said = righted.said(run.report, righted.steps_of(run))
    before = 0.5 if run.report.threshold is None else run.report.threshold
    return [f"From now on: {said}, in predictions and in exported files. Files exported before were dropped.",
            f"“{run.report.positive}” is said from {righted.report_of(run).threshold:.3g} on instead of {before:.3g}: "
            "the same patients. The report's figures stay those of the model as it is."]
