"""What a kill or a power cut left half written: hidden names ending in .part, .gone or .deleted; never read."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from medml.home import home, state

log = logging.getLogger(__name__)
ENDINGS = (".part", ".gone", ".deleted")
OLD = 24 * 3600.0  # seconds; what is younger may be at work in another process
# and what lies inside of a run or a project
ROOMS = (".", "runs", "projects", "keys", "copies", "tried", "scores", "pretrained")


def sweep() -> int:
    """Remove them; how many there were. What cannot be removed stays for the next time."""
    found = list(_left(time.time() - OLD))
    for each in found:
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        else:
            try:
                each.unlink(missing_ok=True)
            except OSError as error:
                log.warning("a leftover stays: %s", type(error).__name__)
    return len(found)


def _left(before: float) -> Iterator[Path]:
    tops = {home(), state()}
    for folder in [top / room for top in tops for room in ROOMS if (top / room).is_dir()]:
        with os.scandir(folder) as entries:
            there = list(entries)
        for each in there:
            if _is_left(each, before):
                yield Path(each.path)
            elif folder not in tops and each.is_dir(follow_symlinks=False):
                yield from (found for found in Path(each.path).rglob(".*") if _is_left(found, before))


def _is_left(each: os.DirEntry | Path, before: float) -> bool:
    try:
        return each.name.startswith(".") and each.name.endswith(ENDINGS) and os.lstat(each).st_mtime < before
    except OSError:
        return False  # gone meanwhile
