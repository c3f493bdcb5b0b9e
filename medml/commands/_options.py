"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from medml.errors import UserError
from medml.roots import existing

if TYPE_CHECKING:
    from medml.gallery import Run


def source(parser: argparse.ArgumentParser) -> None:
    """SOURCE, --sheet and what names the labels of pictures."""
    parser.add_argument("source", help="a folder or a file")
    parser.add_argument("--sheet", metavar="NAME", help="the sheet, where a workbook has several")
    parser.add_argument("--labels", metavar="FILE", help="the table that says what each picture shows")
    parser.add_argument("--file-column", metavar="COLUMN", help="its column that names the pictures")
    parser.add_argument("--patient-tag", metavar="TAG",
                        help="of DICOM: what tells patients apart, hashed as it is read (PatientID where left out)")
    as_json(parser)


def as_json(parser: argparse.ArgumentParser) -> None:
    """--json FILE."""
    parser.add_argument("--json", metavar="FILE", help="write what the screens read")


def run(parser: argparse.ArgumentParser) -> None:
    """RUN and --json."""
    parser.add_argument("run", help="its name in the gallery, such as auto-0123abcd; `runs` lists them")
    as_json(parser)


def run_and_source(parser: argparse.ArgumentParser) -> None:
    """RUN, --json and where its data lies now."""
    run(parser)
    parser.add_argument("--source", help="the folder or file, if it has moved")


def source_of(args: argparse.Namespace, run: Run) -> Path:
    """Where a run's data lies: as --source says, else where it was trained from. UserError where nothing is there."""
    if args.source:
        return existing(args.source)
    try:
        own = run.source
    except UserError as unknown:
        raise UserError(what=unknown.what, fix="Say where they are: --source FOLDER.", code=unknown.code) from unknown
    try:
        return existing(own)
    except UserError as gone:
        raise UserError(what=f"{gone.what} The run was trained from there, and needs its data for this.",
                        fix="If the folder or file was moved or renamed, say where it is: --source FOLDER. Else check "
                            "that the drive is connected. The run is as it was.", code=gone.code) from gone
