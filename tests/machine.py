"""Tests that need what a machine may refuse: mounting, namespaces, strace, programs of npm.

Marked `machine`, they skip by name where it is refused; where CI=true such a skip makes the whole run fail, so that no
proof goes missing without a word.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

FAILED = 1  # pytest's exit status where a test failed


class Skipped:
    """pytest plugin: counts the tests marked `machine` that were skipped."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """In the process that gathers the results, under xdist too."""
        if report.skipped and "machine" in report.keywords and not hasattr(report, "wasxfail"):
            self.names.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.names and is_ci():
            session.exitstatus = session.exitstatus or FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for name in self.names if is_ci() else ():
            terminalreporter.write_line(f"FAILED {name} - skipped, and CI=true: this machine must be able to run it")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "machine: needs mounts, namespaces, strace or npm; its skip fails where CI=true")
    config.pluginmanager.register(Skipped(), "skipped on this machine")


def is_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"


def is_mounted(place: Path, size: str) -> bool:
    """Mount a file system in memory at `place` ("4m"); False where that is refused. See `unmount`."""
    place.mkdir(parents=True, exist_ok=True)
    return os.name == "posix" and not subprocess.call(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs",
                                                       str(place)], stderr=subprocess.DEVNULL)


def mount_memory(place: Path, size: str) -> None:
    """As `is_mounted`, for a test, which is skipped where that is refused."""
    if not is_mounted(place, size):
        pytest.skip("no file system can be mounted here")


def mounts(place: Path) -> bool:
    """Whether a file system can be mounted here; tried at `place`, and taken away again."""
    if is_mounted(place, "1m"):
        unmount(place)
        return True
    return False


def unmount(place: Path) -> None:
    subprocess.call(["umount", "-l", str(place)], stderr=subprocess.DEVNULL)


def fill(ballast: Path) -> Path:
    """Leave not one byte free on the disk of that file."""
    with ballast.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    return ballast
