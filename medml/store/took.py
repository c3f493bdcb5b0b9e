"""How long jobs took that are done: from it is told how long others will take."""

from __future__ import annotations

from dataclasses import dataclass

from medml.store.database import path
from medml.store.jobs import read
from medml.store.rows import rows


@dataclass(frozen=True, slots=True)
class Took:
    """How long a job took that is done: seconds of its last attempt, and what was foreseen (None where nothing was)."""

    kind: str
    attempt: int
    seconds: float
    foreseen: float | None


Known = tuple[str, int, int, int | None]  # which database, how many are asked for and are done, the newest of them
_kept: dict[str, tuple[Known, tuple[Took, ...]]] = {}  # by queue


def took(queue: str, most: int) -> tuple[Took, ...]:
    """Of so many of the newest that are done. What was read is kept until one more is: screens ask every second."""
    of = "FROM jobs WHERE queue = ? AND state = 'done'"
    with rows(states=("done",)) as (db, _):
        known = str(path()), most, *db.execute(f"SELECT count(*), max(number) {of}", [queue]).fetchone()
        if queue not in _kept or _kept[queue][0] != known:
            found = db.query(f"SELECT kind, attempt, ended - started AS seconds, payload {of} AND ended IS NOT NULL"
                             " AND started IS NOT NULL ORDER BY number DESC LIMIT ?", [queue, most])
            _kept[queue] = known, tuple(
                Took(each["kind"], each["attempt"], each["seconds"], read(each["payload"]).get("seconds"))
                for each in found)
        return _kept[queue][1]
