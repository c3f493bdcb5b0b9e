"""How a database file is: whole, in WAL mode, read without changing it."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medml.store.database import code_of, is_damaged

PATIENCE = 5.0  # seconds that another program may hold it
Verdict = Literal["whole", "damaged", "busy", "unreadable"]


@dataclass(frozen=True, slots=True)
class Condition:
    """verdict: what SQLite's quick_check says, or why it could not be asked (held by another program, no permission)
    journal: "wal" where readers and writers pass each other; "" where it could not be read"""

    verdict: Verdict
    journal: str = ""


def condition(file: Path) -> Condition:
    """Look at a database as it lies there."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True,
                                                timeout=PATIENCE)) as db:
            journal = db.execute("PRAGMA journal_mode").fetchone()[0]
            good = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            return Condition("whole" if good else "damaged", journal)
    except sqlite3.Error as error:
        return Condition(_why(error))


def _why(error: sqlite3.Error) -> Verdict:
    if code_of(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "busy"
    return "damaged" if is_damaged(error) else "unreadable"
