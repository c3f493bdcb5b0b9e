"""`audit verify` and `audit show`: whether the audit log is as it was written, and what it says."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

from medml import audit
from medml.commands import Printed, command
from medml.errors import UserError
from medml.terminal import table


def options(parser: argparse.ArgumentParser) -> None:
    """verify, or show with how many."""
    each = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    each.add_parser("verify", help="go through the whole log: was an entry changed, taken out, or the end cut off?")
    show = each.add_parser("show", help="the latest entries")
    show.add_argument("--last", type=int, default=50, metavar="N", help="how many (50); 0 for all")
    show.add_argument("--json", action="store_true", help="as JSON, a line an entry")


@command("audit", "who did what, and whether anybody changed the log since", options)
def do_audit(args: argparse.Namespace) -> Printed:
    """Exit code 2 where the log is not as it was written."""
    return _verify() if args.what == "verify" else _show(args)


def _verify() -> Printed:
    found = audit.verify()
    if not found.whole:
        raise UserError(what="The audit log is not as it was written. " + " ".join(found.faults), code="audit",
                        fix="Keep a copy of MedML's folder as it is now and tell whoever is in charge of security.")
    yield f"{found.count:,} entries, all as they were written. The second place: {audit.head_file()}"


def _show(args: argparse.Namespace) -> Printed:
    found = audit.entries(args.last or None)
    if args.json:
        return [json.dumps(asdict(each)) for each in found]
    return [table([(each.number, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.time)), each.name, each.act,
                    f"{each.sort} {each.thing}".strip(), each.outcome, each.place) for each in found],
                  ["No.", "When", "Who", "What", "About", "How it went", "From"])]
