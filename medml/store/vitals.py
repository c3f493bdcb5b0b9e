"""What the processes of this home last said of themselves: whether their guard holds, and how the app is served.

The table is laid when it is first needed, so homes made before have it too.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from medml.store.database import laid

SCHEMA = """CREATE TABLE IF NOT EXISTS vitals (role TEXT NOT NULL, pid INTEGER NOT NULL, time REAL NOT NULL,
    told TEXT NOT NULL, PRIMARY KEY (role, pid)) WITHOUT ROWID"""
FORGOTTEN = 86_400.0  # seconds after which what a process said is of no interest


@dataclass(frozen=True, slots=True)
class Vital:
    """What one process said last; time in seconds since 1970, UTC."""

    role: str  # "app", "worker", "job"
    pid: int
    time: float
    told: dict[str, Any]


def tell(role: str, pid: int, told: dict[str, Any]) -> None:
    """Write down what a process says of itself in the place of what it said before. No value of a patient."""
    now = time.time()
    with laid(SCHEMA, "vitals", write=True) as db:
        db.execute("DELETE FROM vitals WHERE time < ?", [now - FORGOTTEN])
        db.execute("INSERT OR REPLACE INTO vitals VALUES (?, ?, ?, ?)", [role, pid, now, json.dumps(told)])


def told() -> list[Vital]:
    """What every process said last, the latest first; whether it still lives is not known here."""
    with laid(SCHEMA, "vitals") as db:
        rows = db.execute("SELECT role, pid, time, told FROM vitals ORDER BY time DESC").fetchall()
    return [Vital(role, pid, when, json.loads(said)) for role, pid, when, said in rows]
