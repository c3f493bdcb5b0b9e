"""The queue: huey on a file of its own, or on the Redis that several machines share. It carries a job's id alone; the
truth is medml.store's table.

A message is a nudge: whoever gets one takes the job whose turn it is. A lost message costs a second (`heal`), a
message too many costs nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from huey import Huey, RedisHuey, SqliteHuey
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer

from medml import store
from medml.errors import UserError
from medml.home import home
from medml.store import whole
from medml.store.link import link
from worker import rest
from worker.jobs import WORKERS

log = logging.getLogger(__name__)


def path() -> str:
    return str(home() / "queue.db")


class Plain(Serializer):
    """A message as JSON: huey's own way is pickle, and whoever can write to the queue could run code by it."""

    def _serialize(self, message: Message) -> bytes:
        return json.dumps([message.id, message.name, *message.args]).encode()

    def _deserialize(self, content: bytes) -> Message:
        name_of_message, task, *arguments = json.loads(content)
        return Message(id=name_of_message, name=task, retries=0, retry_delay=0, args=tuple(arguments), kwargs={})


def queue(name: str) -> Huey:
    """The huey of that name on this home's queue file, or on the queue that several machines share."""
    return _shared(name, os.environ["MEDML_QUEUE"]) if store.is_shared() else _queue(name, path())


@cache
def _shared(name: str, url: str) -> RedisHuey:
    return _with_task(RedisHuey(f"medml.{name}", connection_pool=link().connection_pool, results=False, utc=True,
                                serializer=Plain()), name)


@cache
def _queue(name: str, file: str) -> Huey:
    with contextlib.suppress(FileExistsError):  # made before huey makes it, so that its mode is ours
        # Only then: closing a second handle on an open database drops the locks of this whole process (POSIX)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return _with_task(SqliteHuey(name, filename=file, timeout=5, results=False, utc=True, serializer=Plain()), name)


def _with_task(made: Huey, name: str) -> Huey:
    made.run_job = made.task(name="run_job")(lambda job_id: _runner(name))
    return made


def mend() -> None:
    """Before a worker begins: a queue file that cannot be read is made anew. It carries ids only: nothing is lost."""
    if Path(path()).exists() and not whole.is_sound(Path(path())):  # a look would make it, with the system's mode
        log.error("the queue's file was damaged and is made anew")
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path() + suffix)


def _runner(queue_name: str) -> None:
    raise RuntimeError("only a worker runs jobs")


def run_with(runner: Callable[[str], object]) -> None:
    """Let messages of this process's consumers be answered by `runner`, which is given the queue's name."""
    global _runner
    _runner = runner


def nudge(job_id: str, queue_name: str) -> None:
    """Tell a worker at once. A queue that cannot be written is no loss: the worker looks at the table every second."""
    try:
        with store.in_words():
            queue(queue_name).run_job(job_id)
    except (UserError, store.DatabaseError, HueyException, OSError) as error:
        log.warning("no nudge for job %s: %s", job_id, type(error).__name__)


def heal() -> None:
    """Nudge where a job is due and no message waits: after a crash, at a set hour, after a change of order."""
    for name in WORKERS:
        if store.due(name, rest.longest(name)) and not waiting(name):
            nudge("due", name)


def waiting(name: str) -> int:
    """Messages that nobody has taken yet. UserError while the shared queue cannot be reached."""
    with store.in_words():
        return queue(name).pending_count()
