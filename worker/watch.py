"""How a job's child speaks and listens: a thread writes progress and heartbeats, and reads whether to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from medml import store
from medml.errors import Paused, UserError
from medml.store import JUDGING, Progress
from medml.types import Point

log = logging.getLogger(__name__)
EVERY = 0.5  # seconds between two rows, and between two looks at the stop flag
NO_SAFE_POINT = 60.0  # seconds of a pause without one: then what came after the last checkpoint is done again later
LAST_WORDS = 60.0  # seconds in which the last row may find a full disk or a locked file free again


class JobWatch:
    """A medml Watch on the store. The work never waits for the disk: what it says is kept until it is written.

    lost       called once the job belongs to another attempt; it must end this process
    finishing  True where it was stopped before this attempt began, which is there to judge and save: that is no news
    """

    def __init__(self, job_id: str, token: int, lost: Callable[[], None], *, finishing: bool = False) -> None:
        self.job_id, self.token = job_id, token
        self.stop_heard = self._finishing = finishing
        self._lost = lost
        self._stop = False
        self._pause: float | None = None  # when it was heard of
        self._stage, self._fraction = "", 0.0
        self._said: list[str] = []
        self._points: list[Point] = []
        self._news = self._closed = False
        self._lock = threading.Lock()
        self._wake, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self._thread.start()

    def say(self, stage: str, fraction: float, message: str = "") -> None:
        with self._lock:
            self._stage = stage
            self._fraction = min(1.0, max(self._fraction, float(fraction)))
            if message and self._said and store.counts_on(self._said[-1], message):
                self._said[-1] = message
            elif message and (not self._said or self._said[-1] != message):
                self._said.append(message)
            self._news = True
        self._wake.set()

    def point(self, point: Point) -> None:
        with self._lock:
            self._points.append(point)
            self._news = True
        self._wake.set()

    def stopping(self) -> bool:
        if self._stop:
            self.stop_heard = True
        elif self._pause is not None and time.monotonic() - self._pause > NO_SAFE_POINT:
            raise Paused
        return self._stop

    def safe_point(self) -> None:
        """After a stop that came as it learned, a pause puts off the judging of the best: never the end of a round."""
        if self._pause is not None and (not self._stop or self._stage in JUDGING):
            self.stop_heard = self.stop_heard or self._stop  # both may come between two looks: then it is put aside too
            raise Paused

    def fence(self) -> None:
        """On several machines another may have taken this job over while this one slept; what it then has to publish
        is nobody's. On one, the worker ended this process before the job was given to another."""
        while store.is_shared():
            try:
                if store.pulse(self.job_id, self.token) == "lost":
                    self._lost()
                return
            except UserError as error:
                if error.code != store.AWAY:
                    raise
                time.sleep(1)  # nobody knows whose it is: it waits

    def close(self) -> None:
        """Write the last row; UserError if the disk stays full for a minute."""
        self._over.set()
        self._wake.set()
        self._thread.join()
        deadline = time.monotonic() + LAST_WORDS
        if self._closed:
            return
        while not self._write(quiet=time.monotonic() < deadline):
            time.sleep(1)
        self._closed = True

    def _beat(self) -> None:
        while not self._over.is_set():
            self._wake.wait(EVERY)
            self._wake.clear()
            if not self._over.is_set():
                self._write()
            self._over.wait(EVERY)  # at most two rows a second

    def _write(self, quiet: bool = True) -> bool:
        """One heartbeat with what is new; False where the disk or the file was not to be had, and all is kept."""
        with self._lock:
            said, points, news = list(self._said), list(self._points), self._news
            row = self._row(said, points) if news else None
        try:
            answer = store.pulse(self.job_id, self.token, row, heard=self.stop_heard)
        except UserError as error:
            if not quiet:
                raise
            log.warning("progress of job %s has to wait: %s", self.job_id, error.code)
            return False
        if answer == "lost":
            self._lost()
        with self._lock:
            written = len(said) - (self._said[:len(said)] != said)  # a count may have gone on meanwhile
            del self._said[:written], self._points[:len(points)]
            self._news = bool(self._said or self._points) or (self._news and not self._same(row))
        self._stop = self._stop or (answer in ("stop", "later") and not self._finishing)
        if answer not in ("pause", "later"):
            self._pause = None  # it was taken back
        elif self._pause is None:
            self._pause = time.monotonic()
        return True

    def _row(self, said: list[str], points: list[Point]) -> Progress:
        message = said[-1] if said else ""
        lists = {"points": [each.model_dump() for each in points], "said": said[:-1]}
        return Progress(seq=0, time=0.0, attempt=0, stage=self._stage, fraction=self._fraction, message=message,
                        scalars={name: each for name, each in lists.items() if each})

    def _same(self, row: Progress | None) -> bool:
        return row is not None and (row.stage, row.fraction) == (self._stage, self._fraction)
