"""Is a worker about, and how one is started: detached, so that it outlives the app, its terminal and the browser."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time

from medml import store
from medml.errors import UserError
from worker import processes

log = logging.getLogger(__name__)
LOOK = 3.0  # seconds between two looks of an app at its worker
_started: list[subprocess.Popen] = []  # kept so that an ended one is noticed at once, not left a zombie
_one_at_a_time = threading.Lock()


def is_running() -> bool:
    """True if a worker of this home is alive."""
    return any(processes.alive(each.pid, each.started) for each in store.processes("worker"))


def ensure_running(wait: float = 0.0) -> bool:
    """Start a worker if none is alive; two may be started by two apps, one of them then ends at once (its lock).

    wait     seconds to wait until it is at work
    returns  whether one is at work by then
    """
    with _one_at_a_time:
        _started[:] = [each for each in _started if each.poll() is None]
        if not _started and not is_running():
            _started.append(processes.start(["-m", "worker"], detached=True))
    deadline = time.monotonic() + wait
    while not (there := is_running()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return there


def keep_running() -> None:
    """For an app: say that it is about, and start a worker now and whenever there is none, as long as the app lives."""
    me = os.getpid()
    store.enter("app", me, processes.started_at(me) or 0.0)
    ensure_running()
    threading.Thread(target=_look_after, name="worker watch", daemon=True).start()


def _look_after() -> None:
    while True:
        time.sleep(LOOK)
        try:
            ensure_running()
        except (UserError, OSError) as error:  # a full disk, say: look again
            log.warning("could not look after the worker: %s", type(error).__name__)
