"""Jobs and their progress. Whoever claims a job is given a fencing token; every later write of that attempt names it,
so an attempt that lost its job changes nothing.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from medml.room import little_room
from medml.store.machine import machine_of
from medml.store.rows import again, rows
from medml.types import Point

State = Literal["queued", "running", "done", "failed", "stopped", "interrupted"]
ENDED = ("done", "failed", "stopped")
WAITING = ("queued", "interrupted")
GOING = ("running", *WAITING)
JUDGING = ("evaluate", "save")  # stages of a training in which all was learned, whatever the family
Answer = Literal["go", "stop", "later", "pause", "lost"]  # what an attempt is told when it says how far it is
ATTEMPTS = 3  # without progress, then a job has failed
COUNT = re.compile(r"[\d,]+ of (?P<all>[\d,]+ \w+)")
GAIN = 0.01  # share of the whole job that counts as progress of an attempt


@dataclass(frozen=True, slots=True)
class Job:
    """One row of work. Times are seconds since 1970, UTC; fraction is 0-1."""

    number: int
    id: str
    kind: str
    queue: str
    project: str | None
    payload: dict[str, Any]
    state: State
    priority: int
    not_before: float
    made: float
    started: float | None  # of the latest attempt
    ended: float | None
    attempt: int
    fruitless: int  # attempts in a row that got no further
    gained: int  # 1 if the latest attempt got further than all before
    reached: float  # the furthest fraction of all attempts
    token: int
    owner: str | None
    lease: float | None  # seconds without a heartbeat after which the attempt is given up
    pid: int | None
    pid_started: float | None
    beat: int  # counts heartbeats: watched instead of a clock, which may be set back
    heartbeat: float | None
    stop: float | None  # when somebody asked to stop
    heard: float | None  # when the work noticed
    stage: str
    fraction: float
    message: str
    error: dict[str, str] | None  # {what, fix, reference}
    result: dict[str, Any] | None
    paused: float | None = None  # when a person asked to pause it; it starts no attempt until they let it go on
    resting: float | None = None  # when this attempt was asked to give way to the quiet hours
    halved: int = 0  # how often the memory ran out, and half the rows a step were taken instead

    @property
    def ended_for_good(self) -> bool:
        return self.state in ENDED

    @property
    def machine(self) -> str:
        """The machine that works on it; "" while none does."""
        return machine_of(self.owner)

    @property
    def is_paused(self) -> bool:
        """Whether it waits for a person to let it go on."""
        return self.paused is not None and self.state in WAITING

    @property
    def is_finishing(self) -> bool:
        """Whether it was stopped while it did not run: its next attempt, or this one, only judges and saves what those
        before had learned."""
        if self.stop is None or self.started is None:
            return False
        return self.state in WAITING or (self.state == "running" and self.stop <= self.started)

    @property
    def is_judging(self) -> bool:
        """Whether all was learned, and what is left is to judge and save it."""
        return self.state == "running" and self.stage in JUDGING


@dataclass(frozen=True, slots=True)
class Progress:
    """One row of a job's progress; `seq` counts up over all attempts."""

    seq: int
    time: float
    attempt: int
    stage: str
    fraction: float
    message: str
    scalars: dict[str, Any] = field(default_factory=dict)  # {"points": [Point as JSON], "said": [earlier sentences]}

    @property
    def points(self) -> list[Point]:
        return [Point(**each) for each in self.scalars.get("points", [])]

    @property
    def said(self) -> list[str]:
        """Every sentence since the row before, this one's own last."""
        return [*self.scalars.get("said", []), *([self.message] if self.message else [])]


def counts_on(earlier: str, later: str) -> bool:
    """Whether the second sentence is the first one's count, gone on: "17 of 120 images", then "18 of 120 images"."""
    before, after = (COUNT.fullmatch(each) for each in (earlier, later))
    return before is not None and after is not None and before["all"] == after["all"]


