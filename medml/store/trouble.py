"""What is amiss with the shared queue, in sentences for a screen."""

from __future__ import annotations

import secrets

from medml.home import state, write_bytes
from medml.store.link import ROOM, is_shared, speaking

IDENTITY = f"{ROOM}identity"  # made with the first use of a queue; another one means that the old one is gone


def troubles() -> list[str]:
    """How the shared queue is set up where that loses jobs, and whether it did. Nothing where nothing is shared.

    raises  UserError where it cannot be reached
    """
    if not is_shared():
        return []
    with speaking() as redis:
        kept, memory = redis.info("persistence"), redis.info("memory")
        redis.set(IDENTITY, secrets.token_hex(8), nx=True)
        identity = redis.get(IDENTITY)
    found = []
    if _was_replaced(identity):
        found.append("The shared queue has lost its list of jobs: what waited has to be started again. Finished models "
                     "are whole.")
    if not kept.get("aof_enabled"):
        found.append("The shared queue forgets its jobs when it is restarted: set “appendonly yes” in its settings.")
    if memory.get("maxmemory") and memory.get("maxmemory_policy") != "noeviction":
        found.append("The shared queue drops jobs when its memory is full: set “maxmemory-policy noeviction”.")
    return found


def _was_replaced(identity: bytes) -> bool:
    """Whether this machine knew another list of jobs than the one that is there; said until `seen`."""
    file = state() / "queue.identity"
    if not file.exists():
        write_bytes(file, identity)
    return file.read_bytes() != identity


def seen() -> None:
    """Somebody has read that the list was lost."""
    (state() / "queue.identity").unlink(missing_ok=True)
