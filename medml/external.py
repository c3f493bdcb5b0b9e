"""Validations of a run on data that it does not come from: kept beside it, never changed, named by their content.

    runs/<run>/external/<id>.json     aggregates alone; <id> is the hash of what it says
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from medml import home
from medml.errors import UserError
from medml.evaluate.catalogue import INTERNAL, external_check, stamp_of
from medml.types import External, Report

FOLDER = "external"


def name_of(found: External) -> str:
    """The id that belongs to what a validation says: another figure is another id. Fields that came into use after it
    was kept are no part of it."""
    bare = found.model_copy(update={"id": "", "made": ""})
    return hashlib.sha256(bare.model_dump_json(exclude_unset=True).encode()).hexdigest()[:16]


def add(run: str, found: External) -> External:
    """Keep a validation with its run; the same one twice is one. UserError if the run is gone."""
    from medml import gallery

    whole = External.model_validate(found.model_dump())  # every field is set, as when it is read back
    named = whole.model_copy(update={"id": name_of(whole)})
    with gallery.changing(run) as folder:
        place = home.ensure(folder / FOLDER) / f"{named.id}.json"
        if place.exists():
            return home.read_model(place, External)
        home.write_model(place, named)
    return named


def of_run(folder: Path, checkpoint: int) -> list[External]:
    """Those of one checkpoint of the run in that folder, oldest first.

    raises  UserError where one is not what it was when it was kept
    """
    found = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            each = home.read_model(path, External)
        except ValidationError:
            each = None
        if each is None or not name_of(each) == each.id == path.stem:
            raise UserError(what="A validation on other data has been changed since it was made.", code="damaged",
                            fix=f"Remove the file {FOLDER}/{path.name} of this run, and validate again.")
        if each.checkpoint == checkpoint:
            found.append(each)
    return sorted(found, key=lambda each: (each.made, each.id))


def with_external(report: Report, folder: Path, checkpoint: int) -> Report:
    """The report as it stands today: with its validations, and no longer "internally validated only" if one of them
    is of other patients (`from_elsewhere`); on somebody's word alone, that word stands there instead."""
    found = of_run(folder, checkpoint)
    if not found:
        return report
    checks = [external_check(found) if check.id == "X1" else check for check in report.checks]
    stamp = stamp_of(found)
    stamps = [stamp if each == INTERNAL else each for each in report.stamps if each != INTERNAL or stamp is not None]
    return report.model_copy(update={"external": found, "checks": checks, "stamps": stamps})