@again
def submit(job_id: str, kind: str, queue: str, payload: dict[str, Any], *, project: str | None = None,
           not_before: float = 0.0, priority: int = 0) -> bool:
    """Add a job; False if that id is there already (a double click is one job). UserError where little room is left."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", job_id):
        raise ValueError(f"a job's id has 8-64 letters, digits, _ or -; found {job_id!r}")
    refused = little_room()
    if refused is not None:
        raise refused
    with rows(job_id, write=True) as (db, now):
        return db.execute(
            "INSERT OR IGNORE INTO jobs (id, kind, queue, project, payload, state, priority, not_before, made)"
            " VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?)",
            [job_id, kind, queue, project, json.dumps(payload), priority, not_before, now]).rowcount == 1


def get(job_id: str) -> Job:
    """KeyError if there is no such job."""
    with rows(job_id) as (db, _):
        for row in db.query("SELECT * FROM jobs WHERE id = ?", [job_id]):
            return _job(row)
    raise KeyError(job_id)


def jobs(*, state: State | tuple[State, ...] | None = None, project: str | None = None, queue: str | None = None,
         most: int | None = None, seen: Callable[[Job], bool] = lambda job: True) -> list[Job]:
    """Jobs, newest first; those that wait stand in the order in which they will run among themselves.

    state  one, or several: whoever looks every second asks for GOING alone, since those that have ended only grow
    most   so many of the newest; None for all
    seen   of those that it holds for; no more are read than that takes
    """
    states = (state,) if isinstance(state, str) else state or ()
    wanted = {"project": project, "queue": queue} | {f"state{n}": each for n, each in enumerate(states)}
    given = {name: value for name, value in wanted.items() if value is not None}
    where = [f"{name} = :{name}" for name in ("project", "queue") if name in given]
    where += [f"state IN ({', '.join(f':state{n}' for n in range(len(states)))})"] if states else []
    with rows(states=states) as (db, _):
        listed = map(_job, db.query(f"SELECT * FROM jobs WHERE {' AND '.join(where) or '1'} ORDER BY number DESC",
                                    given))
        found = list(itertools.islice(filter(seen, listed), most))
    ahead = iter(sorted((each for each in found if each.state in WAITING), key=_turn))
    return [next(ahead) if each.state in WAITING else each for each in found]


def has(project: str, kind: str) -> bool:
    """Whether a project ever had a job of that kind."""
    with rows() as (db, _):
        return db["jobs"].count_where("project = ? AND kind = ?", [project, kind]) > 0


def _turn(job: Job) -> tuple[bool, float, int, int]:
    later = job.not_before if job.not_before > time.time() else 0.0
    return job.is_paused, later, -job.priority, job.number


def _job(row: dict[str, Any]) -> Job:
    texts = {name: read(row[name]) if row[name] else None for name in ("payload", "error", "result")}
    return Job(**(row | texts))


@functools.lru_cache(maxsize=512)
def read(text: str) -> Any:
    """Screens ask for the same jobs every second, and a job's own texts are most of the work: nobody changes what is
    read here."""
    return json.loads(text)


_READY = ("queue = :queue AND state IN ('queued', 'interrupted') AND not_before <= :now AND paused IS NULL"
          " AND (:longest IS NULL OR coalesce(json_extract(payload, '$.seconds'), 1e12) <= :longest)")


def due(queue: str, longest: float | None = None) -> int:
    """How many jobs of that queue could start now; with `longest`, those foreseen to take at most so many seconds."""
    with rows(states=WAITING) as (db, now):
        return db["jobs"].count_where(_READY, {"queue": queue, "now": now, "longest": longest})


@again
def claim(queue: str, owner: str, lease: float, longest: float | None = None) -> Job | None:
    """Take the next job that is due: running from here on, under a token of its own. None if there is none."""
    with rows(states=WAITING, write=True) as (db, now):
        for row in db.query(f"SELECT id FROM jobs WHERE {_READY} ORDER BY priority DESC, number LIMIT 1",
                            {"queue": queue, "now": now, "longest": longest}):
            db.execute("UPDATE jobs SET state = 'running', token = token + 1, attempt = attempt + 1, owner = ?,"
                       " lease = ?, started = ?, heartbeat = ?, beat = beat + 1, pid = NULL, pid_started = NULL,"
                       " gained = 0, heard = NULL, resting = NULL, stage = '', fraction = 0, message = ''"
                       " WHERE id = ?", [owner, lease, now, now, row["id"]])
            return _job(next(db.query("SELECT * FROM jobs WHERE id = ?", [row["id"]])))
    return None


def own(job_id: str, token: int, pid: int, pid_started: float) -> bool:
    """Record the process that works on this attempt."""
    return _change(job_id, token, "pid = :pid, pid_started = :since", pid=pid, since=pid_started)


@again
def pulse(job_id: str, token: int, row: Progress | None = None, *,
          heard: bool = False) -> Answer:
    """Heartbeat of an attempt, with its newest progress where there is any (its seq and attempt are given here).

    returns  "lost" if the job belongs to another attempt now (write nothing more), "stop" or "pause" if somebody asked
             to (or the quiet hours have begun), "later" if somebody paused what goes on after a stop
    """
    with rows(job_id, write=True) as (db, now):
        sets = "beat = beat + 1, heartbeat = :now, heard = CASE WHEN :heard THEN coalesce(heard, :now) ELSE heard END"
        values = {"now": now, "heard": heard, "id": job_id, "token": token}
        if row is not None:
            sets += (", message = CASE WHEN :message = '' AND stage = :stage THEN message ELSE :message END"
                     ", stage = :stage, fraction = :fraction"
                     ", gained = CASE WHEN :fraction >= reached + :gain THEN 1 ELSE gained END"
                     ", reached = CASE WHEN :fraction >= reached + :gain THEN :fraction ELSE reached END")
            values |= {"stage": row.stage, "fraction": row.fraction, "message": row.message, "gain": GAIN}
        if not db.execute(f"UPDATE jobs SET {sets} WHERE id = :id AND token = :token AND state = 'running'",
                          values).rowcount:
            return "lost"
        if row is not None:
            db.execute("INSERT INTO progress SELECT id,"
                       " 1 + coalesce((SELECT max(seq) FROM progress WHERE job = id), 0),"
                       " ?, attempt, ?, ?, ?, ? FROM jobs WHERE id = ?",
                       [now, row.stage, row.fraction, row.message, json.dumps(row.scalars), job_id])
        stop, paused, resting = db.execute("SELECT stop, paused, resting FROM jobs WHERE id = ?", [job_id]).fetchone()
        if stop is not None:
            return "stop" if paused is None else "later"
        return "go" if paused is None and resting is None else "pause"


def finish(job_id: str, token: int, state: State, *, result: dict[str, Any] | None = None,
           error: dict[str, str] | None = None) -> bool:
    """End an attempt's job for good; False if it belongs to another attempt now, and nothing was written."""
    return _change(job_id, token, "state = :state, ended = max(:now, started), result = :result, error = :error,"
                   " owner = NULL, pid = NULL, paused = NULL", state=state,
                   result=json.dumps(result) if result else None, error=json.dumps(error) if error else None)


