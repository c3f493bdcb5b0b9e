"""A drive that does not answer holds up a thread of its own, never the screen that asked, nor what lies elsewhere."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil

from medml import rights
from medml.errors import UserError

Answer = TypeVar("Answer")
LOOK = 5.0  # seconds for a look at a folder
READ = 20.0  # seconds for rows of a table or some pictures
MOST_HUNG = 8  # threads that may hang at a time on one drive; beyond it nobody waits for that drive any more
_hung: dict[threading.Thread, str] = {}  # and the drive that each hangs on


def within(seconds: float, act: Callable[..., Answer], *given: Any) -> Answer:
    """What `act` returns or raises; it may need who asks, and nothing else of the session: it runs in another thread.

    given   its arguments; the first that is an absolute path, or has one as its `source`, says which drive it touches
    raises  UserError where it has not ended by then; it is left to end by itself
    """
    drive = _drive(given)
    for each in tuple(_hung):  # another session may add to it
        if not each.is_alive():
            _hung.pop(each, None)
    if sum(each == drive for each in tuple(_hung.values())) >= MOST_HUNG:
        raise _no_answer(0.0)
    beside = Beside(act, *given)
    if not beside.is_over(seconds):
        _hung[beside.thread] = drive
        raise _no_answer(seconds)
    return beside.answer()


class Beside:
    """What is done in a thread of its own while the screen goes on, by who acts now; it ends by itself."""

    def __init__(self, act: Callable[..., Any], *given: Any) -> None:
        self._ended: dict[str, Any] = {}

        def run() -> None:
            try:
                self._ended["answer"] = act(*given)
            except BaseException as error:  # noqa: BLE001 - raised again by whoever asked
                self._ended["error"] = error
        by_them = rights.as_now(run)  # the screen's own thread alone says whose it is
        self.thread = threading.Thread(target=contextvars.copy_context().run, args=(by_them,), name="drive",
                                       daemon=True)
        self.thread.start()

    def is_over(self, seconds: float = 0.0) -> bool:
        """Whether it has ended, waiting so long for it."""
        self.thread.join(seconds)
        return bool(self._ended)

    @property
    def has_failed(self) -> bool:
        return "error" in self._ended

    def answer(self) -> Any:
        """What it returned or raises, once it is over."""
        if "error" in self._ended:
            raise self._ended["error"]
        return self._ended["answer"]


def _drive(given: tuple[Any, ...]) -> str:
    """Where what a call touches is mounted, told by names alone, since a look would hang; "" where none is named."""
    for each in given:
        named = each[0] if isinstance(each, list) and each else getattr(each, "source", each)
        if isinstance(named, (str, Path)) and os.path.isabs(named):
            return max((top for top in _mounts() if _lies_in(str(named), top)), key=len, default="")
    return ""


def _mounts() -> list[str]:
    return [each.mountpoint for each in psutil.disk_partitions(all=True)]


def _lies_in(path: str, top: str) -> bool:
    path, top = os.path.normcase(path), os.path.normcase(top)
    return path == top or path.startswith(top if top.endswith(os.sep) else top + os.sep)


def _no_answer(seconds: float) -> UserError:
    waited = f" within {seconds:.0f} seconds" if seconds else ""
    return UserError(what=f"The drive that holds this folder did not answer{waited}.", code="slow_drive",
                     fix="Check that it is connected, then try again. Nothing was changed, and what runs goes on.")
