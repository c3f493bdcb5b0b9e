"""A process says, again and again, that its guard holds: tried then and there, for the Privacy screen and `doctor`."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from medml import egress, store
from medml.errors import UserError
from medml.store import vitals

log = logging.getLogger(__name__)
EVERY = 60.0  # seconds between two tries
STALE = 150.0  # seconds after which a process that has said nothing is not believed to be well


def tell(role: str, facts: Callable[[], dict[str, Any]] | None = None) -> None:
    """Try the guard of this process and write down what came of it. What cannot be written is left for the next time.

    facts  what else there is to say: settings, never data
    """
    told = {"guarded": egress.holds()} | (facts() if facts else {})
    try:
        vitals.tell(role, os.getpid(), told)
    except (UserError, store.DatabaseError) as error:
        log.warning("could not tell how this process is: %s", type(error).__name__)


def keep_telling(role: str, facts: Callable[[], dict[str, Any]] | None = None) -> None:
    """From here on, beside the work of this process, until it ends."""
    def again() -> None:
        while True:
            tell(role, facts)
            _never.wait(EVERY)
    threading.Thread(target=again, name="vitals", daemon=True).start()


_never = threading.Event()
