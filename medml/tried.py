"""What was tried on a table and outcome and is no run of the gallery: it still counts (E3).

Two numbers a table and outcome, in home()/tried: checkpoints deleted since (deleting the runs that lost does not make
the winner look better), and stops by hand (whoever ends a training at the best moment of its live curve has chosen
among all the moments that were seen).
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from medml import home, store
from medml.types import Value


class Deleted(Value):
    """checkpoints of runs on one table and outcome that are no longer there;   stops by hand, by the job's id"""

    checkpoints: int = 0
    stops: list[str] = []


def deleted(data_sha256: str, target: str) -> int:
    """How many checkpoints were deleted; a file that cannot be read is an error, not a zero."""
    return _read(data_sha256, target).checkpoints


def stops(data_sha256: str, target: str) -> int:
    """How many trainings somebody ended while their curves were shown, and kept."""
    return len(_read(data_sha256, target).stops)


def count_stop(data_sha256: str, target: str, job: str | None) -> None:
    """Count a training that was ended by hand; a job that is taken up again counts once."""
    name = job or secrets.token_hex(6)
    with store.only_one("runs", wait=30.0, everywhere=True) as free:
        if not free:
            raise store.locked()
        whole = _read(data_sha256, target)
        if name not in whole.stops:
            home.write_model(_path(data_sha256, target), whole.model_copy(update={"stops": [*whole.stops, name]}))


def _read(data_sha256: str, target: str) -> Deleted:
    path = _path(data_sha256, target)
    return home.read_model(path, Deleted) if path.exists() else Deleted()


def count(data_sha256: str, target: str, checkpoints: int) -> None:
    """Add so many; whoever deletes holds the gallery's lock."""
    whole = _read(data_sha256, target)
    home.write_model(_path(data_sha256, target),
                     whole.model_copy(update={"checkpoints": whole.checkpoints + checkpoints}))


def _path(data_sha256: str, target: str) -> Path:
    what = "\x1f".join([data_sha256, target])
    return home.ensure(home.home() / "tried") / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"
