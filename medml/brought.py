"""What a run remembers of having come as a file from another gallery: its figures were not worked out here.

    runs/<run>/brought.json   when it came, and the hash of the file
"""

from __future__ import annotations

from pathlib import Path

from medml import home
from medml.errors import UserError
from medml.evaluate.catalogue import found
from medml.types import Report
from medml.value import Value

FILE = "brought.json"
STAMP = "brought in from a file"


class Brought(Value):
    """When a run came (ISO 8601, UTC), and the SHA-256 of the file that it came in."""

    version: int = 1
    made: str
    sha256: str


def no_private_part() -> UserError:
    """Why a model that was brought in cannot be trained on, or its closed part opened."""
    return UserError(what="The private part of this model, which says who was in which fold, is not here: a model "
                          "that was brought in from a file has none.", code="no_private_part",
                     fix="Use it, judge it on another folder, or go on with it where it was made; one that was made "
                         "here comes back whole from a backup.")


def is_brought(folder: Path) -> bool:
    return (folder / FILE).is_file()


def remember(folder: Path, came: Brought) -> None:
    """Write it into the run's folder."""
    home.write_model(folder / FILE, came)


LOOKS = found("L10", "could_not_tell", "This model came in a file: looks at the part that was kept closed are counted "
                                       "where it was made.")


def with_brought(report: Report, folder: Path, *, kept_closed: bool) -> Report:
    """The report with its stamp, where the run came in a file: nobody here has seen the data that it was judged on, and
    nobody here knows how often the part that was kept closed was looked at."""
    if not is_brought(folder):
        return report
    checks = [LOOKS if kept_closed and each.id == "L10" else each for each in report.checks]
    return report.model_copy(update={"stamps": [*report.stamps, STAMP], "checks": checks})
