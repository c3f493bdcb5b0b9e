"""One question, one answer: by a model where there is one, by the built-in adviser otherwise. Nothing is done."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from medml.copilot import chat
from medml.copilot.acting import Acted, act, asked_change, form, wants_change
from medml.copilot.adviser import advise
from medml.copilot.chat import Model, Settings, Unavailable
from medml.copilot.facts import Snapshot, Stage
from medml.copilot.intents import asks_meaning, intents
from medml.copilot.invented import invented
from medml.copilot.knowledge import Passage
from medml.copilot.prompting import ON_CPU, ON_GPU, Budget, Message, Prompt, again, prompt
from medml.copilot.proposal import Proposal
from medml.copilot.repair import faults, repair, unexplained
from medml.copilot.told import as_text
from medml.evaluate.words import METRICS
from medml.families.family import plainly
from medml.value import Value

ADVISER = "the built-in adviser"
_NUMBERED = re.compile(r"( ?)\[(\d{1,2})\]")
CHOOSING = 15.0  # seconds for a server to say what it has; one that drips would else be waited for without end


class Answer(Value):
    """What is shown, kept and printed.

    text      Markdown: at most 10 lines, bullets and "Next step: …", no link, picture, code or HTML
    tier      who answered;   model  its name;   why  why no model did, in words ("" where none was asked)
    read      the exact prompt, for "What did it read?"; None where no model was asked
    form      the one of the form by which a model proposes a change; None where none was asked for
    facts     of the adviser: the snapshot in words, all that it read
    passages  what the answer rests on;   proposal  a change to show as a button
    """

    text: str
    tier: Literal["model", "adviser"]
    model: str = ""
    why: str = ""
    read: Prompt | None = None
    form: Prompt | None = None
    facts: str = ""
    passages: list[Passage] = []
    proposal: Proposal | None = None
    first_after: float | None = None  # seconds to the first piece shown

    @property
    def by(self) -> str:
        """Who answered, as it is shown."""
        return self.model if self.tier == "model" else ADVISER

    def as_read(self) -> str:
        """Everything that was read for this answer: by a model, and by the adviser where it answered."""
        sent = [each.as_read() for each in (self.read, self.form) if each is not None]
        return "\n\n".join([*sent, *([f"[{ADVISER}]\n{self.facts}"] if self.facts else [])])


@dataclass(frozen=True, slots=True)
class Event:
    """While an answer comes. text: one more piece; wait: nothing yet; again: forget what was shown, it starts anew."""

    kind: Literal["text", "wait", "again"]
    text: str = ""


Asking = Generator[Event, None, Answer]


def ask(snapshot: Snapshot, stage: Stage, question: str, *, history: Sequence[Message] = (),
        passages: Sequence[Passage] = (), settings: Settings | None = None, use_model: bool = True) -> Asking:
    """Answer a question: yields Events, returns the Answer. Close the generator to stop; nothing is kept then.

    A model's answer is checked and mended; one that cannot be is asked for once more, then the adviser answers. No
    server, no model, a time-out, garbage: the adviser answers at once, and `why` says so.
    """
    if not use_model:
        return by_rules(snapshot, stage, question, passages)
    settings = settings or Settings()
    try:
        chosen = yield from _waiting(lambda: chat.choose(settings))
        budget = ON_GPU if chosen.on_gpu else ON_CPU
        read = prompt(snapshot, stage, question, passages=passages, history=history, budget=budget)
        started, came = time.monotonic(), (yield from _checked(read, budget, chosen.name, snapshot, settings))
        if came.refused:
            return by_rules(snapshot, stage, question, passages, came.refused, came.read)
        acted = Acted(None, None)
        if wants_change(question) and snapshot.run is not None:
            acted = yield from _acting(snapshot, question, chosen.name, settings)
        text, used = _used(came.text, came.read.passages)
        return Answer(text=text, tier="model", model=chosen.name, read=came.read, form=acted.read, passages=used,
                      proposal=acted.proposal or asked_change(snapshot, question),  # a small model fills in no form
                      first_after=None if came.first is None else round(came.first - started, 3))
    except Unavailable as absent:
        return by_rules(snapshot, stage, question, passages, absent.why)


def _used(text: str, passages: Sequence[Passage]) -> tuple[str, list[Passage]]:
    """The passages that an answer names, and the answer with their places among these as numbers; a number that no
    passage has is taken out."""
    used = [number for number, each in enumerate(passages, start=1)
            if f"[{number}]" in text or each.title.lower() in text.lower()]
    places = {str(number): place for place, number in enumerate(used, start=1)}
    text = _NUMBERED.sub(lambda found: f"{found[1]}[{places[found[2]]}]" if found[2] in places else "", text)
    return text, [passages[number - 1] for number in used]


def answer(asking: Asking) -> Answer:
    """Run a question to its end without showing it as it comes."""
    while True:
        try:
            next(asking)
        except StopIteration as end:
            return end.value


def by_rules(snapshot: Snapshot, stage: Stage, question: str, passages: Iterable[Passage] = (), why: str = "",
             read: Prompt | None = None) -> Answer:
    """The adviser's answer, with one of the clinician's own documents where one speaks of the question; a question on
    the program itself is answered from its help pages."""
    advised = advise(snapshot, stage, question)
    found = list(passages)
    own = [each for each in found if each.kind == "document"][:1]
    if not own and _is_elsewhere(question):
        own = [each for each in found if each.kind == "help"][:1]
    lines = advised.text.split("\n")
    if own and own[0].kind == "help":
        lines = [repair(f"- **{own[0].place}**: {_start(own[0].text, 380)}"),
                 f"Next step: open {own[0].place} and try it."]
    elif own and len(lines) < 10:
        lines.insert(-1, _quoted(own[0], snapshot))
    asked = asked_change(snapshot, question)
    if asked is not None:
        before, after = plainly(asked.before), plainly(asked.after)
        lines = [f"- **{asked.title}** is {before} now and would be {after}; nothing is changed until you say so.",
                 *lines[-9:-1], f"Next step: say yes to {after} if that is what you want, then train."]
    facts = "" if snapshot.is_empty else as_text(snapshot, stage, question, ON_GPU.snapshot)
    return Answer(text="\n".join(lines), tier="adviser", why=why, read=read, facts=facts, passages=own,
                  proposal=asked or advised.proposal)


def _quoted(document: Passage, snapshot: Snapshot) -> str:
    """A line that quotes a document; one that speaks of doses or of a patient is pointed to alone."""
    line = repair(f"- **{document.title}** {document.place}: {_start(document.text)}")
    wrong = faults(f"{line}\nNext step: look.", snapshot.names)
    return repair(f"- **{document.title}** {document.place} may speak of this; it is shown below.") if wrong else line


def _is_elsewhere(question: str) -> bool:
    """Whether a question asks for nothing of this work: neither what it is about is known, nor a word's meaning."""
    return not intents(question) and not asks_meaning(question)


