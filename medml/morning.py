"""What will be ready by the morning, as far as it can be told, in words for a screen and a terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from medml import clock, quiet, store
from medml.ahead import TRAININGS, Expected, foreseen, line_of
from medml.store import Job

SEVEN, NOON = 7, 12  # o'clock

Verdict = Literal["ready", "perhaps", "not ready", "paused", "could not tell"]


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether a training will be done by a moment."""

    job: Job
    verdict: Verdict
    expected: Expected


def coming() -> float:
    """The next 07:00 by the clock on the wall, in seconds since 1970."""
    return clock.tonight(SEVEN)


def ready(by: float | None = None) -> list[Ready]:
    """Every training that runs or waits, in turn: will it be done by then? (the next 07:00, unless told otherwise)"""
    return outlook(by)[0]


def outlook(by: float | None = None) -> tuple[list[Ready], dict[str, Expected]]:
    """As `ready`, and what is expected of all that stands in the same queue, by id."""
    by, line = coming() if by is None else by, line_of("train")
    ahead = foreseen(line)
    found = [(each, ahead.get(each.id, Expected(None, None))) for each in line.going if each.kind in TRAININGS]
    return [Ready(each, "paused" if each.paused is not None else verdict(expected, by), expected)
            for each, expected in sorted(found, key=lambda pair: pair[0].state in store.WAITING)], ahead


def verdict(found: Expected, by: float) -> Verdict:
    """ "perhaps" where the earliest finish lies before that moment and the latest after it."""
    if found.earliest is None or found.latest is None:
        return "could not tell"
    return "ready" if found.latest <= by else "not ready" if found.earliest > by else "perhaps"


def in_words(judged: Verdict, found: Expected, by: float) -> str:
    """ "Perhaps ready by 07:00 (between 05:10 and 08:30)". """
    hour = f"by {moment(by)}"
    if judged == "could not tell":
        return f"Could not tell whether it will be ready {hour}"
    if judged == "paused":
        return f"Not ready {hour} unless you let it go on in time"
    start = {"ready": "Ready", "perhaps": "Perhaps ready", "not ready": "Not ready"}[judged]
    return f"{start} {hour} (between {moment(found.earliest)} and {moment(found.latest)})"


def summed_up(listed: list[Ready], by: float) -> str:
    """ "Of 3 trainings 1 will be ready by 07:00, 1 perhaps, 1 could not be told." "" where there are none."""
    if not listed:
        return ""
    counts = {each: sum(one.verdict == each for one in listed) for each in
              ("ready", "perhaps", "not ready", "paused", "could not tell")}
    words = {"ready": "will be ready", "perhaps": "perhaps", "not ready": "will not be ready", "paused": "paused",
             "could not tell": "could not be told"}
    parts = [f"{n} {words[name]}" for name, n in counts.items() if n]
    return f"By {moment(by)}, of {len(listed)} training{'s' * (len(listed) > 1)}: {', '.join(parts)}."


def moment(at: float, now: float | None = None) -> str:
    """ "07:00", with the day where it lies behind the coming morning."""
    now = time.time() if now is None else now
    then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now).date()
    if at - now > 86_400:
        return f"{then:%H:%M on %d %B}"
    return f"{then:%H:%M}{' tomorrow' if then.date() != today and then.hour >= NOON else ''}"


def quiet_in_words() -> str:
    """Which quiet hours hold, or that there are none."""
    chosen = quiet.hours()
    if quiet.damaged():
        return f"Quiet hours were set, but {quiet.FILE} in MedML's folder is damaged: trainings run at any time. Set " \
               "them again."
    if chosen is None:
        return "No quiet hours are set: trainings run at any time."
    start, end = str(chosen).split("-")
    large = f"trainings foreseen to take more than {quiet.SMALL / 60:.0f} minutes"
    return f"From {start} to {end} {large} rest; they go on after."
