"""Is a worker about, and how one is started: detached, so that it outlives the app, its terminal and the browser."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import subprocess
import threading
import time

import psutil

from medml import environment, store
from medml.errors import UserError
from medml.home import state, write_bytes
from medml.store import whole
from worker import processes

log = logging.getLogger(__name__)
LOOK = 3.0  # seconds between two looks of an app at its worker
ENDING = 15.0  # seconds for a worker to end
_started: list[subprocess.Popen] = []  # kept so that an ended one is noticed at once, not left a zombie
_one_at_a_time = threading.Lock()


def is_running() -> bool:
    """True if a worker of this home is alive; False too where the database is damaged, which a worker mends."""
    try:
        return any(processes.alive(each.pid, each.started) for each in store.processes("worker"))
    except UserError as error:
        if store.is_damaged(error):
            return False
        raise


def ensure_running(wait: float = 0.0) -> bool:
    """Start a worker if none is alive; two may be started by two apps, one of them then ends at once (its lock).

    wait     seconds to wait until it is at work
    returns  whether one is at work by then
    """
    deadline = time.monotonic() + wait
    while True:
        _start_one()
        if (there := is_running()) or time.monotonic() >= deadline:
            return there
        time.sleep(0.05)


def _start_one() -> None:
    """Where none is alive and none that was started from here is on its way, or on its way out; never where a service
    of its own keeps the worker (MEDML_WORKER=service)."""
    if os.environ.get("MEDML_WORKER") == "service":
        return
    with _one_at_a_time:
        _started[:] = [each for each in _started if each.poll() is None]
        if not _started and not is_running():
            _started.append(processes.start(["-m", "worker"], detached=True))


def keep_running() -> None:
    """For an app: say that it is about, and start a worker now and whenever there is none, as long as the app lives.

    A worker of an older version is let go first, unless it is at work: then it stays until the next start.
    """
    environment.check()
    store.check_shared()
    see_to_the_database()
    me = os.getpid()
    store.enter("app", me, processes.started_at(me) or 0.0)
    if os.environ.get("MEDML_WORKER") != "service" and is_outdated() and not store.jobs(state="running"):
        _let_go()
    ensure_running()
    threading.Thread(target=_look_after, name="worker watch", daemon=True).start()


def see_to_the_database() -> None:
    """Mend it where it is damaged. A worker that is at work on a damaged one notices, and ends first."""
    deadline = time.monotonic() + ENDING
    while True:
        with store.only_one("worker") as alone:
            if alone:
                whole.see_to_it()
                return
        if time.monotonic() > deadline or whole.is_whole():
            return
        time.sleep(0.2)


def code_version() -> str:
    """A hash that changes with every file of the code (by size and time of change)."""
    seen = hashlib.sha256()
    for room in ("medml", "worker"):
        for each in sorted((processes.ROOT / room).rglob("*.py")):
            known = each.stat()
            seen.update(f"{each.relative_to(processes.ROOT)} {known.st_size} {known.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def note_version() -> None:
    """For a worker: say which code it runs, since its children were warmed with it."""
    write_bytes(state() / "worker.code", code_version().encode())


def is_outdated() -> bool:
    """True if the worker that is about runs other code than this."""
    noted = state() / "worker.code"
    return is_running() and noted.is_file() and noted.read_bytes() != code_version().encode()


def _let_go() -> None:
    for each in store.processes("worker"):
        if processes.alive(each.pid, each.started):
            log.info("the worker %d runs older code and is let go", each.pid)
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(each.pid)
                process.terminate()
                process.wait(ENDING)


def _look_after() -> None:
    while True:
        try:
            with store.held_open():
                _look_again_and_again()
        except (UserError, OSError, store.DatabaseError) as error:  # a full disk, say: look again
            log.warning("could not look after the worker: %s", type(error).__name__)
        time.sleep(LOOK)


def _look_again_and_again() -> None:
    while True:
        time.sleep(LOOK)
        ensure_running()
