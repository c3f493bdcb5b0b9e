"""Signs that the system ended a process because the machine's memory, or the share it may use, was used up."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
TIGHT = 0.05  # share of the machine's memory; with less than this free, a process that was just ended ran into it
LARGE = 0.1  # share of the memory that may be used; the system ends a large process, not a smaller one


def kills() -> int:
    """How many processes Linux has ended for want of memory since it started, in this machine and in the share of it
    that this process may use; 0 where the system does not count them."""
    return _counted(PROC / "vmstat") + _counted(_own_group() / "memory.events")


def was_it(before: int, held: int) -> bool:
    """Whether a process that was ended by -9 just now was ended for want of memory, its own.

    before  `kills` at its start;   held  bytes that it was last seen to hold: the system may have ended another one
    """
    memory = psutil.virtual_memory()
    is_short = kills() > before or memory.available < TIGHT * memory.total
    return is_short and held >= LARGE * min(memory.total, _limit() or memory.total)


def _counted(file: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text().splitlines():
            name, _, number = line.partition(" ")
            if name == "oom_kill":
                return int(number)
    return 0


def _limit() -> int:
    """Bytes that this process's group may use; 0 where nobody set a limit."""
    with contextlib.suppress(OSError, ValueError):
        return int((_own_group() / "memory.max").read_text())
    return 0


def _own_group() -> Path:
    """The folder of this process's memory limits (cgroup v2)."""
    with contextlib.suppress(OSError):
        for line in (PROC / "self" / "cgroup").read_text().splitlines():
            if line.startswith("0::"):
                return GROUPS / line[3:].strip().lstrip("/")
    return GROUPS
