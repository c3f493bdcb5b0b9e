"""Evenings and nights by this machine's clock on the wall, through changes to and from summer time; how long
something took, in words."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

EVENING = 18  # o'clock: what ended after the last one belongs to the night


def tonight(hour: int, minute: int = 0, *, now: float | None = None) -> float:
    """The next time the clock on the wall shows hour:minute, in seconds since 1970, UTC.

    Local time, through changes to and from summer time: 20:00 stays 20:00. A time that the night leaves out (02:30 in
    spring) is the moment one hour later; of one that comes twice (in autumn), the first that still lies ahead.
    """
    moment = datetime.fromtimestamp(time.time() if now is None else now)
    wanted = moment.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    for each in (wanted, wanted.replace(fold=1), wanted + timedelta(days=1)):
        if each.timestamp() > moment.timestamp():
            return each.timestamp()
    raise ValueError("no clock on a wall goes back by a day")


def evening(now: float | None = None) -> float:
    """The last 18:00, in seconds since 1970, UTC."""
    moment = datetime.fromtimestamp(time.time() if now is None else now)
    last = moment.replace(hour=EVENING, minute=0, second=0, microsecond=0, fold=0)
    return (last if last <= moment else last - timedelta(days=1)).timestamp()


def duration(seconds: float) -> str:
    """How long, as screens and the terminal say it: "under a second", "33 s", "10 min", "2.5 h", "22 h"."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{round(seconds / 3600, 1 if seconds < 10 * 3600 else None):g} h"
