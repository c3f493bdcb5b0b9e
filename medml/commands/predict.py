"""`predict`: answers for a file of patients."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.asked import existing
from medml.commands import Printed, command
from medml.commands._places import output, save


def options(parser: argparse.ArgumentParser) -> None:
    """RUN, the file and where the answers go."""
    parser.add_argument("run")
    parser.add_argument("file")
    parser.add_argument("--out", required=True, metavar="FILE.csv")
    parser.add_argument("--sheet", metavar="NAME")


@command("predict", "predict a file of patients", options)
def do_predict(args: argparse.Namespace) -> Printed:
    """Predict a file of patients; abstains, with the reason, where it should not answer."""
    from medml.predict import predict_file

    file = existing(args.file)
    out = output(args.out, file)
    answers = predict_file(args.run, file, sheet=args.sheet)
    save(out, answers.write_csv().encode())
    abstained = int(answers["abstained"].is_not_null().sum())
    report = gallery.open_run(args.run).report
    said = [] if report.threshold is None else \
        [f"“{report.positive}” is predicted from a probability of {report.threshold:g} on."]
    return [f"{len(answers):,} rows written to {args.out}; no answer for {abstained:,} of them (column “abstained” "
            "says why).", *said, *(f"Note: {stamp}." for stamp in report.stamps)]
