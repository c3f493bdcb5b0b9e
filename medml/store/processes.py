"""Which processes are about: workers and apps. A row is believed only while its pid still has its start time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from medml.store.database import connect


@dataclass(frozen=True, slots=True)
class Process:
    """Somebody who said to be about; alive only if the pid still has that start time."""

    role: str
    pid: int
    started: float


def enter(role: str, pid: int, started: float) -> None:
    with connect(write=True) as db:
        db.execute("INSERT OR REPLACE INTO processes VALUES (?, ?, ?, ?)", [role, pid, started, time.time()])


def leave(role: str, pid: int) -> None:
    with connect(write=True) as db:
        db.execute("DELETE FROM processes WHERE role = ? AND pid = ?", [role, pid])


def processes(role: str) -> list[Process]:
    with connect() as db:
        return [Process(**row) for row in db.query("SELECT role, pid, started FROM processes WHERE role = ?", [role])]
