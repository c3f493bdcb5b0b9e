"""A disk and a database that refuse the Nth thing asked of them, inside this process and below one folder."""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path


class Nth:
    """Counts what is asked of files below `folder` and of SQLite; refuses number `n`, and with `on` all after it."""

    def __init__(self, folder: Path, n: int, code: int = errno.EIO, *, on: bool = False) -> None:
        self.folder, self.n, self.code, self.on = str(folder), n, code, on
        self.asked, self.refused = 0, 0

    def check(self, place: object = None) -> None:
        """OSError where it is this one's turn."""
        if not self.is_mine(place):
            return
        if self._counted():
            raise OSError(self.code, os.strerror(self.code), str(place))

    def check_sql(self) -> None:
        if self._counted():
            error = sqlite3.OperationalError("database or disk is full" if self.code == errno.ENOSPC else
                                             "disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL if self.code == errno.ENOSPC else sqlite3.SQLITE_IOERR
            raise error

    def is_mine(self, place: object) -> bool:
        return place is None or isinstance(place, str | bytes | os.PathLike) and \
            os.fsdecode(place).startswith(self.folder)

    def _counted(self) -> bool:
        self.asked += 1
        refuse = self.asked == self.n or (self.on and self.asked > self.n)
        self.refused += refuse
        return refuse


@contextlib.contextmanager
def refusing(nth: Nth) -> Iterator[Nth]:
    """open, replace, rename, link, fsync and SQLite ask `nth` first."""
    from_os = {name: getattr(os, name) for name in ("open", "replace", "rename", "link", "fsync")}
    opened, connect = io.open, sqlite3.connect

    def asked(name):
        def call(place, *given, **more):
            nth.check(None if name == "fsync" else place)
            return None if name == "fsync" else from_os[name](place, *given, **more)  # no power cut comes: no waiting
        return call

    def asked_open(place, *given, **more):
        nth.check(0 if isinstance(place, int) else place)
        return opened(place, *given, **more)

    class Refusing(sqlite3.Connection):
        def execute(self, *given):
            if not str(given[0]).startswith("ROLLBACK"):
                nth.check_sql()
            return super().execute(*given)

    def asked_connect(file, *given, **more):
        nth.check_sql()
        return connect(file, *given, factory=Refusing, **more)

    try:
        for name in from_os:
            setattr(os, name, asked(name))
        io.open = builtins.open = asked_open
        sqlite3.connect = asked_connect
        yield nth
    finally:
        for name, plain in from_os.items():
            setattr(os, name, plain)
        io.open = builtins.open = opened
        sqlite3.connect = connect
