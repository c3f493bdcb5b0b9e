"""A question that is being answered: in a thread of its own, so that no screen ever waits for it.

An answer under way belongs to its project, not to a browser's session: a reload finds it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from medml import copilot
from medml.copilot import Answer, Snapshot, Stage
from medml.errors import UserError, apology, our_fault

_under_way: dict[str, Asked] = {}
_one_at_a_time = threading.Lock()


@dataclass(slots=True)
class Asked:
    """One question, what has come of its answer, and how it ended. `owner` is a project or a run."""

    owner: str
    stage: Stage
    question: str
    text: str = ""  # as it comes; somebody else's text until the answer is there
    answer: Answer | None = None
    failed: str = ""
    begun: float = field(default_factory=time.monotonic)
    stopping: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, read: Callable[[], Snapshot]) -> None:
        """To the end, or until somebody stops it. What was stopped is kept nowhere."""
        try:
            self._follow(read())
        except UserError as theirs:
            self.failed = f"{theirs.what} {theirs.fix}"
        except Exception as ours:  # noqa: BLE001 - the end of this thread
            self.failed = apology(our_fault(ours))
        finally:
            self.ended.set()

    def _follow(self, seen: Snapshot) -> None:
        settings = copilot.Settings()
        asking = copilot.ask(seen, self.stage, self.question, history=copilot.messages(self.owner),
                             passages=copilot.look_up(self.question, seen, settings=settings), settings=settings)
        try:
            while not self.stopping.is_set():
                event = next(asking)
                self.text = "" if event.kind == "again" else self.text + event.text
        except StopIteration as end:
            self.answer = end.value
            copilot.remember(self.owner, self.stage, self.question, end.value)
        finally:
            asking.close()


def begin(owner: str, stage: Stage, question: str, read: Callable[[], Snapshot]) -> Asked:
    """Ask; where this owner's last question is still being answered, that one goes on and nothing new is asked."""
    with _one_at_a_time:
        now = _under_way.get(owner)
        if now is not None and not now.ended.is_set():
            return now
        asked = _under_way[owner] = Asked(owner, stage, question)
    threading.Thread(target=asked.run, args=(read,), name="co-pilot", daemon=True).start()
    return asked


def latest(owner: str) -> Asked | None:
    """The question asked last, whether or not its answer is there."""
    return _under_way.get(owner)


def dismiss(owner: str) -> None:
    """Forget the question asked last: its answer is in the history by now, or nobody wants it."""
    asked = _under_way.pop(owner, None)
    if asked is not None:
        asked.stopping.set()
