"""Is the database whole? Copies of it, one a night, and bringing the latest back where it is not.

SQLite keeps no checksum of what a row says, so one changed letter of a sentence is found by nobody; whatever a page of
the database, a row's settings or a job's state would be misread by, is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from medml import home
from medml.errors import UserError
from medml.store import database
from medml.types import Value

log = logging.getLogger(__name__)
KEPT = 3
NIGHT = 3  # o'clock, local time
THOROUGH = 64 << 20  # bytes; of a larger file the indices are not compared with their tables
NOTE = "mended.json"
STATES = "'queued', 'running', 'done', 'failed', 'stopped', 'interrupted'"
NO_VERSION = 1000  # steps that no version of MedML will have taken
MISREAD = (f"SELECT 1 FROM pragma_user_version WHERE user_version NOT BETWEEN 1 AND {NO_VERSION}",
           f"SELECT 1 FROM jobs WHERE state NOT IN ({STATES}) OR NOT json_valid(payload) OR typeof(token) != 'integer'"
           " OR NOT json_valid(coalesce(error, '{}')) OR NOT json_valid(coalesce(result, '{}')) LIMIT 1",
           "SELECT 1 FROM progress WHERE NOT json_valid(scalars) LIMIT 1")
WORDS = ("SELECT * FROM jobs", "SELECT stage, message FROM progress", "SELECT role FROM processes")


class Mended(Value):
    """What was done about a damaged database. Times are seconds since 1970, UTC."""

    when: float
    copied: float | None  # when the copy was made that came back; None: there was none, and it was begun anew
    aside: str  # name of the damaged file in MedML's folder


def is_whole() -> bool:
    """True where the database can be trusted, or there is none yet. UserError where it cannot be read at all."""
    file = database.path()
    if not file.exists() or not file.stat().st_size:
        return not database.copies()  # there was one: it is gone, or cut off to nothing
    return is_sound(file, _means_something, _can_be_read)


def is_sound(file: Path, *looks: Callable[[sqlite3.Connection], bool]) -> bool:
    """Whether every page of an SQLite file is as SQLite wrote it, and each of these looks finds it good.

    raises  UserError where it cannot be read for another reason
    """
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=database.LOCKED_AFTER, isolation_level=None)) as db:
            db.text_factory = bytes.decode
            pragma = "integrity_check" if file.stat().st_size < THOROUGH else "quick_check"
            return db.execute(f"PRAGMA {pragma}(1)").fetchone()[0] == "ok" and all(look(db) for look in looks)
    except UnicodeDecodeError:
        return False
    except sqlite3.Error as error:
        if database.is_damaged(error) or "no such table" in str(error):
            return False
        raise database.in_words(error) from error


def _means_something(db: sqlite3.Connection) -> bool:
    return not any(db.execute(each).fetchone() for each in MISREAD)


def _can_be_read(db: sqlite3.Connection) -> bool:
    for each in WORDS:
        for _ in db.execute(each):
            pass
    return True


def see_to_it() -> Mended | None:
    """Before an app or a worker goes on: bring back last night's copy where the database is damaged, make a copy where
    one is due. Call where no worker is at work.

    returns  what was done, where something was
    raises   UserError where the folder cannot be used
    """
    with database.only_one("mend", wait=database.LOCKED_AFTER) as free:
        if not free:
            raise database.locked()
        mended = None if is_whole() else _mend()
    if database.path().exists():
        try_copy()
    return mended


def _mend() -> Mended:
    """Put the damaged file aside, and the latest whole copy in its place. Killed on the way, it is begun again."""
    file, now = database.path(), time.time()
    copy = _latest_whole()
    aside = file.with_name(f"{file.name}.damaged.{time.strftime('%Y%m%dT%H%M%S')}")
    mended = Mended(when=now, copied=copy.stat().st_mtime if copy else None, aside=aside.name)
    home.write_model(home.state() / NOTE, mended)
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{file}{suffix}", f"{aside}{suffix}")
    if copy is not None:
        part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
        try:
            shutil.copyfile(copy, part)
            part.chmod(0o600)
            home.sync_file(part)
            os.replace(part, file)
        finally:
            part.unlink(missing_ok=True)
    home.sync_folder(file.parent)
    log.error("the database was damaged; %s", "a copy of it is back" if copy else "it is begun anew")
    return mended


def _latest_whole() -> Path | None:
    """The newest copy that can be trusted; those that cannot are put aside."""
    for each in database.copies():
        if is_sound(each, _means_something, _can_be_read):
            return each
        os.replace(each, each.with_suffix(".damaged"))
    return None


def note() -> Mended | None:
    """What was done about a damaged database and nobody has said yet to have read."""
    try:
        return home.read_model(home.state() / NOTE, Mended)
    except (FileNotFoundError, ValueError):
        return None


def has_been_read() -> None:
    """Tell it no more."""
    (home.state() / NOTE).unlink(missing_ok=True)


def keep_copy(now: datetime | None = None) -> Path | None:
    """Copy the database into state()/copies where the last copy is from before last night (3:00); drop the oldest.

    returns  the copy, where one was due
    """
    now = now or datetime.now()
    night = now.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    night = night if night <= now else night - timedelta(days=1)
    made = database.copies()
    if made and night <= datetime.fromtimestamp(made[0].stat().st_mtime) < now + timedelta(days=1):
        return None
    copy = home.ensure(database.copies_folder()) / f"medml-{now:%Y%m%dT%H%M%S}.db"
    database.copy_to(copy)
    os.utime(copy, (now.timestamp(), now.timestamp()))
    for each in database.copies()[KEPT:]:
        each.unlink(missing_ok=True)
    return copy


def try_copy() -> bool:
    """`keep_copy`; False where it could not be made: work begins and goes on without one while the disk is full.

    raises  UserError where the database is damaged
    """
    try:
        keep_copy()
    except (UserError, OSError, sqlite3.Error) as error:
        if database.is_damaged(error):
            raise
        log.warning("tonight's copy of the database has to wait: %s", type(error).__name__)
        return False
    return True


def forget_copies() -> None:
    """What was deleted from the database goes from every copy of it too: they are let go, and one is made of it now."""
    file = database.path()
    for each in (*database.copies_folder().glob("medml-*"), *file.parent.glob(f"{file.name}.version-*"),
                 *file.parent.glob(f"{file.name}.damaged.*")):
        each.unlink(missing_ok=True)
    keep_copy()


__all__ = ["Mended", "forget_copies", "has_been_read", "is_whole", "keep_copy", "note", "see_to_it", "try_copy"]
