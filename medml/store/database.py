"""The database file: opening, laying its tables, short transactions, one lock a name; errors in plain words."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from medml.drive import refuse_network
from medml.errors import UserError
from medml.home import home, state, sync_file, sync_folder
from medml.room import no_disk, no_room
from medml.store.link import is_shared, only_one_anywhere
from medml.store.spare import lent
from medml.store.sql import Database

log = logging.getLogger(__name__)
DatabaseError = sqlite3.Error
DAMAGED = "database_damaged"  # code of the UserError of one that cannot be trusted
LOCKED_AFTER = 30.0  # seconds to wait for another process's transaction

# Step n brings a database from version n to n + 1, and a folder made at any time has gone through all of them, so one
# that is out is never changed: what is new is a step more. Statements are parted by ";".
STEPS = ["""
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
""", """
ALTER TABLE jobs ADD COLUMN paused REAL;
ALTER TABLE jobs ADD COLUMN resting REAL;
ALTER TABLE jobs ADD COLUMN halved INTEGER NOT NULL DEFAULT 0;
"""]


def path() -> Path:
    return state() / "medml.db"


def copies_folder() -> Path:
    return state() / "copies"


def copies() -> list[Path]:
    """Copies of the database, one a night, the newest first."""
    return sorted(copies_folder().glob("medml-*.db"), reverse=True)


@contextlib.contextmanager
def connect(*, write: bool = False) -> Iterator[Database]:
    """A connection to oneself for a moment; with `write`, inside BEGIN IMMEDIATE, committed at the end.

    raises  UserError when the disk is full, the file cannot be written, is damaged or stays locked for 30 s
    """
    try:
        with lent(path(), _open) as connection:
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
        raise in_words(error) from error


@contextlib.contextmanager
def laid(schema: str, last: str, *, write: bool = False) -> Iterator[Database]:
    """As `connect`, to a file that has tables which are laid when they are first needed, so in older homes too.

    schema  CREATE ... IF NOT EXISTS statements, parted by ";";   last  name of the table that is laid last
    """
    with connect(write=write) as db:
        if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", [last]).fetchone()[0]:
            with contextlib.nullcontext(db) if write else connect(write=True) as laying:
                for statement in filter(str.strip, schema.split(";")):
                    laying.execute(statement)
        yield db


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
    """A copy of the database as it stands this moment, whole or not at all; others may write meanwhile."""
    with connect() as db:
        _copy(db.conn, file)


def _copy(connection: sqlite3.Connection, file: Path) -> None:
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # VACUUM INTO fills an empty file
        connection.execute("VACUUM INTO ?", [str(part)])
        sync_file(part)
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(file.parent)


def connect_once() -> None:
    """See that the database can be used. UserError where it is damaged or a newer MedML's."""
    with connect() as db:
        told = db.execute("PRAGMA integrity_check").fetchone()[0]
    if told != "ok":
        raise _damaged()


def _open(file: Path) -> sqlite3.Connection:
    refuse_network(file.parent)
    connection = sqlite3.connect(file, timeout=LOCKED_AFTER, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        found = _version(connection)
        if found > len(STEPS):
            raise UserError(what="This folder was written by a newer MedML.", code="newer_home",
                            fix="Start the newer version, or set MEDML_HOME to another folder.")
        if found < len(STEPS):
            _bring_up(connection, file)
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _bring_up(connection: sqlite3.Connection, file: Path) -> None:
    """Take every step that is missing, all or none; an older database is copied beside itself first. Whoever comes
    second finds it done."""
    with only_one("steps", wait=LOCKED_AFTER) as free:
        if not free:
            raise locked()
        found = _version(connection)
        if not found and copies():
            raise _damaged()  # cut off to nothing: laying it anew would hide that
        if 0 < found < len(STEPS):
            _copy(connection, file.with_name(f"{file.name}.version-{found}.{time.strftime('%Y%m%dT%H%M%S')}"))
        connection.execute("BEGIN IMMEDIATE")
        try:
            for step in STEPS[found:]:
                for statement in filter(str.strip, step.split(";")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={len(STEPS)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    file.chmod(0o600)


def in_words(error: sqlite3.Error) -> Exception:
    """What a person can mend about a database that cannot be used, else the error itself."""
    code = code_of(error)
    if code == sqlite3.SQLITE_FULL:
        return no_room()
    if code == sqlite3.SQLITE_IOERR:
        return no_disk()
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return UserError(what=f"MedML may not write to {home()}.", code="no_permission",
                         fix="Give your account the right to write there, or set MEDML_HOME to another folder.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return locked()
    if is_damaged(error):
        return _damaged()
    return error


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where the error has none."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def is_damaged(error: Exception) -> bool:
    """Whether this error says that a database cannot be trusted."""
    if isinstance(error, sqlite3.Error):
        return code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return getattr(error, "code", None) == DAMAGED


def _damaged() -> UserError:
    return UserError(what=f"MedML's list of jobs ({path().name}) is damaged.", code=DAMAGED,
                     fix="Close MedML and start it again: it puts last night's copy in its place and keeps the damaged "
                     "file. Projects and models are kept elsewhere.")


def locked() -> UserError:
    return UserError(what="MedML's database has been in use by another program for 30 seconds.", code="locked",
                     fix="Wait a moment and try again; nothing was lost.")


@contextlib.contextmanager
def only_one(name: str, *, wait: float = 0.0, everywhere: bool = False) -> Iterator[bool]:
    """Hold a lock that no other process of this home can hold; yields whether it was free within `wait` seconds.

    A transaction kept open on a file of its own: every system SQLite runs on drops it when its holder dies, however.

    everywhere  on all machines that share this home, not on this one alone
    """
    if everywhere and is_shared():
        with only_one_anywhere(name, wait) as free:
            yield free
        return
    connection = sqlite3.connect(state() / f"{name}.lock", timeout=wait, isolation_level=None, check_same_thread=False)
    with _held(connection) as free:
        yield free


@contextlib.contextmanager
def only_one_here(name: str) -> Iterator[bool]:
    """As `only_one`, for every home and every account of this machine; True as well where that cannot be told.

    The file is opened without being made anew: Linux refuses that for a file of somebody else in a public folder.
    """
    file = Path(tempfile.gettempdir()) / f"medml-{name}.lock"
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        file.chmod(0o666)
    try:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=0.0, isolation_level=None,
                                     check_same_thread=False)
    except sqlite3.OperationalError:
        log.warning("it cannot be told whether another account uses %s", name)
        yield True
        return
    with _held(connection) as free:
        yield free


@contextlib.contextmanager
def _held(connection: sqlite3.Connection) -> Iterator[bool]:
    """Whether a file was free; held until the end, then closed."""
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as busy:
            if busy.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise in_words(busy) from busy
            yield False
        else:
            yield True
    finally:
        connection.close()
