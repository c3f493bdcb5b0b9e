"""What a run remembers of having come as a file from another gallery: its figures were not worked out here.

    runs/<run>/brought.json   when it came, and the hash of the file
"""

from __future__ import annotations

from pathlib import Path

from medml import home
from medml.types import Report
from medml.value import Value

FILE = "brought.json"
STAMP = "brought in from a file"


class Brought(Value):
    """When a run came (ISO 8601, UTC), and the SHA-256 of the file that it came in."""

    version: int = 1
    made: str
    sha256: str


def is_brought(folder: Path) -> bool:
    return (folder / FILE).is_file()


def remember(folder: Path, came: Brought) -> None:
    """Write it into the run's folder."""
    home.write_model(folder / FILE, came)


def with_brought(report: Report, folder: Path) -> Report:
    """The report with its stamp, where the run came in a file: nobody here has seen the data that it was judged on."""
    return report.model_copy(update={"stamps": [*report.stamps, STAMP]}) if is_brought(folder) else report
