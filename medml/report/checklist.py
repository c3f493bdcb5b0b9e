"""What an item of a reporting guideline is, and how it is answered from a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from medml import gallery
from medml.evaluate.catalogue import many
from medml.report.wording import check
from medml.types import Check

Status = Literal["done", "needs_you", "violated", "does_not_apply"]
IN_WORDS: dict[Status, str] = {"done": "done", "needs_you": "needs you", "violated": "violated",
                               "does_not_apply": "does not apply"}


@dataclass(frozen=True, slots=True)
class Answer:
    """done: the text for the paper; needs_you: the question to answer; violated: the figure that says so."""

    status: Status
    text: str


Filled = Callable[[gallery.Run], Answer]


@dataclass(frozen=True, slots=True)
class Item:
    """One item by the guideline's own number; part and topic in our words."""

    number: str
    part: str
    topic: str
    answer: Filled


def ask(question: str) -> Filled:
    """Only a person can answer this one."""
    return lambda run: Answer("needs_you", question)


def say(words: Callable[[gallery.Run], str], *checks: str, then_ask: str = "") -> Filled:
    """The run answers it; violated where one of the checks warns or blocks, with what that check found before what the
    run says of the item itself; where one could not tell, a person must answer too.

    then_ask  what the run cannot know and a person must add
    """
    def answer(run: gallery.Run) -> Answer:
        found = [one for each in checks if (one := check(run, each)) is not None]
        failed = [each for each in found if each.verdict in ("warn", "block")]
        open_ = [each for each in found if each.verdict == "could_not_tell"]
        if failed:
            return Answer("violated", _joined(_told(failed), _unsaid(words(run), failed), _told(open_), then_ask))
        if then_ask or open_:
            return Answer("needs_you", _joined(words(run), _told(open_), then_ask))
        return Answer("done", words(run))
    return answer


def _told(checks: list[Check]) -> str:
    return " ".join(f"{each.what} {each.fix}".strip() + f" ({each.id}{_counted(each)})" for each in checks)


def _counted(check: Check) -> str:
    """How many columns a check found that names them and says no figure."""
    n = int(check.figures.get("columns", 0))
    bare = not re.search(r"\d", re.sub("“[^”]*”", "", check.what))
    return f": {many(n, 'column')}" if n and bare and check.verdict != "pass" else ""


def _unsaid(text: str, failed: list[Check]) -> str:
    """What the run says of an item, without the sentences that its checks have said already."""
    for each in failed:
        text = text.replace(each.what, "").strip()
    return text


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def filled(items: Iterable[Item], run: gallery.Run) -> list[tuple[Item, Answer]]:
    """Every item with its answer from the run, in the guideline's order."""
    return [(each, each.answer(run)) for each in items]


def counted(answers: Iterable[tuple[Item, Answer]]) -> dict[Status, int]:
    """How many items have each status."""
    found: dict[Status, int] = dict.fromkeys(IN_WORDS, 0)
    for _, answer in answers:
        found[answer.status] += 1
    return {status: n for status, n in found.items() if n}
