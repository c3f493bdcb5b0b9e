"""`checks`: everything that a reviewer would ask of a run."""

from __future__ import annotations

import argparse

from medml import gallery, worklist
from medml.commands import Printed, command
from medml.commands._options import run
from medml.commands._places import save_json
from medml.evaluate.catalogue import VERDICTS


@command("checks", "every check of a run: verdict, figures, what to do", run)
def do_checks(args: argparse.Namespace) -> Printed:
    """All checks, those that ask for something first."""
    opened = gallery.open_run(args.run)
    worked = worklist.read(opened.folder)
    listed = [{**check.model_dump(mode="json"), **_worked(worked, check.id)} for check in opened.report.checks]
    save_json(args.json, {"run": args.run, "checkpoint": opened.chain.current, "stamps": opened.report.stamps,
                          "checks": listed})
    for verdict, words in VERDICTS.items():
        for check in (each for each in opened.report.checks if each.verdict == verdict):
            yield f"{words}  {check.id} {check.title}: {check.what}"
            if check.fix:
                yield f"      {check.fix}"
            item = worked.items.get(check.id)
            if item is not None and (item.note or item.state != "open"):
                yield f"      {worklist.STATES[item.state]}{': ' * bool(item.note)}{item.note}"


def _worked(worked: worklist.Worklist, check: str) -> dict[str, str]:
    item = worked.items.get(check, worklist.Item())
    return {"state": item.state, "note": item.note}
