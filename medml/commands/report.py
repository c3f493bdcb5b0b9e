"""`report`: a run as PDF, Word or model card."""

from __future__ import annotations

import argparse
from pathlib import Path

from medml import gallery, home
from medml.commands import Printed, command
from medml.commands._places import output, save
from medml.errors import UserError

ENDINGS = {"pdf": (".pdf",), "docx": (".docx",), "card": (".md", ".markdown", ".txt")}


def options(parser: argparse.ArgumentParser) -> None:
    """RUN, and at least one file to write."""
    parser.add_argument("run", help="its name in the gallery, such as auto-0123abcd; `runs` lists them")
    parser.add_argument("--pdf", metavar="FILE", help="the report for readers")
    parser.add_argument("--docx", metavar="FILE", help="the report to be worked on, with what it asks of you")
    parser.add_argument("--card", metavar="FILE", help="a model card in Markdown")


@command("report", "write the report of a run: PDF, Word, model card", options)
def do_report(args: argparse.Namespace) -> Printed:
    """Write each file that was asked for, whole or not at all."""
    from medml import report

    makers = {"pdf": report.as_pdf, "docx": report.as_docx, "card": lambda run: report.as_card(run).encode()}
    wanted = {sort: getattr(args, sort) for sort in makers if getattr(args, sort) is not None}
    if not wanted:
        raise UserError(what="Nothing was asked for.", code="no_file",
                        fix="Add --pdf FILE, --docx FILE or --card FILE.")
    opened = gallery.open_run(args.run)
    for own in (home.home(), Path(opened.profile.source)):
        places = {sort: output(path, own, *ENDINGS[sort]) for sort, path in wanted.items()}
    for sort, place in places.items():
        save(place, makers[sort](opened))
    return [f"Written: {path}" for path in wanted.values()]
