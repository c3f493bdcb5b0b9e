"""Bytes of a file, read safely: regular files alone, never through a link, never grown beyond a limit."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import stat
import tempfile
import threading
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from medml.data.notes import not_read
from medml.errors import Stopped

CHUNK = 4 << 20
BROKEN = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, NotImplementedError)  # of an archive's entry
HASHED = 1 << 20  # bytes at a time
IN_MEMORY = 64 << 20  # bytes; more goes to a file that has no name
EXPANDS_FROM = 32 << 20  # an archive may grow to this size whatever its ratio
EXPANDS_TIMES = 100  # clinical tables shrink 3-30 times; 1,032 is the most that deflate can do
_FD_FOLDER = Path("/proc/self/fd")
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_READ_ONLY = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path, *, buffered: bool = True) -> BinaryIO:
    """Open a regular file to read. A link, pipe, socket or device is not opened (it could block or lead away).

    buffered  False for who reads large blocks of many files
    raises    UserError with code "link", "special_file", "no_permission" or "gone"
    """
    try:
        if not _NO_LINKS and path.is_symlink():  # Windows
            raise not_read("link", "This is a link to another place, not a file; it was not followed.")
        handle = os.open(path, _READ_ONLY | _NO_LINKS)
    except PermissionError:
        raise not_read("no_permission", "You have no permission to read this file.") from None
    except OSError:
        if path.is_symlink():
            raise not_read("link", "This is a link to another place, not a file; it was not followed.") from None
        raise not_read("gone", "This file could not be opened: it is gone, or its disk does not answer.") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise not_read("special_file", "This is a pipe, socket or device, not a file; it was not opened.")
    return os.fdopen(handle, "rb") if buffered else io.FileIO(handle, "rb")


def fingerprint(path: Path) -> tuple[int, int]:
    """(bytes, time of last change in ns): enough to notice that a file changed. UserError if it is gone."""
    try:
        found = path.stat()
    except OSError:
        raise not_read("gone", f"The file {path.name} is no longer there.") from None
    return found.st_size, found.st_mtime_ns


def sha256(path: Path, stopped: threading.Event | None = None) -> str:
    """SHA-256 of the file as it lies on the disk, in hex; Stopped where it is told to before it is done."""
    digest = hashlib.sha256()
    with open_regular(path, buffered=False) as file:
        size = os.fstat(file.fileno()).st_size
        room = memoryview(bytearray(min(HASHED, size + 1)))  # used again: fresh memory costs as much as reading
        while n := file.readinto(room):
            if stopped is not None and stopped.is_set():
                raise Stopped
            digest.update(room[:n])
    return digest.hexdigest()


class Hashing:
    """SHA-256 of a file, worked out from now on in a thread of its own beside whatever else is done with the file."""

    def __init__(self, path: Path) -> None:
        self._stopped = threading.Event()
        aside = ThreadPoolExecutor(1)
        self._found = aside.submit(sha256, path, self._stopped)
        aside.shutdown(wait=False)  # the thread ends with its one piece of work

    def hex(self) -> str:
        """SHA-256 of the whole file, in hex, once it is there; the errors of `sha256`, Stopped after a `stop` too."""
        return self._found.result()

    def stop(self) -> None:
        """Nobody wants it any more."""
        self._stopped.set()


class Material:
    """The bytes of one table, to be read as often as wanted: a file, or a copy that nobody else can see.

    A copy lies in memory, or from 64 MiB on in a temporary file that has no name (Linux); elsewhere in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._copy: BinaryIO | None = None

    def open(self) -> BinaryIO:
        """A fresh handle at the first byte."""
        if self._path is not None:
            return open_regular(self._path)
        if isinstance(self._copy, io.BytesIO):
            return io.BytesIO(self._copy.getbuffer())  # shares nothing that a reader could move
        return open(self._name(), "rb")

    def is_file(self, path: Path) -> bool:
        """Whether these are the bytes of that file as it lies on the disk."""
        return self._path == path

    def for_polars(self) -> str | bytes:
        """What a Polars scan takes: a file name or the bytes."""
        if self._path is not None:
            return str(self._path)
        return self._copy.getvalue() if isinstance(self._copy, io.BytesIO) else self._name()

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        with self.open() as file:
            while chunk := file.read(size):
                yield chunk

    def head(self, n_bytes: int) -> bytes:
        with self.open() as file:
            return file.read(n_bytes)

    def size(self) -> int:
        with self.open() as file:
            return file.seek(0, os.SEEK_END)

    def tail(self, n_bytes: int) -> bytes:
        with self.open() as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - n_bytes))
            return file.read()

    def _name(self) -> str:
        assert self._copy is not None
        return str(_FD_FOLDER / str(self._copy.fileno()))

    @classmethod
    def of(cls, pieces: Iterator[bytes]) -> Material:
        """A private copy of these pieces."""
        made = cls()
        copy: BinaryIO = io.BytesIO()
        for piece in pieces:
            if isinstance(copy, io.BytesIO) and copy.tell() + len(piece) > IN_MEMORY and _FD_FOLDER.is_dir():
                on_disk = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the table
                on_disk.write(copy.getbuffer())
                copy = on_disk
            copy.write(piece)
        copy.flush()
        made._copy = copy
        weakref.finalize(made, copy.close)
        return made


def expands_too_much(packed: int, unpacked: int) -> bool:
    """Whether something grows more than any real table does."""
    return unpacked > EXPANDS_FROM and unpacked > EXPANDS_TIMES * max(packed, 1)


def gunzip(path: Path) -> Material:
    """The content of a .gz file. UserError "expands_too_much" (refuse) or "damaged" (skip)."""
    try:
        return Material.of(_unpacked(path))
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise not_read("damaged", "This compressed file is damaged or cut off.") from None


def _unpacked(path: Path) -> Iterator[bytes]:
    packed, unpacked = path.stat().st_size, 0
    with open_regular(path) as file, gzip.GzipFile(fileobj=file) as inside:
        while chunk := inside.read(CHUNK):
            unpacked += len(chunk)
            if expands_too_much(packed, unpacked):
                raise not_read("expands_too_much", "This file would grow more than 100 times when unpacked, which real "
                               "tables never do. It was not opened.", refuse=True)
            yield chunk
