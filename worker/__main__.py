"""The worker: `python -m worker`. One a home. Hands jobs to child processes, mends what a crash left, ends when idle.

SIGINT and SIGTERM let running jobs go on from their last checkpoint when a worker starts again.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from huey.consumer import Consumer

from medml import egress, environment, home, leftovers, logs, store, vitals
from medml.errors import UserError
from medml.store import whole
from worker import alive, awake, leases, processes, published, queue, rest
from worker.attempt import Attempts, put_aside
from worker.jobs import WORKERS
from worker.spare import WHEN_IDLE

log = logging.getLogger("worker")
TICK = 1.0  # seconds between two looks at the table
AWAY = 2.0  # seconds between two tries of a queue that cannot be reached
SETTLED = 3.0  # seconds without work after which a child is warmed for the next training
COPY_AGAIN = 600.0  # seconds after which a nightly copy that found no room is tried again
FORGOTTEN = 7 * 24 * 3600.0  # seconds without a word, then unfinished work that no list of jobs knows goes away
RETRY = 3.0  # seconds for a worker that is ending to let go of its lock


def main() -> int:
    """Run until told to end or idle; 0 also where another worker is at work already."""
    logs.set_up("worker")
    egress.install(process="worker")
    environment.check()
    store.check_shared()
    deadline = time.monotonic() + RETRY
    while True:
        with store.only_one("worker") as alone:
            if alone:
                whole.see_to_it()
                queue.mend()
                with store.held_open():
                    return Worker().run()
        if time.monotonic() > deadline:
            log.info("another worker is at work on %s", home.home())
            sys.stderr.write(f"Another worker is at work on {home.home()}: one is enough, so this one ends.\n")
            return 0
        time.sleep(0.1)


class Threads(Consumer):
    """huey's threads without its signal handlers, which would wait for a running job."""

    def _set_signal_handlers(self) -> None:
        """This worker listens itself."""


