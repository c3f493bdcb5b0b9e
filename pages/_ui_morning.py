"""Will it be ready by the morning? In words, before a training is queued and while it waits or runs."""

from __future__ import annotations

import time

import streamlit as st

import worker
from medml import ahead, morning, quiet, store
from medml.store import Job
from pages._ui_night import night
from pages._ui_words import note


def outlooks(going: list[Job], age: float) -> tuple[list[worker.Ready], dict[str, worker.Expected]]:
    """What will be ready in the morning, and when each job is likely to begin and end. It takes the whole queue: what
    was foreseen up to `age` seconds ago will do, if nothing was moved since.

    going  the jobs that run and wait
    """
    held = st.session_state.get("m_outlooks")
    of = [quiet.hours(), len(store.machines())]
    of += [(each.id, each.state, each.priority, each.not_before, each.paused, each.stop) for each in going]
    if held is None or held[1] != of or time.monotonic() - held[0] >= age:
        held = st.session_state["m_outlooks"] = (time.monotonic(), of, worker.outlook())
    return held[2]


def by_morning(job: Job, listed: list[worker.Ready]) -> str:
    """ "Ready by 07:00 (between 02:10 and 05:30)"; "" for what is no training."""
    found = next((each for each in listed if each.job.id == job.id), None)
    return "" if found is None else morning.in_words(found.verdict, found.expected, morning.coming())


def summary(listed: list[worker.Ready]) -> None:
    """All trainings in one sentence, where there are several."""
    if len(listed) > 1:
        note(morning.summed_up(listed, morning.coming()))


def if_started(seconds: float, moment: float, line: ahead.Line) -> str:
    """What would become of a training by the morning if it were queued now, for as soon as can be or for a moment."""
    found, by = worker.if_queued(seconds, moment, line), morning.coming()
    return morning.in_words(morning.verdict(found, by), found, by)


def before_queueing(seconds: float, moment: float) -> None:
    """Both ways of starting a training, and what the morning will bring by each."""
    line = ahead.line_of("train")
    now, later = if_started(seconds, 0.0, line), if_started(seconds, moment, line)
    if moment >= morning.coming():  # this evening is past: the next one is behind the morning that is asked about
        note(f"Started now: {_small(now)}.")
    else:
        note(f"Started now: {_small(now)}. Run {night(moment)}: {_small(later)}.")


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]
