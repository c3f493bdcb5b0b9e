"""Processes on every system: who is who, starting one apart, ending one with all that it started.

A process is named by its pid and its start time, since a pid is used again. No call here is missing on Windows or
macOS: groups are used where the system has them, psutil does the rest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from medml.home import home, state

ROOT = Path(__file__).resolve().parent.parent
SAME = 0.05  # seconds by which two readings of one start time may differ


def started_at(pid: int) -> float | None:
    """When that process started, in a measure that no change of the clock moves; None if it is gone (or a zombie).

    Linux: seconds since boot (/proc/PID/stat, field 22), since psutil's figure moves with the clock.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        stat = Path(f"/proc/{pid}/stat")
        if stat.is_file():
            return float(stat.read_bytes().rpartition(b")")[2].split()[19]) / 100.0
        return process.create_time()
    except (psutil.Error, OSError, IndexError):
        return None


def alive(pid: int, started: float) -> bool:
    """True if that very process is still running."""
    found = started_at(pid)
    return found is not None and abs(found - started) < SAME


def start(arguments: list[str], *, detached: bool = False) -> subprocess.Popen:
    """Start this Python on `arguments` in a process group of its own, with a pipe to its input.

    detached  no pipe, and nothing that ends the starter or its terminal ends it
    """
    apart = {"start_new_session": True} if os.name == "posix" else {"creationflags": _windows_flags(detached)}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdin=quiet if detached else subprocess.PIPE, stdout=quiet,
        stderr=quiet, env=os.environ | _places(), close_fds=True, **apart)


def _places() -> dict[str, str]:
    """Where a process that starts in another folder finds the same files."""
    places = {"MEDML_HOME": home(), "MEDML_STATE": state()}
    return {name: str(each.resolve()) for name, each in places.items() if name == "MEDML_HOME" or name in os.environ}


def _windows_flags(detached: bool) -> int:
    flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return flags | subprocess.DETACHED_PROCESS if detached else flags


def end_group(pid: int, started: float, *, patience: float = 10.0) -> bool:
    """End a process, its group and its descendants, whatever they are at; True once none is left.

    A pid that belongs to somebody else by now is left alone, and so is the group of a leader that is gone, but for
    those in it that work on this very home: after a reboot the number may have been given to strangers.
    """
    if not alive(pid, started) and started_at(pid) is not None:
        return True  # the number was given to a stranger
    doomed = _family(pid) if started_at(pid) is not None else _left_of_group(pid)
    if alive(pid, started):
        _kill_group(pid)
    for each in doomed:
        with contextlib.suppress(psutil.Error):
            each.kill()
    deadline = time.monotonic() + patience
    while any(each.is_running() and _undead(each) for each in doomed):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _family(pid: int) -> list[psutil.Process]:
    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return []


def _left_of_group(pid: int) -> list[psutil.Process]:
    """Processes of this home whose group was led by one that is gone."""
    found, own = [], _places()["MEDML_HOME"]
    for each in psutil.pids() if hasattr(os, "getpgid") else ():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getpgid(each) == pid and psutil.Process(each).environ().get("MEDML_HOME") == own:
                found.append(psutil.Process(each))
    return found


def _undead(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill_group(pid: int) -> None:
    """Where groups exist: also those whose parents have died, who are no descendants any more."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def end_own_group(code: int) -> None:
    """End this process and everything it started, at once; never returns."""
    me = os.getpid()
    for each in _family(me)[1:]:
        with contextlib.suppress(psutil.Error):
            each.kill()
    if hasattr(os, "killpg") and os.getpgid(0) == me:
        os.killpg(me, signal.SIGKILL)
    os._exit(code)


def step_back(by: int = 5) -> None:
    """Let the screens go first: a lower priority for this process, and for the session that it leads.

    Where Linux groups the processes of a session (sched(7), autogroup), their priorities count among themselves alone:
    beside other sessions, an app started from a terminal say, it is the group's that counts.
    """
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process().nice(by if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
    group = Path("/proc/self/autogroup")
    if group.is_file() and os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            group.write_text(str(by))


def bytes_of(pid: int) -> int:
    """Memory held by a process alone, in bytes (resident); 0 where it is gone."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).memory_info().rss
    return 0


def bytes_of_family(pid: int) -> int:
    """Memory held by a process and its descendants, in bytes (resident)."""
    total = 0
    for each in _family(pid):
        with contextlib.suppress(psutil.Error):
            total += each.memory_info().rss
    return total
