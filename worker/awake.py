"""The machine stays awake while a job runs or is due tonight: Linux by systemd-inhibit, macOS by caffeinate, Windows.

The system is asked by a small process that lives as long as a pipe from the worker is open. So the request ends with
the worker, however that ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

import psutil

from medml import store
from worker import processes

log = logging.getLogger(__name__)
TONIGHT = 16 * 3600.0  # seconds ahead: a job of this evening keeps a machine awake from the afternoon on
AGAIN = 600.0  # seconds after which a system that refused is asked again
ASK = {
    "linux": ["systemd-inhibit", "--what=idle:sleep", "--who=MedML", "--why=A training is at work", "--mode=block",
              "cat"],
    "darwin": ["caffeinate", "-i", "-s", "cat"],
}
_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001  # of SetThreadExecutionState; it ends with its thread


@dataclass(frozen=True, slots=True)
class Power:
    """Whether this machine is kept awake now, and whether it runs on its battery (False where it has none)."""

    kept_awake: bool
    on_battery: bool


def power() -> Power:
    """How things stand, for a screen."""
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    kept = any(processes.alive(each.pid, each.started) for each in store.processes("awake"))
    return Power(kept, battery is not None and battery.power_plugged is False)


def wanted(running: bool, now: float | None = None) -> bool:
    """True while a job runs, waits for its turn, or is due tonight."""
    until = (time.time() if now is None else now) + TONIGHT
    return running or any(each.not_before < until and not each.is_paused
                          for each in store.jobs(state=store.WAITING))


class Awake:
    """One request to the system, made and taken back. For the worker's main thread."""

    def __init__(self) -> None:
        self._asking: subprocess.Popen | None = None
        self._known_as: int | None = None
        self._refused = -AGAIN

    def keep(self, awake: bool) -> None:
        """Ask the system to stay awake, or let it sleep again; call as often as you like."""
        if self._asking is not None and self._asking.poll() is not None:
            log.warning("this machine could not be kept awake (code %d)", self._asking.returncode)
            self._refused = time.monotonic()
            self._let_go()
        if not awake:
            self._let_go()
        elif self._known_as is None and time.monotonic() - self._refused >= AGAIN:
            self._ask()

    def _ask(self) -> None:
        if os.name == "nt":
            ctypes.windll.kernel32.SetThreadExecutionState(_CONTINUOUS | _SYSTEM_REQUIRED)
            return self._known(os.getpid())
        command = ASK.get(sys.platform, [""])
        if shutil.which(command[0]) is None:
            log.warning("nothing here keeps a machine awake")
            self._refused = time.monotonic()
            return None
        quiet = subprocess.DEVNULL
        self._asking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet,
                                        start_new_session=True)
        return self._known(self._asking.pid)

    def _known(self, pid: int) -> None:
        self._known_as = pid
        store.enter("awake", pid, processes.started_at(pid) or 0.0)

    def _let_go(self) -> None:
        if self._known_as is None:
            return
        store.leave("awake", self._known_as)
        self._known_as = None
        if os.name == "nt":
            ctypes.windll.kernel32.SetThreadExecutionState(_CONTINUOUS)
        elif self._asking is not None:
            self._asking.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._asking.wait(5)
            self._asking = None