class Worker:
    """The consumer of both queues, the reaper, and the end of it all."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.started = processes.started_at(self.pid) or 0.0
        self.awake = awake.Awake()
        self.attempts = Attempts(owner=f"{self.pid}-{self.started:.2f}@{store.mark()}")
        self.leases = leases.Leases()
        self.asked_to_end = threading.Event()
        self.quiet_since = self.copy_from = time.monotonic()

    def run(self) -> int:
        """Until asked to end, or idle for ten minutes."""
        self._listen()
        alive.note_version()
        store.enter("worker", self.pid, self.started)
        vitals.keep_telling("worker")
        for each in store.troubles():
            log.warning(each)
        store.be_at_work()
        self.reap()
        sweep()
        leftovers.sweep()
        self.attempts.spares.refill()
        consumers = self._consumers()
        log.info("worker %d is at work on %s", self.pid, home.home())
        while not self.asked_to_end.wait(TICK) and not self._idle():
            self._tick(consumers)
        return self._end(consumers)

    def _consumers(self) -> list[Consumer]:
        """Threads of huey that take messages; -d 0.05 -m 0.1 takes one up within 0.1 s."""
        made = []
        longest = AWAY if store.is_shared() else 0.1  # Redis tells at once; then this is waited after an error alone
        for name, workers in WORKERS.items():
            queue.run_with(self.attempts.take)
            consumer = Threads(queue.queue(name), workers=workers, periodic=False, initial_delay=0.05,
                               max_delay=longest, check_worker_health=True)
            consumer.start()
            made.append(consumer)
        return made

    def _listen(self) -> None:
        """Before anybody knows of this worker, so that no signal is lost."""
        for each in ("SIGINT", "SIGTERM", "SIGBREAK"):
            if hasattr(signal, each):
                signal.signal(getattr(signal, each), lambda *_: self.asked_to_end.set())
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal is no reason to end

    def _tick(self, consumers: list[Consumer]) -> None:
        try:
            store.be_at_work()
            self.reap()
            rest.give_way(self.attempts.running)
            if not self.attempts.running and time.monotonic() - self.attempts.latest > SETTLED:
                self.attempts.spares.refill(WHEN_IDLE)
            queue.heal()
            for each in consumers:
                each.check_worker_health()
            self.awake.keep(awake.wanted(bool(self.attempts.running)))
            if time.monotonic() >= self.copy_from and not whole.try_copy():
                self.copy_from = time.monotonic() + COPY_AGAIN
        except (UserError, OSError, store.DatabaseError) as error:  # a full disk, say: the next tick tries again
            log.warning("a look at the jobs failed: %s", type(error).__name__)
            if store.is_damaged(error):
                self.asked_to_end.set()  # the next worker mends it

    def reap(self) -> None:
        """Queue again what runs without anybody watching over it; its process is ended for good before.

        This worker holds the lock, so a job that none of its attempts watches was left by one that died. That is not
        the job's fault and counts as no attempt.
        """
        for job in self.leases.left(self.attempts.unwatched()):
            here = store.is_here(job.owner)
            if here and job.pid is not None and not processes.end_group(job.pid, job.pid_started or 0.0):
                log.warning("job %s: its old process does not end", job.id)
                continue
            if self._has_published(job) or put_aside(job):
                continue
            state = store.give_back(job.id, job.token, counted=job.owner == self.attempts.owner)
            log.warning("job %s was left by a worker that died, now %s", job.id, state)

    def _has_published(self, job: store.Job) -> bool:
        """Whether a job that was left is done, or will be: a run that cannot be entered in its project just now holds
        up no other job, and no worker's start."""
        try:
            return published.settled(job)
        except (UserError, OSError) as error:
            if store.is_damaged(error):
                raise
            log.warning("job %s: its run cannot be entered yet (%s)", job.id, type(error).__name__)
            return True

    def _idle(self) -> bool:
        if store.is_shared():
            return False  # the others may hand in work at any time; it ends when it is told to
        try:
            apps = any(processes.alive(each.pid, each.started) for each in store.processes("app"))
            busy = apps or self.attempts.running or any(
                not each.is_paused for each in store.jobs(state=store.WAITING))
        except (UserError, store.DatabaseError):
            busy = True  # cannot be told now
        if busy:
            self.quiet_since = time.monotonic()
        return time.monotonic() - max(self.quiet_since, self.attempts.latest) > environment.number("MEDML_IDLE")

    def _end(self, consumers: list[Consumer]) -> int:
        log.info("worker %d ends", self.pid)
        self.attempts.closing.set()
        for each in consumers:
            each.stop(graceful=True)  # returns when its threads have seen `closing` and given their jobs back
        self.attempts.spares.end()
        self.awake.keep(False)
        with contextlib.suppress(UserError):  # damaged, say: nobody believes in a process that has ended
            store.leave("worker", self.pid)
            store.be_gone()
        return 0


def sweep() -> None:
    """Remove what jobs left that were ended between their last word and their tidying up, and processes long gone."""
    for each in home.ensure(home.home() / "work").iterdir():
        try:
            over = store.get(each.name).ended_for_good
        except KeyError:  # of a training in a terminal, say, or of a list of jobs that was lost
            over = time.time() - _last_written(each) > FORGOTTEN
        if over:
            shutil.rmtree(each, ignore_errors=True)
    for role in ("app", "worker", "awake"):
        for each in store.processes(role):
            if not processes.alive(each.pid, each.started):
                store.leave(role, each.pid)


def _last_written(work: Path) -> float:
    """When anything in a job's unfinished work was written last, in seconds since 1970; now, where that goes away."""
    try:
        return max(each.lstat().st_mtime for each in (work, *work.rglob("*")))
    except OSError:
        return time.time()


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m worker", description="Do what is queued: one for each MedML folder "
                            "(MEDML_HOME) and machine. It ends at Ctrl-C, or ten minutes after the last work where no "
                            "app is open; a training that runs keeps its last checkpoint.").parse_args()
    try:
        code = main()
    except UserError as error:
        log.error("%s %s", error.what, error.fix)
        sys.stderr.write(f"{error.what} {error.fix}\n")
        code = 2
    logging.shutdown()
    sys.exit(code)
