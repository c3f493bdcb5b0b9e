"""How MedML's own folder stands, in sentences: a damaged database that was mended, little room on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from medml import rights, room, store
from medml.home import state
from medml.store import whole


@dataclass(frozen=True, slots=True)
class Note:
    """What happened and what to do.   until_read  True: told until somebody says to have read it"""

    what: str
    fix: str
    until_read: bool = False


def notes() -> list[Note]:
    """What a person should know before they start new work; empty on most days."""
    found, little = [mended()], room.little_room()
    if little is not None:
        found.append(Note(little.what, little.fix))
    return [each for each in found if each is not None]


def has_been_read() -> None:
    """Somebody who looks after MedML has read it: it is told no more, to nobody."""
    rights.require("settings")
    whole.has_been_read()


def loss_has_been_seen() -> None:
    """As `has_been_read`, of what the shared queue has lost."""
    rights.require("settings")
    store.seen()


def mended() -> Note | None:
    """What was done about a damaged database, until somebody says to have read it."""
    done = whole.note()
    return None if done is None else _in_words(done)


def _in_words(mended: whole.Mended) -> Note:
    when = f"{datetime.fromtimestamp(mended.when):%d %B, %H:%M}"
    aside = f"The damaged file was kept: {state() / mended.aside}."
    if mended.copied is None:
        return Note(f"On {when} MedML's list of jobs was found damaged. There was no copy of it, so it was begun anew.",
                    f"Projects and models are as they were. Start again what had not begun. {aside}", True)
    copied = f"{datetime.fromtimestamp(mended.copied):%d %B, %H:%M}"
    return Note(f"On {when} MedML's list of jobs was found damaged, and the copy of {copied} was put in its place.",
                f"Projects and models are as they were. What was queued, asked or changed in accounts after {copied} "
                f"is missing: do it again. {aside}", True)
