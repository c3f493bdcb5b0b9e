"""A drive that does not answer holds up a thread of its own, never the screen that asked."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from medml import rights
from medml.errors import UserError

Answer = TypeVar("Answer")
LOOK = 5.0  # seconds for a look at a folder
READ = 20.0  # seconds for rows of a table or some pictures
MOST_HUNG = 16  # threads that may hang at a time; beyond it nobody waits any more
_hung: set[threading.Thread] = set()


def within(seconds: float, act: Callable[..., Answer], *given: Any) -> Answer:
    """What `act` returns or raises; it may need who asks, and nothing else of the session: it runs in another thread.

    raises  UserError where it has not ended by then; it is left to end by itself
    """
    _hung.difference_update([each for each in tuple(_hung) if not each.is_alive()])  # another session may add to it
    if len(_hung) >= MOST_HUNG:
        raise _no_answer(0.0)
    ended: dict[str, Any] = {}

    def run() -> None:
        try:
            ended["answer"] = act(*given)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever asked
            ended["error"] = error
    by_them = rights.as_now(run)  # the screen's own thread alone says whose it is
    thread = threading.Thread(target=contextvars.copy_context().run, args=(by_them,), name="drive", daemon=True)
    thread.start()
    thread.join(seconds)
    if "error" in ended:
        raise ended["error"]
    if "answer" not in ended:
        _hung.add(thread)
        raise _no_answer(seconds)
    return ended["answer"]


def _no_answer(seconds: float) -> UserError:
    waited = f" within {seconds:.0f} seconds" if seconds else ""
    return UserError(what=f"The drive that holds this folder did not answer{waited}.", code="slow_drive",
                     fix="Check that it is connected, then try again. Nothing was changed, and what runs goes on.")
