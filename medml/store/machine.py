"""Which machine this is, and which machines work on the shared queue."""

from __future__ import annotations

import json
import os
import platform
import secrets
from dataclasses import dataclass

from medml.home import state, write_bytes
from medml.store.link import ROOM, is_shared, now_of, speaking

MACHINES = f"{ROOM}machines"
SILENT = 30.0  # seconds by the shared clock after which a machine counts as gone


@dataclass(frozen=True, slots=True)
class Machine:
    """One that works on the shared queue. name as a person knows it; seen: seconds since it last said so."""

    name: str
    is_here: bool
    seen: float


def mark() -> str:
    """name~identity of this machine: two with one name, or one set up anew, are never taken for one another."""
    file = state() / "machine.id"
    if not file.exists():
        write_bytes(file, secrets.token_hex(4).encode())
    return f"{name()}~{file.read_text()}"


def name() -> str:
    """What this machine is called on screens: `MEDML_MACHINE`, else the name that its system has."""
    given = os.environ.get("MEDML_MACHINE") or platform.node() or "this machine"
    return "".join(each for each in given if each.isalnum() or each in "-_.")[:40] or "machine"


def machine_of(owner: str | None) -> str:
    """The name in an attempt's owner, "" where there is none."""
    return (owner or "").rpartition("@")[2].rpartition("~")[0]


def is_here(owner: str | None) -> bool:
    """Whether that attempt is of this machine: always, where no queue is shared."""
    return not is_shared() or (owner or "").rpartition("@")[2] == mark()


def be_at_work() -> None:
    """Say that this machine's worker is at work; does nothing where no queue is shared."""
    if is_shared():
        with speaking() as redis:
            redis.hset(MACHINES, mark(), json.dumps(now_of(redis)))


def be_gone() -> None:
    """Say that this machine's worker ends."""
    if is_shared():
        with speaking() as redis:
            redis.hdel(MACHINES, mark())


def machines() -> list[Machine]:
    """Machines whose workers have been heard of within SILENT seconds, by name; [] where no queue is shared."""
    if not is_shared():
        return []
    with speaking() as redis:
        said, now = redis.hgetall(MACHINES), now_of(redis)
    known = {each.decode(): now - float(when) for each, when in said.items()}
    here = mark()
    return sorted((Machine(each.rpartition("~")[0], each == here, ago) for each, ago in known.items() if ago < SILENT),
                  key=lambda each: each.name)
