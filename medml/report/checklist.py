"""What an item of a reporting guideline is, and how it is answered from a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from medml import gallery
from medml.report.wording import check

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
    """The run answers it; violated where one of the checks warns or blocks, with what that check found.

    then_ask  what the run cannot know and a person must add
    """
    def answer(run: gallery.Run) -> Answer:
        failed = [found for each in checks if (found := check(run, each)) and found.verdict in ("warn", "block")]
        if failed:
            return Answer("violated", " ".join(f"{each.what} {each.fix}".strip() + f" ({each.id})" for each in failed))
        if then_ask:
            return Answer("needs_you", f"{words(run)} {then_ask}")
        return Answer("done", words(run))
    return answer


def filled(items: Iterable[Item], run: gallery.Run) -> list[tuple[Item, Answer]]:
    """Every item with its answer from the run, in the guideline's order."""
    return [(each, each.answer(run)) for each in items]


def counted(answers: Iterable[tuple[Item, Answer]]) -> dict[Status, int]:
    """How many items have each status."""
    found: dict[Status, int] = dict.fromkeys(IN_WORDS, 0)
    for _, answer in answers:
        found[answer.status] += 1
    return {status: n for status, n in found.items() if n}
