"""What a page draws reaches the server's loop in bundles."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable

from streamlit.runtime.app_session import AppSession

EVERY = 0.008  # seconds; what the loop was handed goes to the browsers every 10 ms, see Streamlit's runtime.py
BUNDLE = "m_bundle"  # of a session, as its attribute


def hand_over_in_bundles() -> None:
    """Wake the server's loop once for several elements.

    Streamlit wakes it for each: two threads that need the same interpreter then took turns a hundred times a click, an
    eighth of its work. The first of a bundle is handed over at once.
    """
    def soon(self: AppSession, callback: Callable[[], object]) -> None:
        if BUNDLE not in self.__dict__:
            setattr(self, BUNDLE, Bundle(self._event_loop))
        getattr(self, BUNDLE).add(callback)
    AppSession._call_soon_on_event_loop = soon


class Bundle:
    """Callbacks from any thread for one loop, run there in their order, each in the context of who added it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop, self.waiting, self.awake = loop, deque(), False

    def add(self, callback: Callable[[], object]) -> None:
        """Have it called by the loop soon; a loop that is closed calls nothing any more."""
        self.waiting.append((callback, contextvars.copy_context()))
        if not self.awake:
            self.awake = True
            try:
                self.loop.call_soon_threadsafe(self._hand_over)
            except RuntimeError:
                if not self.loop.is_closed():
                    raise

    def _hand_over(self) -> None:
        """What waits, then a look again in a moment; after one in vain the next callback wakes the loop."""
        if not self.waiting:
            self.awake = False  # from here on `add` wakes; what was added just before is seen in the next line
        if not self.waiting:
            return
        self.awake = True
        while self.waiting:
            callback, context = self.waiting.popleft()
            self.loop.call_soon(callback, context=context)
        self.loop.call_later(EVERY, self._hand_over)
