"""The worker's side of one attempt: claim a job, give it to a child process, watch over it, say how it went."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import time
from typing import Literal

import psutil

from medml import environment, mishaps, room, stops, store
from medml.errors import UserError
from medml.store import Job
from worker import processes, published, rest, run, shortage
from worker.jobs import registry
from worker.spare import Spares

log = logging.getLogger(__name__)
LOOK = 0.1  # seconds between two looks at a child
EACH = 3  # looks at the process between two looks at its row
BEGINNING = 120.0  # seconds without the first heartbeat: imports on a slow drive take their time
RESTING = 180.0  # seconds in which a pause must have been heard; then the work goes on from its last checkpoint later
UNHEARD = 4.0  # seconds a stop may go unnoticed while there is nothing to keep
SAVING = 600.0  # seconds for a round to end once something was learned; and to judge and put away what is kept
FINISHING = 3600.0  # seconds in which what was stopped while it did not run is read, judged and put away
SOON, LATER = 2.0, 15.0  # seconds until the next attempt after a full disk: there is room again, or still none
CUT_SHORT = ("Stopped before its best could be saved. What it has learned is kept: stop it again to have it saved, or "
             "let it go on")
KILLED = (-9, 137)  # exit codes of a process that the system ended
LEAST_FREE = 0.03  # share of the machine's memory; below it a child that holds a quarter of it is ended

Ending = Literal["exited", "silent", "memory", "closing", "stopped", "paused"]


def lease() -> float:
    """Seconds of looking without a heartbeat, then an attempt is over."""
    return environment.number("MEDML_LEASE")


class Attempts:
    """All attempts of this worker. `closing` ends them, and their jobs go on when a worker starts again."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.closing = threading.Event()
        self.spares = Spares()
        self.running: dict[str, int] = {}  # id of a job -> the token of the attempt at it
        self.latest = time.monotonic()  # when an attempt last ended
        self.lock = threading.Lock()  # a job is claimed and known to be ours in one

    def unwatched(self) -> list[Job]:
        """Jobs that are said to run and that no attempt of this worker watches over."""
        with self.lock:
            return [each for each in store.jobs(state="running") if each.id not in self.running]

    def take(self, queue: str) -> bool:
        """Do the next job of that queue, if one is due. Never raises: the queue's threads must live."""
        if self.closing.is_set():
            return False
        try:
            with self.lock:
                job = store.claim(queue, self.owner, lease(), rest.longest(queue))
                if job is None:
                    return False
                self.running[job.id] = job.token
        except (UserError, store.DatabaseError) as error:
            log.warning("could not take a job: %s", type(error).__name__)
            return False
        try:
            self._attempt(job)
        except (UserError, OSError, store.DatabaseError) as error:  # no process was to be had, or its name not kept
            log.warning("job %s is queued again by the reaper: %s", job.id, type(error).__name__)
        finally:
            self._over(job)
        return True

    def _over(self, job: Job) -> None:
        with self.lock:  # once it was given back, another thread may have begun the next attempt at it
            if self.running.get(job.id) == job.token:
                del self.running[job.id]
        self.latest = time.monotonic()

    def _attempt(self, job: Job) -> None:
        child, killed_before = self.spares.take(job.queue), shortage.kills()
        born = processes.started_at(child.pid) or 0.0
        try:
            store.own(job.id, job.token, child.pid, born)
            _hand_over(job, child)
            watch = Overseer(job, child.pid)
            ending = self._watch_over(watch, child)
        finally:
            processes.end_group(child.pid, born)
            child.wait()
            child.stdin.close()
        self.spares.refill()
        if ending == "exited" and child.returncode in KILLED and shortage.was_it(killed_before, watch.held):
            ending = "memory"
        settle(job, ending, child.returncode, self.closing)

    def _watch_over(self, watch: Overseer, child: subprocess.Popen) -> Ending:
        while True:
            try:
                child.wait(LOOK)
                return "exited"
            except subprocess.TimeoutExpired:
                pass
            if self.closing.is_set():
                return "closing"
            ending = watch.look()
            if ending:
                return ending


def _hand_over(job: Job, child: subprocess.Popen) -> None:
    try:
        child.stdin.write(json.dumps({"job": job.id, "token": job.token}).encode() + b"\n")
        child.stdin.flush()
    except OSError:  # it has died already: the watch over it will say so
        log.warning("job %s: its process was gone before it began", job.id)


