"""How a database file is: whole, in WAL mode, read without changing it."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Condition:
    """whole: what SQLite's quick_check says;   journal: "wal" where readers and writers pass each other"""

    whole: bool
    journal: str


def condition(file: Path) -> Condition:
    """Look at a database as it lies there; one that SQLite cannot read is not whole."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as db:
            journal = db.execute("PRAGMA journal_mode").fetchone()[0]
            return Condition(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok", journal)
    except sqlite3.Error:
        return Condition(False, "")
