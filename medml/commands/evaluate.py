"""`evaluate`: judge a finished run on data that it does not come from."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from medml import gallery
from medml.asked import existing
from medml.commands import Printed, command
from medml.commands._options import run
from medml.commands._places import check_json, save_json
from medml.commands._words import title
from medml.errors import UserError
from medml.evaluate.catalogue import STATE, counted, doubts, in_words_stated, left_out, unread
from medml.evaluate.words import METRICS
from medml.terminal import Bar, figure


def options(parser: argparse.ArgumentParser) -> None:
    """RUN SOURCE, and how columns are called there."""
    run(parser)
    parser.add_argument("source", help="another folder or file with the same columns")
    parser.add_argument("--map", action="append", default=[], metavar="THEIRS=OURS",
                        help="how a column is called there, where it differs (repeatable)")
    parser.add_argument("--other-patients", action="store_true", help="you know that these are other patients, where "
                        "MedML is in doubt (the same identifiers, the same folder, rows that look like the run's own)")
    parser.add_argument("--sheet", metavar="NAME", help="the sheet, where a workbook has several")


@command("evaluate", "judge a run on data from elsewhere (external validation)", options)
def do_evaluate(args: argparse.Namespace) -> Printed:
    """Their figures beside our own; kept with the run, which is then no longer "internally validated only"."""
    from medml.outside import opened_columns, validate

    source = existing(args.source)
    check_json(args, source)
    renamed = mapped(args.map, opened_columns(gallery.open_run(args.run)))
    found = validate(args.run, source, renamed=renamed, sheet=args.sheet, stated=args.other_patients, watch=Bar())
    opened = gallery.open_run(args.run)
    save_json(args.json, {"run": args.run, "internal": {"measured_on": opened.report.measured_on,
                          "metrics": {name: each.model_dump() for name, each in opened.report.metrics.items()},
                          "calibration_line": {name: each.model_dump()
                                               for name, each in opened.report.calibration_line.items()}},
                          "external": found.model_dump(mode="json"), "stamps": opened.report.stamps}, source)
    inside = opened.report.metrics | opened.report.calibration_line
    outside = found.metrics | found.calibration_line
    yield f"{found.n_cases:,} rows of {found.n_patients:,} patients from “{found.source}”; beside them the run's own " \
          f"figures ({opened.report.measured_on})."
    for name in METRICS:
        if name in outside and name not in opened.report.hidden:
            yield f"  {title(name)}: {figure(outside[name])}; own: {figure(inside.get(name))}"
    if found.score_in_use is not None:
        yield found.score_in_use.said
    if counted(found, "n_left_out"):
        yield f"Left out: {left_out(found)}."
    if unread(found):
        yield f"[caution] {unread(found)}."
    for each in doubts(found):
        yield f"[caution] {each[:1].upper()}{each[1:]}."
    if doubts(found):
        yield in_words_stated(found) if found.stated else f"{STATE} Here: --other-patients."
    copies = counted(found, "n_copies")
    if copies:
        yield f"{copies[:1].upper()}{copies[1:]} equal a row of the table that the model was made from: leave them out."


def mapped(pairs: list[str], columns: Sequence[str] = ()) -> dict[str, str]:
    """{their column: ours} from "theirs=ours"; UserError for a pair without "=" or a column named twice.

    columns  ours: a name with "=" in it is found among them, else the last "=" stands between the two
    """
    found: dict[str, str] = {}
    for pair in pairs:
        theirs, ours = _two_of(pair, columns)
        if not theirs or not ours or ours in found.values():
            raise UserError(what=f"“{pair}” does not say which column is which.", code="bad_map",
                            fix="Write “their name = our name”, once for each of our columns.",
                            typed='--map "their name=our name"')
        found[theirs] = ours
    return found


def _two_of(pair: str, columns: Sequence[str]) -> tuple[str, str]:
    parts = pair.split("=")
    both = [("=".join(parts[:at]).strip(), "=".join(parts[at:]).strip()) for at in range(1, len(parts))]
    return next((each for each in both if each[1] in columns), both[-1] if both else ("", ""))
