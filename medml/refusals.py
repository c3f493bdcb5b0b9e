"""What the tripwire refused, in every process of this home: one line a refusal in logs/refused.jsonl, bounded in size.

A line is one write to a file opened for appending, so it needs no lock, survives the end of its process and can be
made from inside the refused call. What cannot be written is left out: keeping a record never breaks what it is about.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

LARGEST = 200_000  # bytes; then the file is turned over, and one older file is kept
NAME, OLDER = "refused.jsonl", "refused.older.jsonl"


@dataclass(frozen=True, slots=True)
class Kept:
    """One sort of refusal of one process.

    time   of the latest line, seconds since 1970, UTC
    where  an address, or the last two parts of a name;   times  how often so far
    """

    time: float
    process: str  # "app", "worker", "job", "answers", "pictures", "command line"
    pid: int
    what: str
    where: str
    times: int


class Record:
    """Where one process keeps its refusals. The same one again is written at its 2nd, 4th, 8th ... time alone, so
    that a library that tries every second does not push out what others were refused."""

    def __init__(self, folder: Path, process: str) -> None:
        self.file, self.older, self.process = folder / NAME, folder / OLDER, process
        self.seen: Counter[tuple[str, str]] = Counter()

    def keep(self, what: str, where: str) -> None:
        """Write one refusal down; never raises what a disk, a folder that is gone or a full counter can raise."""
        self.seen[what, where] += 1
        times = self.seen[what, where]
        if times & (times - 1):
            return  # no power of two
        told = Kept(round(time.time(), 1), self.process, os.getpid(), what, where, times)
        line = json.dumps(asdict(told)).encode() + b"\n"
        with contextlib.suppress(OSError):
            self._append(line)

    def _append(self, line: bytes) -> None:
        file = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line)
            large = os.fstat(file).st_size > LARGEST
        finally:
            os.close(file)
        if large:
            os.replace(self.file, self.older)


def kept(folder: Path, most: int = 500) -> list[Kept]:
    """The latest refusals of every process, newest first, one entry for each sort of each process.

    A line that is not whole (two processes on a system without appending writes) is passed over.
    """
    latest: dict[tuple[int, str, str, str], Kept] = {}
    for file in (folder / OLDER, folder / NAME):
        with contextlib.suppress(OSError):
            for line in file.read_bytes().splitlines():
                with contextlib.suppress(ValueError, TypeError):
                    each = Kept(**json.loads(line))
                    latest[each.pid, each.process, each.what, each.where] = each
    return sorted(latest.values(), key=lambda each: -each.time)[:most]
