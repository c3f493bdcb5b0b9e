"""Quiet hours: a part of every day in which large trainings rest, so that the machine is there for its people.

By the clock on the wall, through changes to and from summer time: 08:00 stays 08:00.
"""

from __future__ import annotations

import re
import time
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from medml import clock, home
from medml.errors import UserError

SMALL = 300.0  # seconds: a training foreseen to take no longer runs in quiet hours too
FILE = "quiet_hours.json"
_WRITTEN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*(?:-|–|to)\s*([01]?\d|2[0-3]):([0-5]\d)")


class Hours(BaseModel):
    """From `start` to `end`, in minutes since midnight by the clock on the wall; over midnight where end < start."""

    model_config = ConfigDict(frozen=True)

    start: int
    end: int

    @model_validator(mode="after")
    def _a_part_of_the_day(self) -> Hours:
        if self.start == self.end or not (0 <= self.start < 1440 and 0 <= self.end < 1440):
            raise ValueError("quiet hours begin and end at two different minutes of a day")
        return self

    def __str__(self) -> str:
        return "-".join(f"{each // 60:02d}:{each % 60:02d}" for each in (self.start, self.end))


def parsed(text: str) -> Hours | None:
    """ "08:00-18:00"; None for "off". UserError for anything else."""
    if text.strip().lower() == "off":
        return None
    found = _WRITTEN.fullmatch(text.strip())
    if found is not None:
        first, last = (60 * int(found[place]) + int(found[place + 1]) for place in (1, 3))
        if first != last:
            return Hours(start=first, end=last)
    raise UserError(what="Quiet hours are two different hours of the day, or off.",
                    fix="Write them as 08:00-18:00, or write off.", code="quiet_hours")


def hours() -> Hours | None:
    """The quiet hours that were set for this home; None where there are none, or they cannot be read (`damaged`)."""
    try:
        return home.read_model(home.home() / FILE, Hours)
    except (FileNotFoundError, ValidationError):
        return None


def damaged() -> bool:
    """Whether quiet hours were set that can no longer be read, so that none hold."""
    return hours() is None and (home.home() / FILE).exists()


def keep(chosen: Hours | None) -> None:
    """Set the quiet hours, or take them away."""
    if chosen is None:
        (home.home() / FILE).unlink(missing_ok=True)
    else:
        home.write_model(home.home() / FILE, chosen)


def is_quiet(chosen: Hours | None, now: float | None = None) -> bool:
    """Whether the clock on the wall stands in the quiet hours."""
    if chosen is None:
        return False
    moment = datetime.fromtimestamp(time.time() if now is None else now)
    minute = 60 * moment.hour + moment.minute
    if chosen.start < chosen.end:
        return chosen.start <= minute < chosen.end
    return minute >= chosen.start or minute < chosen.end


def ends(chosen: Hours, now: float) -> float:
    """When the clock next shows their end, in seconds since 1970."""
    return clock.tonight(*divmod(chosen.end, 60), now=now)


def begins(chosen: Hours, now: float) -> float:
    """When the clock next shows their beginning, in seconds since 1970."""
    return clock.tonight(*divmod(chosen.start, 60), now=now)


def is_small(seconds: float | None) -> bool:
    """Whether a training of so many seconds runs in quiet hours too; what cannot be told does not."""
    return seconds is not None and seconds <= SMALL


def longest(now: float | None = None) -> float | None:
    """How long a training may be foreseen to take to start just now, in seconds; None for as long as it likes."""
    return SMALL if is_quiet(hours(), now) else None


def finished(chosen: Hours | None, start: float, seconds: float) -> float:
    """When work of so many seconds that starts then is done, if it rests in every quiet hour on the way."""
    if chosen is None or is_small(seconds):
        return start + seconds
    at, left = start, seconds
    while True:
        if is_quiet(chosen, at):
            at = ends(chosen, at)
            continue
        rest = begins(chosen, at)
        if at + left <= rest:
            return at + left
        left -= rest - at
        at = rest
