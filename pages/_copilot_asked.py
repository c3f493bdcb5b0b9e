"""A question that is being answered: in a thread of its own, so that no screen ever waits for it.

An answer under way belongs to its project, not to a browser's session: a reload finds it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from medml import copilot, gallery, project, rights
from medml.copilot import Answer, Model, Settings, Snapshot, Stage, Unavailable
from medml.errors import UserError, apology, our_fault

FRESH = 20.0  # seconds for which a server's list is believed
BLINK = 0.15  # seconds
_under_way: dict[str, Asked] = {}
_one_at_a_time = threading.Lock()


@dataclass(slots=True)
class Asked:
    """One question, what has come of its answer, and how it ended. `owner` is a project or a run."""

    owner: str
    stage: Stage
    question: str
    model: str | None = ""  # "": the best that fits; None: the built-in adviser, no model
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
        settings = Settings(model=self.model or "")
        passages = copilot.look_up(self.question, seen, settings=None if self.model is None else settings)
        asking = copilot.ask(seen, self.stage, self.question, history=copilot.messages(self.owner), passages=passages,
                             settings=settings, use_model=self.model is not None)
        try:
            while not self.stopping.is_set():
                event = next(asking)
                self.text = "" if event.kind == "again" else self.text + event.text
        except StopIteration as end:
            self.answer = end.value
            if not self.stopping.is_set() and _is_there(self.owner):
                copilot.remember(self.owner, self.stage, self.question, end.value)
        finally:
            asking.close()


def _is_there(owner: str) -> bool:
    """Whether what a question was asked of is still there; the history of what was deleted is not begun anew."""
    return owner == rights.talk_of_own() or gallery.is_there(owner) or owner in project.ids()


def begin(owner: str, stage: Stage, question: str, read: Callable[[], Snapshot], model: str | None = "") -> Asked:
    """Ask; where this owner's last question is still being answered, that one goes on and nothing new is asked."""
    rights.require_talk(owner)
    with _one_at_a_time:
        now = _under_way.get(owner)
        if now is not None and not now.ended.is_set():
            return now
        asked = _under_way[owner] = Asked(owner, stage, question, model)
    threading.Thread(target=rights.as_now(asked.run), args=(read,), name="co-pilot", daemon=True).start()
    return asked


def latest(owner: str) -> Asked | None:
    """The question asked last, whether or not its answer is there."""
    return _under_way.get(owner)


def dismiss(owner: str) -> None:
    """Forget the question asked last: its answer is in the history by now, or nobody wants it."""
    asked = _under_way.pop(owner, None)
    if asked is not None:
        asked.stopping.set()


class Listed:
    """The models of the server on this machine, asked for in a thread: the list is what was known a moment ago."""

    def __init__(self) -> None:
        self.models: list[Model] = []
        self.why = "Looking for models on this machine …"
        self._asked = -FRESH
        self._asking: threading.Thread | None = None

    def look(self) -> None:
        """Ask again where the list is old; waits a blink, so that a server that is well is known at once."""
        at_it = self._asking is not None and self._asking.is_alive()
        if not at_it and time.monotonic() - self._asked > FRESH:
            self._asking = threading.Thread(target=self._ask, name="models", daemon=True)
            self._asking.start()
            self._asking.join(BLINK)

    def _ask(self) -> None:
        try:
            self.models, self.why = copilot.models(), ""
        except Unavailable as absent:
            self.models, self.why = [], absent.why
        finally:
            self._asked = time.monotonic()


listed = Listed()
