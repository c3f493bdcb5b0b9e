"""The audit log's table: rows are added and never changed, which the database itself refuses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass

from medml.store.database import connect
from medml.store.sql import Database

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY, time REAL NOT NULL, person TEXT NOT NULL,"
    " name TEXT NOT NULL, act TEXT NOT NULL, sort TEXT NOT NULL, thing TEXT NOT NULL, outcome TEXT NOT NULL,"
    " place TEXT NOT NULL, mac TEXT NOT NULL)",
    "CREATE TRIGGER IF NOT EXISTS audit_never_changed BEFORE UPDATE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_never_deleted BEFORE DELETE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_never_replaced BEFORE INSERT ON audit"
    " WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END",
)
TRIGGERS = {each.split()[5]: each for each in SCHEMA[1:]}  # name -> as it was laid


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: who (id and name then) did what to which project, run, job or account, how it went, and from where."""

    number: int
    time: float  # seconds since 1970, UTC
    person: str
    name: str
    act: str
    sort: str  # project, run, job, account, file or ""
    thing: str  # its id, never a path or a value
    outcome: str  # done, refused, failed
    place: str  # "this machine", or the address that asked
    mac: str = ""


@contextlib.contextmanager
def _adding() -> Iterator[Database]:
    """A transaction that is on the disk when it ends, whatever happens to the power: the head outside is written after
    it and must never be ahead."""
    with connect() as db:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            db.execute(statement)
        yield db
        db.execute("COMMIT")
        db.execute("PRAGMA synchronous = NORMAL")  # as it was: the connection may be kept for other work


def append(seal: Callable[[Entry | None, int], Entry]) -> tuple[Entry | None, Entry]:
    """Add one entry after the last; (the last one before, the new one).

    seal  (last entry, number of the new one) -> the new one with its MAC
    """
    with _adding() as db:
        last = next((Entry(**row) for row in db.query("SELECT * FROM audit ORDER BY number DESC LIMIT 1")), None)
        new = seal(last, 1 if last is None else last.number + 1)
        db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(astuple(new)))
        return last, new


def mac_of(number: int) -> str | None:
    """What seals that entry; None where there is none of that number."""
    with connect() as db:
        if not _is_there(db):
            return None
        found = db.execute("SELECT mac FROM audit WHERE number = ?", [number]).fetchone()
        return None if found is None else found[0]


def count() -> int:
    """How many entries there are."""
    with connect() as db:
        return db.execute("SELECT count(*) FROM audit").fetchone()[0] if _is_there(db) else 0


def entries(*, last: int | None = None) -> list[Entry]:
    """Oldest first; all of them, or the last so many."""
    with connect() as db:
        if not _is_there(db):
            return []
        rows = db.query("SELECT * FROM audit ORDER BY number DESC" + (" LIMIT ?" if last else ""),
                        [last] if last else [])
        return [Entry(**row) for row in rows][::-1]


def is_guarded() -> bool:
    """Whether the database still refuses to change or delete an entry: its triggers are there, as they were laid."""
    with connect() as db:
        found = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
        return not _is_there(db) or {name: _plain(sql) for name, sql in found.fetchall()} == {
            name: _plain(sql) for name, sql in TRIGGERS.items()}


def _plain(sql: str) -> str:
    """As SQLite keeps it: without the words that it leaves out."""
    return " ".join(sql.replace("IF NOT EXISTS ", "").split())


def _is_there(db: Database) -> bool:
    return db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'audit'").fetchone()[0] == 1
