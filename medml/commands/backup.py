"""`backup` and `restore`: all of MedML's own folder in one file, and back from it."""

from __future__ import annotations

import argparse
from pathlib import Path

from medml import home, rights
from medml.commands import Printed, command
from medml.commands._places import output
from medml.errors import UserError
from medml.store import accounts


def file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")


@command("backup", "put runs, projects and settings into one file", file)
def do_backup(args: argparse.Namespace) -> Printed:
    """The clinician's own data are not in it."""
    from medml import backup

    place = output(args.file, home.home())
    if home.home().resolve() in place.parents:
        raise UserError(what="A backup in MedML's own folder is lost with it.", fix="Choose a place elsewhere, best on "
                        "another disk.", code="own_file")
    if place.is_file() and place.stat().st_size and not backup.is_one(place):
        raise UserError(what=f"“{place.name}” is there already, and is no backup of MedML: it would be destroyed.",
                        fix="Give the backup another name. Nothing was written.", code="other_kind")
    rights.note("backup")
    n = backup.backup(place)
    yield f"{n:,} files, {place.stat().st_size / 1e6:,.1f} MB, in {place}."
    yield "Keep it as safe as this machine: the keys are in it. Your own tables and pictures are not."


@command("restore", "bring a backup into an empty folder of MedML's (MEDML_HOME)", file)
def do_restore(args: argparse.Namespace) -> Printed:
    """Whole or not at all, and never over anything."""
    from medml import backup

    place = Path(args.file).expanduser()
    if not place.is_file():
        raise UserError(what=f"There is no file “{place}”.", fix="Check how it is written.", code="gone")
    n = backup.restore(place)
    accounts.end_all_sessions()  # whoever was signed in on the day of the backup
    rights.note("restore")
    return [f"{n:,} files are back in {home.home()}. Start MedML as ever."]
