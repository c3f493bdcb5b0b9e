"""The database file: opening, laying its tables, short transactions, one lock a name; errors in plain words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlite_utils import Database

from medml.errors import UserError
from medml.home import home
from medml.room import no_room

VERSION = 1
DatabaseError = sqlite3.Error
LOCKED_AFTER = 30.0  # seconds to wait for another process's transaction

SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, queue TEXT NOT NULL,
    project TEXT, payload TEXT NOT NULL, state TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0, made REAL NOT NULL, started REAL, ended REAL,
    attempt INTEGER NOT NULL DEFAULT 0, fruitless INTEGER NOT NULL DEFAULT 0,
    gained INTEGER NOT NULL DEFAULT 0, reached REAL NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0, owner TEXT, lease REAL, pid INTEGER, pid_started REAL,
    beat INTEGER NOT NULL DEFAULT 0, heartbeat REAL, stop REAL, heard REAL,
    stage TEXT NOT NULL DEFAULT '', fraction REAL NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
    error TEXT, result TEXT);
CREATE INDEX jobs_waiting ON jobs (queue, state, priority DESC, number);
CREATE INDEX jobs_project ON jobs (project, number);
CREATE TABLE progress (
    job TEXT NOT NULL, seq INTEGER NOT NULL, time REAL NOT NULL, attempt INTEGER NOT NULL, stage TEXT NOT NULL,
    fraction REAL NOT NULL, message TEXT NOT NULL, scalars TEXT NOT NULL, PRIMARY KEY (job, seq)) WITHOUT ROWID;
CREATE TABLE processes (
    role TEXT NOT NULL, pid INTEGER NOT NULL, started REAL NOT NULL, since REAL NOT NULL, PRIMARY KEY (role, pid));
"""


def path() -> Path:
    return home() / "medml.db"


@contextlib.contextmanager
def connect(*, write: bool = False) -> Iterator[Database]:
    """A connection of one's own for a moment; with `write`, inside BEGIN IMMEDIATE, committed at the end.

    raises  UserError when the disk is full, the file cannot be written, is damaged or stays locked for 30 s
    """
    try:
        with contextlib.closing(_open(path())) as connection:
            db = Database(connection, recursive_triggers=False, execute_plugins=False)
            if not write:
                yield db
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield db
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
    except sqlite3.Error as error:
        raise _in_words(error) from error


@contextlib.contextmanager
def held_open() -> Iterator[None]:
    """Keep one connection open for as long as a process lives that reads and writes often.

    The WAL and its index then stay where they are: nobody writes them anew at each opening, and reading goes on while
    the disk is full.
    """
    with connect() as db:
        db.execute("SELECT count(*) FROM jobs").fetchone()
        yield


def copy_to(file: Path) -> None:
    """A copy of the database as it stands this moment, whole; others may write meanwhile."""
    with connect() as db:
        db.execute("VACUUM INTO ?", [str(file)])


def connect_once() -> None:
    """See that the database can be used. UserError where it is damaged or a newer MedML's."""
    with connect() as db:
        told = db.execute("PRAGMA integrity_check").fetchone()[0]
    if told != "ok":
        raise UserError(what="The database of MedML is damaged.", fix="Restore a backup into an empty folder.",
                        code="damaged")


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=LOCKED_AFTER, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise UserError(what="This folder was written by a newer MedML.", code="newer_home",
                            fix="Start the newer version, or set MEDML_HOME to another folder.")
        if found < VERSION:
            _make(connection, file)
    except BaseException:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection, file: Path) -> None:
    """Lay the tables once; whoever comes second finds them laid."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
            for statement in filter(str.strip, SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    file.chmod(0o600)


def _in_words(error: sqlite3.Error) -> Exception:
    """What a person can mend about a database that cannot be used, else the error itself."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and "disk" in str(error)):
        return no_room()
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return UserError(what=f"MedML may not write to {home()}.", code="no_permission",
                         fix="Give your account the right to write there, or set MEDML_HOME to another folder.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UserError(what="MedML's database has been in use by another program for 30 seconds.", code="locked",
                         fix="Wait a moment and try again; nothing was lost.")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return UserError(what=f"MedML's list of jobs ({path().name}) is damaged.", code="damaged",
                         fix=f"Move {path()} away and start MedML again; projects and runs are kept elsewhere.")
    return error


@contextlib.contextmanager
def only_one(name: str, *, wait: float = 0.0) -> Iterator[bool]:
    """Hold a lock that no other process of this home can hold; yields whether it was free within `wait` seconds.

    A transaction kept open on a file of its own: every system SQLite runs on drops it when its holder dies, however.
    """
    connection = sqlite3.connect(home() / f"{name}.lock", timeout=wait, isolation_level=None, check_same_thread=False)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as busy:
            if busy.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise _in_words(busy) from busy
            yield False
        else:
            yield True
    finally:
        connection.close()
