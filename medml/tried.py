"""How many configurations were tried on a table and outcome and deleted since: they still count (E3).

One number a table and outcome, in home()/tried: deleting the runs that lost does not make the winner look better.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from medml import home
from medml.types import Value


class Deleted(Value):
    """Checkpoints of runs on one table and outcome that are no longer there."""

    checkpoints: int = 0


def deleted(data_sha256: str, target: str) -> int:
    """How many checkpoints were deleted; a file that cannot be read is an error, not a zero."""
    path = _path(data_sha256, target)
    return home.read_model(path, Deleted).checkpoints if path.exists() else 0


def count(data_sha256: str, target: str, checkpoints: int) -> None:
    """Add so many; whoever deletes holds the gallery's lock."""
    whole = Deleted(checkpoints=deleted(data_sha256, target) + checkpoints)
    home.write_model(_path(data_sha256, target), whole)


def _path(data_sha256: str, target: str) -> Path:
    what = "\x1f".join([data_sha256, target])
    return home.ensure(home.home() / "tried") / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"
