"""The rows of jobs and progress, wherever they lie: in medml.db, or in a Redis that several machines share.

What a change means is said once, in the SQL of medml.store.jobs. In Redis a job is one JSON text; `rows` lays those
that are asked for into a table in memory, lets that SQL work on it, and writes what it changed back, all or nothing,
if nobody else wrote to one of them meanwhile (WATCH, MULTI, EXEC); else the change is made again on what is there now.

    medml:job:ID       one job, its columns as JSON    medml:jobs         every id by its number
    medml:state:STATE  the ids in that state           medml:progress:ID  a list, one row of progress each
"""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from medml.errors import UserError
from medml.store.database import STEPS, connect
from medml.store.link import ROOM, is_shared, now_of, speaking
from medml.store.sql import Database

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

Row = dict[str, Any]
Given = ParamSpec("Given")
Answer = TypeVar("Answer")
NUMBER, VERSION, ALL = f"{ROOM}number", f"{ROOM}version", f"{ROOM}jobs"
_free: deque[Database] = deque()  # tables in memory, laid and empty


class Crossed(Exception):
    """Somebody else wrote to the same job between our reading and our writing."""


def again(change: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Make a change anew as often as somebody came in between; whoever comes in has got on, so this ends."""
    @functools.wraps(change)
    def made(*args: Given.args, **more: Given.kwargs) -> Answer:
        while True:
            try:
                return change(*args, **more)
            except Crossed:
                continue
    return made


@contextlib.contextmanager
def rows(job: str | None = None, *, states: tuple[str, ...] = (), since: int | None = None,
         write: bool = False) -> Iterator[tuple[Database, float]]:
    """The tables, and the time that all who share them agree on (seconds since 1970).

    job     where Redis holds them: this job alone is in the table; else those in `states`, or all
    since   with the job's progress after that row; without it, rows written now are added to those that are there
    write   keep what changes; the function around it must be `again`
    """
    if not is_shared():
        with connect(write=write) as db:
            yield db, time.time()
        return
    with speaking() as redis, redis.pipeline() as pipe:
        _same_version(redis)
        read, now = _read(redis, pipe, job, states, write)
        with _table(read) as db:
            if since is not None:
                _lay(db, "progress", _progress(redis, job, since))
            yield db, now
            if write:
                _write_back(redis, pipe, db, {each["id"]: each for each in read})


def _same_version(redis: Redis) -> None:
    """Machines of different versions would not understand one another's rows."""
    found = int(redis.get(VERSION) or 0)
    if found > len(STEPS):
        raise UserError(what="The shared queue is used by a newer MedML.", code="newer_home",
                        fix="Bring this machine up to the same version.")
    if found < len(STEPS):
        redis.set(VERSION, len(STEPS))


def _read(redis: Redis, pipe: Pipeline, job: str | None, states: tuple[str, ...],
          write: bool) -> tuple[list[Row], float]:
    """The jobs asked for; those that may be changed are watched from before they are read."""
    if job is not None:
        ids = [job.encode()]
    elif states:
        ids = sorted(redis.sunion([f"{ROOM}state:{each}" for each in states]))
    else:
        ids = redis.zrange(ALL, 0, -1)
    keys = [f"{ROOM}job:".encode() + each for each in ids]
    reader = redis
    if write and keys:
        pipe.watch(*keys)
        reader = pipe  # what is asked on a connection that watches is answered at once
    found = reader.mget(keys) if keys else []
    return [json.loads(each) for each in found if each is not None], now_of(reader)


@contextlib.contextmanager
def _table(read: list[Row]) -> Iterator[Database]:
    try:
        db = _free.pop()
    except IndexError:
        db = Database(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False),
                      recursive_triggers=False, execute_plugins=False)
        for statement in filter(str.strip, ";".join(STEPS).split(";")):
            db.execute(statement)
    try:
        _lay(db, "jobs", read)
        yield db
    finally:
        db.execute("DELETE FROM jobs")
        db.execute("DELETE FROM progress")
        _free.append(db)


def _lay(db: Database, table: str, found: list[Row]) -> None:
    """A row of an older version lacks columns: they take what the table gives them."""
    for each in found:
        db.execute(f"INSERT INTO {table} ({', '.join(each)}) VALUES ({', '.join('?' * len(each))})", [*each.values()])


def _progress(redis: Redis, job: str, since: int) -> list[Row]:
    found = redis.lrange(f"{ROOM}progress:{job}", since, -1)
    return [json.loads(each) | {"job": job, "seq": seq} for seq, each in enumerate(found, since + 1)]


def _write_back(redis: Redis, pipe: Pipeline, db: Database, before: dict[str, Row]) -> None:
    from redis import WatchError

    after = {each["id"]: each for each in db.query("SELECT * FROM jobs")}
    changed = [each for name, each in after.items() if each != before.get(name)]
    for each in changed:
        if each["id"] not in before:
            each["number"] = redis.incr(NUMBER)
    pipe.multi()
    for each in changed:
        _put(pipe, each, before.get(each["id"]))
    for name in before.keys() - after.keys():
        pipe.delete(f"{ROOM}job:{name}", f"{ROOM}progress:{name}")
        pipe.srem(f"{ROOM}state:{before[name]['state']}", name)
        pipe.zrem(ALL, name)
    for each in db.query("SELECT * FROM progress ORDER BY job, seq"):
        named = {name: value for name, value in each.items() if name not in ("job", "seq")}  # its place is its number
        pipe.rpush(f"{ROOM}progress:{each['job']}", json.dumps(named))
    try:
        pipe.execute()
    except WatchError:
        raise Crossed from None


def _put(pipe: Pipeline, row: Row, before: Row | None) -> None:
    pipe.set(f"{ROOM}job:{row['id']}", json.dumps(row))
    if before is None:
        pipe.zadd(ALL, {row["id"]: row["number"]})
    elif before["state"] != row["state"]:
        pipe.srem(f"{ROOM}state:{before['state']}", row["id"])
    pipe.sadd(f"{ROOM}state:{row['state']}", row["id"])
