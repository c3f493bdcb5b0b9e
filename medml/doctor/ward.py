"""What a ward adds: a log that shows changes, a queue that several machines share, copies of the database by night."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from medml import audit, store
from medml.doctor import Finding, found, look
from medml.doctor.scene import Scene
from medml.store import database

DAY = 86_400.0  # seconds


@look("Files")
def audit_log(scene: Scene) -> Iterator[Finding]:
    """Gone through from the first entry to the last, and compared with its head in a second place."""
    verdict, how = audit.verify(), "Every entry's seal, and the head of the chain kept elsewhere."
    if verdict.whole:
        yield found("green", "Audit log", f"Its {verdict.count:,} entries are as they were written.", how=how)
    else:
        yield found("red", "Audit log", f"It is not as it was written. {verdict.faults[0]}", "Keep a copy of MedML's "
                    "folder as it is now, and tell whoever is in charge of security.", how=how)


@look("The queue")
def nightly_copy(scene: Scene) -> Iterator[Finding]:
    """The worker makes one a night; it comes back by itself where the database is damaged."""
    copies, how = database.copies(), "The copies in MedML's folder."
    if not copies:
        yield found("amber", "Copy of the database", "There is none yet.",
                    "The worker makes the first one as it starts.", how=how)
        return
    made = copies[0].stat().st_mtime
    when = f"{datetime.fromtimestamp(made):%d %B at %H:%M}"
    if time.time() - made > 3 * DAY:
        yield found("amber", "Copy of the database", f"The latest is of {when}.", "Leave MedML running over a night, "
                    "or make a backup now: python -m medml backup FILE.", how=how)
    else:
        yield found("green", "Copy of the database", f"The latest is of {when}.", how=how)


@look("The queue")
def shared_queue(scene: Scene) -> Iterator[Finding]:
    """Where several machines work from one queue: what its own looks find weak about it."""
    how = "MEDML_QUEUE of this process, and what that Redis says of itself."
    if not store.is_shared():
        yield found("green", "Queue of several machines", "None: this machine works alone.", how=how)
        return
    troubles = store.troubles()
    for each in troubles:
        yield found("amber", "Queue of several machines", each, "Tell whoever looks after that Redis.", how=how)
    if not troubles:
        yield found("green", "Queue of several machines", "It answers, and keeps what it is told.", how=how)
