"""The way to a queue that several machines share: `MEDML_QUEUE=redis://host[:port]/db` (or rediss, with TLS).

Only addresses of this machine, or such as an administrator listed in MEDML_ALLOW_HOSTS, are ever spoken to. What Redis
holds is what medml.db would hold: ids, settings, progress; no patient's value.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from medml import egress
from medml.errors import UserError

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

AWAY = "queue_away"  # code of the error while the shared queue cannot be reached: what needs it waits
CONNECT, ANSWER = 2.0, 10.0  # seconds to wait for a connection, and for an answer
HELD, RENEW = 30.0, 8.0  # seconds after which a lock of a machine that died is free; between two renewals
ROOM = "medml:"  # every key of ours begins so
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
EXTEND = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"


def is_shared() -> bool:
    """Whether several machines work from one queue."""
    return bool(os.environ.get("MEDML_QUEUE"))


def address() -> str:
    """host:port/db of the shared queue, without name or password, for a screen or a log."""
    parts = _parts()
    return f"{parts.hostname}:{parts.port or 6379}{parts.path or '/0'}"


def check() -> None:
    """Refuse a shared queue that is set up wrongly, in words, before anything speaks to it. Nothing to do without one.

    raises  UserError: not an address of Redis, one that nobody allowed, no folder of this machine's own
    """
    if not is_shared():
        return
    parts = _parts()
    if not egress.may_reach(parts.hostname or ""):
        raise UserError(what=f"The shared queue lies on “{parts.hostname}”, which no administrator allowed.",
                        fix="Add that name to MEDML_ALLOW_HOSTS, or take MEDML_QUEUE away to work on this machine "
                            "alone.", code="not_allowed")
    if not os.environ.get("MEDML_STATE"):
        raise UserError(what="This machine has no folder of its own for what is not shared.",
                        fix="Set MEDML_STATE to a folder on its own disk; MEDML_HOME stays the shared one.",
                        code="no_state")


def _parts() -> Any:
    parts = urlsplit(os.environ["MEDML_QUEUE"])
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or not _has_port(parts):
        raise UserError(what="MEDML_QUEUE is not the address of a Redis.",
                        fix="Write redis://host:port/0, or rediss://host:port/0 with TLS.", code="no_address")
    return parts


def _has_port(parts: Any) -> bool:
    """Whether the port is a number that a port can have, or none is written."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def link() -> Redis:
    """The connections of this process to the shared queue."""
    check()
    return _link(os.environ["MEDML_QUEUE"], os.environ.get("MEDML_QUEUE_PASSWORD_FILE", ""))


@functools.cache
def _link(url: str, password_file: str) -> Redis:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    more = {"password": _password(Path(password_file))} if password_file else {}
    name = urlsplit(url).username
    if name and password_file:
        more["username"] = unquote(name)
    made = redis.Redis.from_url(url, decode_responses=False, socket_connect_timeout=CONNECT, socket_timeout=ANSWER,
                                retry=Retry(NoBackoff(), 1))
    made.connection_pool.connection_kwargs.update(more)
    return made


def _password(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(what=f"The file with the password of the shared queue cannot be read: {file}",
                        fix="Give MEDML_QUEUE_PASSWORD_FILE the path of a text file that this account may read.",
                        code="no_password") from error


@contextlib.contextmanager
def speaking() -> Iterator[Redis]:
    """Speak to the shared queue. UserError in words where it cannot be reached, refuses us, or is full."""
    import redis

    try:
        yield link()
    except redis.AuthenticationError as error:
        raise UserError(what=f"The shared queue on {address()} does not know our password.", code="no_permission",
                        fix="Put the right one into MEDML_QUEUE, or into the file that MEDML_QUEUE_PASSWORD_FILE "
                            "names.") from error
    except redis.ResponseError as error:
        if not str(error).startswith(("OOM", "MISCONF", "LOADING", "READONLY")):
            raise
        raise _away("takes nothing at the moment: it is full, starting, or a copy") from error
    except redis.RedisError as error:
        raise _away("cannot be reached") from error


def _away(how: str) -> UserError:
    return UserError(what=f"The shared queue on {address()} {how}.", code=AWAY,
                     fix="Nothing was lost: work that runs goes on to its checkpoint and waits. Try again in a moment.")


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Around what may speak to the shared queue by itself, such as huey; no more than a block where nothing is shared.

    raises  UserError as `speaking` does
    """
    if not is_shared():
        yield
        return
    with speaking():
        yield


def now_of(speaker: Redis | Pipeline) -> float:
    """Seconds since 1970 by the server's clock: the one that all machines share."""
    seconds, micro = speaker.time()
    return seconds + micro / 1e6


def clock() -> float:
    """The time that all who share the queue agree on; this machine's where nothing is shared."""
    if not is_shared():
        return time.time()
    with speaking() as redis:
        return now_of(redis)


@contextlib.contextmanager
def only_one_anywhere(name: str, wait: float) -> Iterator[bool]:
    """Hold a lock that no other process on any of the machines can hold; yields whether it was free within `wait` s.

    It ends with its holder, or HELD seconds after a holder fell silent. What is done under it ends by one rename, so
    a holder that slept longer spoils nothing.
    """
    key, mine = f"{ROOM}lock:{name}", secrets.token_hex(16)
    deadline = time.monotonic() + wait
    with speaking() as redis:
        while not (held := redis.set(key, mine, nx=True, px=int(HELD * 1000))) and time.monotonic() < deadline:
            time.sleep(0.1)
    if not held:
        yield False
        return
    over = threading.Event()
    renewing = threading.Thread(target=_renew, args=(key, mine, over), name="lock", daemon=True)
    renewing.start()
    try:
        yield True
    finally:
        over.set()
        renewing.join()
        with contextlib.suppress(UserError), speaking() as redis:  # away: it ends by itself
            redis.eval(RELEASE, 1, key, mine)


def _renew(key: str, mine: str, over: threading.Event) -> None:
    while not over.wait(RENEW):
        with contextlib.suppress(UserError), speaking() as redis:
            redis.eval(EXTEND, 1, key, mine, int(HELD * 1000))