@again
def give_back(job_id: str, token: int, *, state: State = "queued", counted: bool = True, wait: float = 0.0,
              halve: bool = False, error: dict[str, str] | None = None) -> State | None:
    """An attempt ended without an answer: queue its job again, or fail it after three attempts without progress.

    counted  False where the job is not to blame (shutdown, full disk);  wait  seconds before the next attempt
    halve    True where the next attempt begins anew with half the rows a step, as the memory ran out
    error    what to tell when it has failed
    returns  the new state; None if the job belongs to another attempt now
    """
    with rows(job_id, write=True) as (db, now):
        for row in db.query("SELECT fruitless, gained, stop FROM jobs WHERE id = ? AND token = ? AND state = 'running'",
                            [job_id, token]):
            fruitless = 0 if row["gained"] else row["fruitless"] + counted
            if row["stop"] is not None:
                state = "stopped"
            elif fruitless >= ATTEMPTS:
                state = "failed"
            over = state in ENDED
            # the token is raised: whatever is left of this attempt can write nothing from here on
            db.execute("UPDATE jobs SET state = ?, fruitless = ?, token = token + 1, owner = NULL, pid = NULL,"
                       " resting = NULL, not_before = max(not_before, ?), ended = max(?, started), error = ?,"
                       " halved = halved + ?, reached = CASE WHEN ? THEN 0 ELSE reached END WHERE id = ?",
                       [state, fruitless, now + wait if wait else 0, now if over else None,
                        json.dumps(error) if error and state == "failed" else None, halve, halve, job_id])
            return state
    return None


def put_aside(job_id: str, token: int, message: str | None = None) -> bool:
    """An attempt that was asked to stop ended with its work kept: its job waits, as paused, until somebody lets it go
    on; False if it belongs to another attempt now.   message  what is told of it, where it could not say so itself"""
    return _change(job_id, token, "state = 'interrupted', paused = :now, stop = NULL, heard = NULL, owner = NULL,"
                   " pid = NULL, token = token + 1, message = coalesce(:message, message)", message=message)