class Overseer:
    """Looks at one child: does its heart beat, has it heard a stop, does it eat up the memory.

    Looks are counted, not clocks read: a worker that slept (a closed lid) has not looked, so nobody is blamed for
    the time it slept.
    """

    def __init__(self, job: Job, pid: int) -> None:
        self.job, self.pid = job, pid
        self.looks = self.still = 0
        self.beat = -1
        self.stop_looks = self.heard_looks = self.pause_looks = self.leaving_looks = 0
        self.held = 0  # bytes, when last looked at
        self.has_learned = False  # a stop then waits for the end of a round: what was promised is kept

    def look(self) -> Ending | None:
        """What must be done about the child now; None for nothing."""
        self.looks += 1
        if self.looks % EACH:
            return None
        try:
            row = store.get(self.job.id)
        except KeyError:
            return self._leaving()  # the shared queue has forgotten it
        except (UserError, store.DatabaseError):
            return None  # the file cannot be read now; its heart may beat all the same
        if row.token != self.job.token or row.state != "running":
            return self._leaving()  # ended or taken over
        return self._stop(row) or self._pause(row) or self._heart(row) or self._memory()

    def _leaving(self) -> Ending | None:
        """The child goes by itself; one that is frozen or hangs would hold its place in the queue for ever."""
        self.leaving_looks += 1
        return "silent" if self.leaving_looks * LOOK * EACH > lease() else None

    def _stop(self, row: Job) -> Ending | None:
        self.stop_looks += row.stop is not None and row.heard is None
        self.heard_looks += row.heard is not None
        unheard, saving = (looks * LOOK * EACH for looks in (self.stop_looks, self.heard_looks))
        if unheard > UNHEARD and not self.has_learned:
            self.has_learned = row.is_judging or stops.keeps(self.job)
        over = unheard > (SAVING if self.has_learned else UNHEARD)
        return "stopped" if over or saving > (FINISHING if row.is_finishing else SAVING) else None

    def _pause(self, row: Job) -> Ending | None:
        asked = (row.stop is None or row.is_finishing) and (row.paused is not None or row.resting is not None)
        self.pause_looks = self.pause_looks + 1 if asked else 0
        return "paused" if self.pause_looks * LOOK * EACH > RESTING else None

    def _heart(self, row: Job) -> Ending | None:
        self.still = self.still + 1 if row.beat == self.beat else 0
        self.beat = row.beat
        patience = lease() if row.beat > self.job.beat else max(lease(), BEGINNING)
        return "silent" if self.still * LOOK * EACH > patience else None

    def _memory(self) -> Ending | None:
        self.held = processes.bytes_of(self.pid) or self.held
        memory = psutil.virtual_memory()
        if memory.available > LEAST_FREE * memory.total:
            return None
        return "memory" if processes.bytes_of_family(self.pid) > 0.25 * memory.total else None


def put_aside(job: Job) -> bool:
    """Whether what was learned before a stop waits for who asked for it, since its attempt ended before all was saved:
    the machine went down, the disk was full, the judging hung."""
    if not registry.get(job.kind).resumes or store.get(job.id).stop is None or not stops.keeps(job):
        return False
    return store.put_aside(job.id, job.token, CUT_SHORT)


def settle(job: Job, ending: Ending, code: int | None, closing: threading.Event | None = None) -> None:
    """Write down how an attempt ended that could not do so itself; waits while the disk is full.

    closing  set where the worker is to end: then it is left to the reaper of the next one
    """
    closing = closing or threading.Event()
    while True:
        try:
            return _settle(job, ending, code)
        except UserError as error:
            log.warning("the end of job %s has to wait: %s", job.id, error.code)
            if store.is_damaged(error):
                return None  # this worker ends, and the next one mends the database
            if closing.wait(1):
                return None


def _settle_short_of_memory(job: Job) -> None:
    """Once more with half the rows a step, twice at most, where that makes a difference; else it has failed."""
    if job.halved < mishaps.HALVINGS and registry.get(job.kind).halves(job.payload):
        state = store.give_back(job.id, job.token, counted=False, halve=True)
        log.warning("job %s ran out of memory, now %s", job.id, state)
    else:
        store.finish(job.id, job.token, "failed", error=mishaps.out_of_memory(job.halved))


def _settle(job: Job, ending: Ending, code: int | None) -> None:
    if published.settled(job):
        return
    if put_aside(job):
        if code == run.PAUSED:  # it had just begun to go on: the next attempt judges what those before had learned
            stops.stop(job.id)
        log.warning("job %s ended (%s, code %s) before what a stop keeps was saved: put aside", job.id, ending, code)
    elif ending == "memory" or code == run.SHORT:
        _settle_short_of_memory(job)
    elif ending == "stopped":
        store.finish(job.id, job.token, "stopped")
    elif ending in ("closing", "paused") or code == run.PAUSED:
        store.give_back(job.id, job.token, state="interrupted", counted=False)
    elif code == run.NO_ROOM:
        store.give_back(job.id, job.token, counted=False, wait=SOON if room.has_room() else LATER)
    else:
        state = store.give_back(job.id, job.token, error={
            "what": f"The work ended {store.ATTEMPTS} times without getting any further (its process was ended, "
            f"code {code}).", "reference": "",
            "fix": "Most often the memory was not enough: close other programs or leave out columns, then start "
            "again."})
        if state is not None:
            log.warning("job %s: attempt %d ended (%s, code %s), now %s", job.id, job.attempt, ending, code, state)
