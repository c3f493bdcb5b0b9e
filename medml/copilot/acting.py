"""A change that somebody asked for, as a Proposal: by a model that fills a form, or by the words themselves."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Generator

from pydantic import BaseModel, ConfigDict, ValidationError

from medml.copilot import chat
from medml.copilot.chat import Settings
from medml.copilot.facts import Setting, Snapshot
from medml.copilot.proposal import Proposal, declared_of, propose

_CHANGE = re.compile(r"\b(?:set|change|increase|decrease|raise|lower|double|halve|reduce|switch|turn (?:on|off)|"
                     r"train (?:for|with)|make it)\b", re.IGNORECASE)
_DIGITS = r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?(?![\d.]*\d)"
_NUMBER = re.compile(rf"(?<![\w.,])({_DIGITS})", re.IGNORECASE)
_TO = re.compile(rf"^[^.;,]*?\b(?:to|at|=)\s*({_DIGITS})", re.IGNORECASE)  # "from 50 to 80" means 80
_BEFORE = re.compile(rf"(?<![\w.,])({_DIGITS})\s+$", re.IGNORECASE)
_FORM = """Fill in the form: which ONE setting the doctor wants to change, to which value, and why (one short sentence).
Only these settings exist; the value must lie in its range. If nothing fits, give "none" as parameter.
{settings}
The form as a JSON schema: {schema}"""


class Wanted(BaseModel):
    """The form that a model fills in."""

    model_config = ConfigDict(extra="forbid")

    parameter: str
    value: float | bool | str
    reason: str


def wants_change(question: str) -> bool:
    """Whether somebody asks for a setting to be changed."""
    return bool(_CHANGE.search(question))


def asked_change(snapshot: Snapshot, question: str) -> Proposal | None:
    """"Set the learning rate to 0.01": the setting that is named and the number that stands behind it, else None."""
    if snapshot.run is None or not wants_change(question):
        return None
    said = question.lower()
    for each in sorted(snapshot.run.settings, key=lambda one: -len(one.title)):
        at = _named(each, said, each.name == snapshot.run.rounds_setting)
        number = at and _meant(said, at)
        if number:
            return propose(snapshot, each.name, float(number.replace(",", "")), "asked for in these words")
    return None


def _named(setting: Setting, said: str, of_rounds: bool) -> re.Match[str] | None:
    """Where a question names the setting, the last place; None where it does not."""
    names = [setting.title.lower(), setting.name.lower(), *(["rounds", "epochs"] if of_rounds else [])]
    found = [each for name in names for each in re.finditer(rf"\b{re.escape(name)}\b", said)]
    return max(found, key=lambda each: each.end(), default=None)


def _meant(said: str, at: re.Match[str]) -> str | None:
    """The number that goes with a name: what it is set to, else the next one, else the one before ("80 rounds")."""
    rest = said[at.end():]
    found = _TO.search(rest) or _BEFORE.search(said[:at.start()]) or _NUMBER.search(rest)
    return found[1] if found else None


def act(snapshot: Snapshot, question: str, model: str, settings: Settings | None = None,
        ) -> Generator[None, None, Proposal | None]:
    """Have a model say which change is asked for, as a form; yields while it works, returns a Proposal that the family
    takes, or None. A form that cannot be read or accepted is asked for once more.

    raises  Unavailable
    """
    schema = Wanted.model_json_schema()
    messages = [{"role": "system", "content": _FORM.format(settings="\n".join(_offered(snapshot)),
                                                           schema=json.dumps(schema))},
                {"role": "user", "content": question[:1000]}]
    for _ in range(2):
        with contextlib.closing(chat.stream(messages, model, settings, schema)) as asking:
            said = yield from _whole(asking)
        try:
            wanted = Wanted.model_validate_json(said)
        except ValidationError:
            wanted = None
        if wanted is not None:
            if wanted.parameter == "none":
                return None
            proposal = propose(snapshot, wanted.parameter, wanted.value, wanted.reason)
            if proposal is not None:
                return proposal
        messages = [*messages, {"role": "assistant", "content": said[:1000]},
                    {"role": "user", "content": "That form cannot be used: an unknown setting, or a value out of its "
                                                "range. Fill it in once more."}]
    return None


def _whole(asking: Generator[str | None, None, chat.Said]) -> Generator[None, None, str]:
    while True:
        try:
            next(asking)
        except StopIteration as end:
            return end.value.text
        yield None


def _offered(snapshot: Snapshot) -> list[str]:
    """The family's settings as the form offers them."""
    declared = declared_of(snapshot)
    return [f"- {each.name} ({each.title}): now {each.value}; {_range(each, declared[each.name].kind)}"
            for each in (snapshot.run.settings if snapshot.run else []) if each.name in declared]


def _range(setting: Setting, kind: str) -> str:
    if kind == "choice":
        return f"one of {', '.join(setting.choices)}"
    return "true or false" if kind == "switch" else f"{setting.low:g} to {setting.high:g}" if setting.low is not None \
        and setting.high is not None else "a number"