@again
def _change(job_id: str, token: int, sets: str, **values: Any) -> bool:
    with rows(job_id, write=True) as (db, now):
        return db.execute(f"UPDATE jobs SET {sets} WHERE id = :id AND token = :token AND state = 'running'",
                          values | {"id": job_id, "token": token, "now": now}).rowcount == 1


@again
def ask_stop(job_id: str, *, keep: bool = False) -> None:
    """Stop a waiting job at once; ask a running one to stop. A job that has ended stays as it is.

    keep  what a waiting job has learned is kept: it waits for its turn, and its next attempt judges and saves that
    """
    with rows(job_id, write=True) as (db, now):
        ends = "message = ''" if keep else "state = 'stopped', ended = :now"
        db.execute(f"UPDATE jobs SET {ends}, stop = coalesce(stop, :now), paused = NULL WHERE id = :id"
                   " AND state IN ('queued', 'interrupted')", {"now": now, "id": job_id})
        db.execute("UPDATE jobs SET paused = CASE WHEN stop IS NULL THEN NULL ELSE paused END, stop = coalesce(stop, ?)"
                   " WHERE id = ? AND state = 'running'", [now, job_id])  # a pause from before the stop is over


@again
def ask_pause(job_id: str) -> bool:
    """Let a waiting job not start, and a running one end at its next checkpoint, until `let_go_on`; False if it has
    ended or pauses already. A stop that waits for its turn is taken back."""
    with rows(job_id, write=True) as (db, now):
        return db.execute("UPDATE jobs SET paused = ?, stop = CASE WHEN state = 'running' THEN stop END"
                          " WHERE id = ? AND paused IS NULL"
                          " AND state IN ('queued', 'interrupted', 'running')", [now, job_id]).rowcount == 1


@again
def let_go_on(job_id: str) -> bool:
    """Take a pause back; False where there was none."""
    with rows(job_id, write=True) as (db, _):
        return db.execute("UPDATE jobs SET paused = NULL WHERE id = ? AND paused IS NOT NULL"
                          " AND state IN ('queued', 'interrupted', 'running')", [job_id]).rowcount == 1


def ask_to_rest(job_id: str, token: int) -> bool:
    """Let an attempt end at its next checkpoint and its job wait for its turn again."""
    return _change(job_id, token, "resting = coalesce(resting, :now)")


@again
def put_first(job_id: str) -> None:
    """Let a waiting job go before all others of its queue."""
    with rows(states=WAITING, write=True) as (db, _):
        db.execute("UPDATE jobs SET priority = 1 + (SELECT max(priority) FROM jobs other WHERE other.queue = jobs.queue"
                   " AND other.state IN ('queued', 'interrupted')) WHERE id = ?"
                   " AND state IN ('queued', 'interrupted')", [job_id])


@again
def put_off(job_id: str, not_before: float) -> None:
    """Let a waiting job start at that time (seconds since 1970, UTC) or later; 0 for as soon as can be."""
    with rows(job_id, write=True) as (db, _):
        db.execute("UPDATE jobs SET not_before = ? WHERE id = ? AND state IN ('queued', 'interrupted')",
                   [not_before, job_id])


def progress_since(job_id: str, seq: int = 0) -> list[Progress]:
    """Rows newer than `seq`, oldest first; 0 for all."""
    with rows(job_id, since=seq) as (db, _):
        return [Progress(**(row | {"scalars": json.loads(row["scalars"])})) for row in db.query(
            "SELECT seq, time, attempt, stage, fraction, message, scalars FROM progress"
            " WHERE job = ? AND seq > ? ORDER BY seq", [job_id, seq])]


def has_points(job_id: str) -> bool:
    """Whether a job has drawn a point of a curve, in any attempt: it has learned a round."""
    with rows(job_id, since=0) as (db, _):
        return db.execute("SELECT EXISTS (SELECT 1 FROM progress WHERE job = ?"
                          " AND json_array_length(scalars, '$.points') > 0)", [job_id]).fetchone()[0] == 1


def seconds_of_attempts(job_id: str) -> dict[int, float]:
    """Seconds from the first row of progress to the last, by attempt."""
    with rows(job_id, since=0) as (db, _):
        return {row["attempt"]: row["seconds"] for row in db.query(
            "SELECT attempt, max(time) - min(time) AS seconds FROM progress WHERE job = ? GROUP BY attempt", [job_id])}
