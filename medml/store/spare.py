"""Connections kept between two questions, in a process that asks often: opening one takes longer than a short question.

Only where a process says so (`keep`): the app, whose pages ask several times a click. A kept connection holds no lock.
It is used again only while the file and its log are the very ones that it was opened on: a copy put in the file's
place, a file that was cut off, a log that somebody deleted or another home is opened anew. A file kept open cannot be
replaced on Windows, so nothing is kept there.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

Which = tuple[tuple[int, int, int], ...]  # (device, inode, bytes) of the file and of its log
_kept: deque[tuple[Path, Which, sqlite3.Connection]] = deque()  # its own operations are safe among threads
_most = 0


def keep(most: int) -> None:
    """Keep up to so many connections from here on, in this process; 0 closes them."""
    global _most
    _most = most if os.name == "posix" else 0
    while len(_kept) > _most:
        _kept.pop()[-1].close()


@contextlib.contextmanager
def lent(file: Path, opened: Callable[[Path], sqlite3.Connection]) -> Iterator[sqlite3.Connection]:
    """A connection for a moment: one that was kept, else a new one. After an error it is closed, whatever it was."""
    which, connection = _taken(file) or _new(file, opened)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    if which and len(_kept) < _most and not connection.in_transaction:
        _kept.append((file, which, connection))
    else:
        connection.close()


def _taken(file: Path) -> tuple[Which, sqlite3.Connection] | None:
    """One that was kept and is still good; those that are not are closed."""
    while True:
        try:
            of, which, connection = _kept.pop()
        except IndexError:
            return None
        now = _which(file, f"{file}-wal")
        if of == file and _is_good(which, now):
            return now, connection
        connection.close()


def _is_good(before: Which, now: Which) -> bool:
    """Whether these are the same file and log; the file never shrinks, but would go on being read from memory."""
    return [each[:2] for each in before] == [each[:2] for each in now] and before[0][2] <= now[0][2]


def _new(file: Path, opened: Callable[[Path], sqlite3.Connection]) -> tuple[Which, sqlite3.Connection]:
    """With what tells the files apart, () where it is not to be kept: the file may have been replaced meanwhile."""
    before = _which(file) if _most else ()
    connection = opened(file)
    after = _which(file, f"{file}-wal") if before else ()
    return (after if after and _is_good(before, after[:1]) else ()), connection


def _which(*files: Path | str) -> Which:
    """() where one of them is not there."""
    try:
        return tuple((found.st_dev, found.st_ino, found.st_size) for found in map(os.stat, files))
    except OSError:
        return ()
