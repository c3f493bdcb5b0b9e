"""What was asked and answered in a project, and which proposals were accepted. It belongs to the project and goes with
it; a run that is asked about by itself has a history of its own."""

from __future__ import annotations

from pydantic import ValidationError

from medml import rights
from medml.copilot.facts import Stage
from medml.copilot.prompting import Message
from medml.copilot.proposal import Proposal
from medml.copilot.talk import Answer
from medml.store import copilot as store
from medml.value import Value

REMEMBERED = 6  # earlier questions that a model is told of, as far as they fit
LONGEST_QUESTION = 2_000  # characters that are kept


class Turn(Value):
    """One question with its answer; time in seconds since 1970, UTC."""

    number: int
    time: float
    stage: str
    question: str
    answer: Answer


def remember(owner: str, stage: Stage, question: str, answer: Answer) -> None:
    """Keep a question and its answer, the exact prompt with it. owner: a project's or a run's id."""
    rights.require_talk(owner)
    store.add_turn(owner, stage, question[:LONGEST_QUESTION], answer.model_dump_json())


def turns(owner: str, last: int = 100) -> list[Turn]:
    """The last so many, oldest first; those that another version wrote are left out."""
    rights.require_talk(owner)
    found = []
    for each in store.turns(owner, last):
        try:
            kept = Answer.model_validate_json(each.answer)
        except ValidationError:
            continue
        found.append(Turn(number=each.number, time=each.time, stage=each.stage, question=each.question, answer=kept))
    return found


def messages(owner: str) -> list[Message]:
    """The last questions and answers as `ask` takes them, oldest first."""
    return [message for each in turns(owner, REMEMBERED)
            for message in (Message(role="user", content=each.question),
                            Message(role="assistant", content=each.answer.text))]


def forget(owner: str) -> int:
    """Delete the history of a project or run for good; how many questions there were."""
    rights.require_talk(owner, "forget")
    return store.forget_turns(owner)


class Change(Value):
    """A proposal that somebody accepted by a click."""

    time: float
    proposal: Proposal


def accepted(owner: str, proposal: Proposal) -> None:
    """Write into the project's log that somebody accepted this change; whoever applies it calls this."""
    rights.require_talk(owner)
    store.add_change(owner, proposal.model_dump_json())


def changes(owner: str) -> list[Change]:
    """The project's log of accepted changes, oldest first."""
    rights.require_talk(owner)
    return [Change(time=when, proposal=Proposal.model_validate_json(change)) for when, change in store.changes(owner)]
