"""Putting work off to an hour of the night, when nobody needs the machine."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import streamlit as st

import worker
from pages._ui_belonging import allowed
from pages._ui_words import note, say

USUAL = time(20, 0)
EVENING, MORNING = 18, 8  # from this hour on, and before that one, a moment is "tonight"


def ask_night(key: str) -> list[float]:
    """An hour and a button; the moment (seconds since 1970) in the run in which it was pressed, else nothing."""
    hour = st.time_input("At", USUAL, step=timedelta(minutes=30), key=f"{key}_hour", label_visibility="collapsed",
                         width=110)
    moment = worker.tonight(hour.hour, hour.minute)
    pressed = st.button(f"Run {night(moment)}", icon=":material/bedtime:", key=f"{key}_at",
                        **allowed("train", help="It waits among the jobs, and starts by itself; the window may be "
                                  "closed."))
    return [moment] if pressed else []


def night(moment: float, now: float | None = None) -> str:
    """ "tonight at 20:00", "today at 15:30", "tomorrow at 09:00": when a moment within a day is, in local time."""
    then = datetime.fromtimestamp(moment)
    day = datetime.now() if now is None else datetime.fromtimestamp(now)
    if (then.date() == day.date() and then.hour >= EVENING) or (then.date() != day.date() and then.hour < MORNING):
        return f"tonight at {then:%H:%M}"
    return f"{'today' if then.date() == day.date() else 'tomorrow'} at {then:%H:%M}"


def leave_it_on() -> None:
    """What a person may do with this machine while work goes on or is due tonight, and what not."""
    power = worker.power()
    if power.on_battery:
        say("caution", "This machine runs on its battery.", f"Plug it in. {what_may_be_closed(power)}")
    else:
        note(what_may_be_closed(power))


def what_may_be_closed(power: worker.Power) -> str:
    """In words; where the system was asked in vain, what that means."""
    start = "You may close this window. Leave the lid open and the power on"
    if power.kept_awake:
        return f"{start}: this machine is kept awake until the work is done."
    return f"{start}, and see that this machine does not fall asleep: work stands still meanwhile, and goes on after."
