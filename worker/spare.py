"""Warm children: a process that has its imports behind it, so that a click on Scan is answered at once.

MEDML_WARM=0 keeps none: a machine short of memory has 150 MB more, and a scan begins about a second later.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading

from worker import processes

log = logging.getLogger(__name__)
KEPT = ("quick",)  # queues for which one is kept ready at all times
WHEN_IDLE = ("train",)  # and those for which one is made ready once nothing has been at work for a while


class Spares:
    """One spare a queue that somebody waits for. A spare dies with its worker as every child does: by its pipe."""

    def __init__(self) -> None:
        self._ready: dict[str, subprocess.Popen] = {}
        self._lock = threading.Lock()

    def take(self, queue: str) -> subprocess.Popen:
        """A child for a job of that queue: the spare, if it is alive, else a new one."""
        with self._lock:
            spare = self._ready.pop(queue, None)
        if spare is not None and spare.poll() is None:
            return spare
        return _child(queue)

    def refill(self, queues: tuple[str, ...] = KEPT) -> None:
        """Have one ready again. Called when a job has ended, so that warming up takes nothing from it."""
        if os.environ.get("MEDML_WARM") == "0":
            return
        with self._lock:
            for queue in queues:
                ready = self._ready.get(queue)
                if ready is None or ready.poll() is not None:
                    self._ready[queue] = _child(queue)

    def end(self) -> None:
        """Let them go: the end of their pipe is the end of them."""
        with self._lock:
            for spare in self._ready.values():
                spare.stdin.close()
                spare.wait()
            self._ready.clear()


def _child(queue: str) -> subprocess.Popen:
    return processes.start(["-m", "worker.run", queue])
