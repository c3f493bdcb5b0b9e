"""A training while it runs: its bar with its own stop button, curves, and the log in plain words."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from medml import families
from medml.evaluate.words import HEADLINE, title
from medml.store import Job, Progress, counts_on
from medml.types import Point, Task
from pages import _ui as ui
from pages._ui_jobs import Halt

EVERY = 1.0  # seconds between two looks
REDRAWN = 2.0  # seconds for which a curve stays as it is while its training runs
LOG_LINES = 200  # the newest; the rest is in the job's rows
ROUND = {"epoch": "Round", "trees": "Trees", None: "Part done"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a job trains: read from its frozen configuration, or from the run that it goes on with."""

    heading: str
    family: str
    task: Task

    @property
    def round(self) -> str | None:
        """What a round of its family is: "epoch", "trees" or None."""
        return families.registry.get(self.family).round if self.family in families.registry.names() else None


def live(job: Job, subject: Subject) -> Job:
    """Show one training until it ends: its bar, its curves, its log, in places of fixed size."""
    def draw(now: Job, rows: list[Progress]) -> None:
        if now.ended_for_good and not now.result:
            why_nothing(now)
        points = points_of(now.id, rows)
        at_work = now.state in ("running", "interrupted")
        if points or at_work:  # what waits, or ended before its first round, has no curve to show
            curves(points, subject.task, subject.round, key="m_live", ended=now.ended_for_good,
                   of=now.id)
        if rows or at_work:
            log_lines(rows)

    return ui.job_bar(job.id, draw=draw, title=subject.heading, halt=what_a_stop_keeps(job.kind, subject.round),
                      every=EVERY)


def points_of(job_id: str, rows: list[Progress]) -> list[Point]:
    """Every point of a job's curves so far: those of the rows that are new since the last look are added."""
    held = st.session_state.setdefault(f"m_points_{job_id}", [0, []])
    fresh = [point for row in rows[held[0]:] for point in row.points]
    held[0] = len(rows)
    held[1] += fresh
    return held[1]


def why_nothing(job: Job) -> None:
    """Why a training ended without a result, and what to do about it."""
    error = job.error or {}
    if job.state == "failed":
        ui.say("stop", error.get("what", "The training could not be done."), error.get("fix", "Try again."))
    else:
        ui.say("note", "The training was stopped before there was anything to keep.",
               "Train it again as it was, or change how it is done first.")


def what_a_stop_keeps(kind: str, unit: str | None) -> Halt:
    """The words on the stop button, and what is kept when it is pressed.

    kind  "train" or "continue";   unit  what a round of the family is
    """
    begun = "once learning has gone on in every fold; you can go back." if kind == "continue" else \
        "once learning has begun in every fold."
    if unit == "epoch":
        return Halt("Stop and keep the best", f"If you stop: the best round so far is kept, {begun}")
    if unit == "trees":
        return Halt("Stop and keep the trees", f"If you stop: the trees so far are kept, {begun}")
    return Halt("Stop", "If you stop: nothing of this training is kept; finished runs stay.")


def curves(points: list[Point], task: Task, unit: str | None, *, key: str, ended: bool,
           of: str) -> None:
    """Loss and figure by round, side by side; the places are there before the first point is.

    of  the id of what they belong to: the job, or the run and its checkpoint
    """
    from medml.plots import curves as drawn
    from medml.plots import dressed

    measure = next((each.unit for each in reversed(points) if each.train is not None), "loss")
    figure, across = title(HEADLINE[task]), ROUND[unit]
    pictures = {"loss": ("train", f"Training: {measure}", loss_words(measure, unit)),
                "figure": ("out_of_fold", f"Kept-out rows: {figure}", figure_words(figure, unit))}
    for column, (name, (which, above, words)) in zip(st.columns(2, gap="medium"), pictures.items(), strict=True):
        with column, st.container(key=f"m_card_{name}", height="stretch"):
            spec = kept(f"{key}_{name}", (of, len(points), ended), lambda which=which, above=above: ui.sent(dressed(
                drawn.history(points, of=which, title=above, across=across, ended=ended, ink=ui.ink()), ui.ink())))
            ui.chart(spec, f"{words} {drawn.BAND}", key=f"{key}_{name}")


def kept(name: str, of: tuple, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The specification of a curve, made anew when it has other points, but at most every REDRAWN seconds while its
    training runs: making one costs more than all the rest of a look.

    of  job, number of points, whether the training is over
    """
    held = st.session_state.get(f"m_drawn_{name}")
    is_young = held is not None and time.monotonic() - held[1] < REDRAWN and held[0][0] == of[0] and not of[2]
    if held is None or (held[0] != of and not is_young):
        held = st.session_state[f"m_drawn_{name}"] = (of, time.monotonic(), make())
    return held[2]


def loss_words(measure: str, unit: str | None) -> str:
    """What the first curve shows; a model that is put together in steps tries each afresh, so it may rise between."""
    learned = f"The {measure} on the rows that are learned from"
    return f"{learned}; it should fall." if unit else f"{learned}, after each step; a step may try something worse."


def figure_words(figure: str, unit: str | None) -> str:
    """What the second curve shows, and what follows from it where a family can be trained further."""
    seen = f"{figure} on rows that the fold had not seen"
    return {"epoch": f"{seen}; where it stops rising, more rounds do not help.",
            "trees": f"{seen}; where it stops rising, more trees do not help.",
            None: f"{seen}, as the model was put together."}[unit]


def log_lines(rows: list[Progress]) -> None:
    """What was said so far, the newest first, in a place of fixed height that scrolls by itself."""
    ui.section("What happened")
    lines = "".join(f'<p><span class="m-quiet">{datetime.fromtimestamp(moment):%H:%M:%S}</span> '
                    f'{ui.html(words, 300)}</p>' for moment, words in itertools.islice(newest(rows), LOG_LINES))
    with st.container(key="m_log", height=240):
        st.html('<div class="m-log" role="log" tabindex="0" aria-label="What happened">'
                f'{lines or "<p class=m-quiet>Nothing yet.</p>"}</div>')


def newest(rows: list[Progress]) -> Iterator[tuple[float, str]]:
    """(when, sentence), the newest first: each once where it was said again at once, and of a count that went on where
    it stood last. Of the thousands of rows of a long training no more are looked at than are asked for."""
    said = ((row.time, words) for row in reversed(rows) for words in reversed(row.said))
    later = None
    for words, times in itertools.groupby(said, key=lambda line: line[1]):
        if later is None or not counts_on(words, later):
            yield deque(times, maxlen=1).pop()  # where it was said first
        later = words