def _start(text: str, most: int = 240) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"


@dataclass(frozen=True, slots=True)
class Checked:
    """A mended answer, the prompt that it answers, and when its first piece was shown.

    refused  why it is not shown, its second try having faults too, in words; "" where it may be
    """

    text: str
    read: Prompt
    first: float | None
    refused: str = ""


def _checked(read: Prompt, budget: Budget, model: str, snapshot: Snapshot, settings: Settings,
             ) -> Generator[Event, None, Checked]:
    """Ask, mend, check, and ask once more where something is wrong."""
    sent, first = read, None
    terms = sorted({*snapshot.names, *(each.title for each in METRICS.values())}, key=lambda each: -len(each))
    for _ in range(2):
        said, began = yield from _streamed(sent, model, settings)
        first, answered, mended = first or began, sent, repair(said.text, terms)
        wrong = [*faults(mended, snapshot.names), *unexplained(mended, snapshot.names),
                 *([] if said.is_whole else ["It was cut: answer in half as many words."])]
        figures = made_up(mended, read, snapshot)
        if not wrong and not figures:
            return Checked(mended, answered, first)
        yield Event("again")
        sent = again(read, said.text, [*wrong, *figures], budget)
    return Checked(mended, answered, first, "The model's answer did not keep the form." if wrong else
                   "The model's answer held figures that stand nowhere in this work.")


def _streamed(sent: Prompt, model: str, settings: Settings) -> Generator[Event, None, tuple[chat.Said, float | None]]:
    """(an answer as it came, when its first piece was shown)."""
    first = None
    with contextlib.closing(chat.stream(sent.as_sent(), model, settings)) as asking:  # a stop ends the server's work
        while True:
            try:
                piece = next(asking)
            except StopIteration as end:
                return end.value, first
            first = first or (time.monotonic() if piece else None)
            yield Event("wait") if piece is None else Event("text", piece)


def made_up(said: str, read: Prompt, snapshot: Snapshot) -> list[str]:
    """What to tell a model of the figures in its answer that nothing holds of what it read; [] where there are none."""
    found = invented(said, [each.content for each in read.messages[1:]], snapshot)
    return [f"What you were given does not hold these figures: {', '.join(found)}. Leave them out, or give the ones "
            "that stand there."] if found else []


def _acting(snapshot: Snapshot, question: str, model: str, settings: Settings) -> Generator[Event, None, Acted]:
    """What a model would change, else what the words themselves say."""
    read = form(snapshot, question)
    with contextlib.closing(act(snapshot, question, read, model, settings)) as asking:
        while True:
            try:
                next(asking)
            except StopIteration as end:
                return end.value
            except Unavailable:
                return Acted(asked_change(snapshot, question), read)
            yield Event("wait")


def _waiting(work: Callable[[], Model]) -> Generator[Event, None, Model]:
    """Do something beside, so that whoever shows the answer is never kept; Unavailable is passed on."""
    done: queue.Queue[Model | Unavailable] = queue.Queue()

    def run() -> None:
        try:
            done.put(work())
        except Unavailable as absent:
            done.put(absent)
        finally:
            done.put(Unavailable("The Ollama server could not be asked."))  # heard only where nothing else came

    threading.Thread(target=run, daemon=True).start()
    until = time.monotonic() + CHOOSING
    while True:
        if time.monotonic() > until:
            raise Unavailable("The Ollama server did not say in time what it has.")
        try:
            came = done.get(timeout=chat.TICK)
        except queue.Empty:
            yield Event("wait")
            continue
        if isinstance(came, Unavailable):
            raise came
        return came
