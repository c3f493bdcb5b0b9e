"""A training while it runs: its bar with its own stop button, curves, and the log in plain words."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

import worker
from medml import families
from medml.evaluate.words import HEADLINE, title
from medml.store import Job, Progress
from medml.types import Point, Task
from pages import _ui as ui
from pages._ui_jobs import bar, progress

EVERY = 1.0  # seconds between two looks
LOG_LINES = 200  # the newest; the rest is in the job's rows


def live(job_id: str, task: Task, heading: str) -> Job:
    """Show one training until it ends: all of it is drawn at every look, in places of fixed size.

    The timer belongs to this job's id and is not set once the job has ended, so an older job's end is never shown.
    """
    job = worker.get(job_id)
    st.fragment(_look, run_every=None if job.ended_for_good else EVERY)(job_id, task, heading)
    return job


def _look(job_id: str, task: Task, heading: str) -> None:
    ended = False
    with ui.guard():
        job = worker.get(job_id)
        rows = progress(job_id)
        with st.container(key="m_job", horizontal=True, vertical_alignment="center", gap="medium"):
            st.html(bar(job, heading), width="stretch")
            label, kept = what_a_stop_keeps(job)
            st.button(label, icon=":material/stop_circle:", key=f"m_halt_{job_id}", on_click=worker.stop,
                      args=(job_id,), disabled=job.ended_for_good or job.stop is not None)
        ui.note("\u00a0" if job.ended_for_good else kept)  # a line of its own height, so that nothing moves
        curves([point for row in rows for point in row.points], task)
        log_lines(rows)
        mark = f"m_told_{job_id}"
        ended = job.ended_for_good and not st.session_state.get(mark)
        st.session_state[mark] = job.ended_for_good
    if ended:
        st.rerun()  # the whole page once more, now without a timer


def what_a_stop_keeps(job: Job) -> tuple[str, str]:
    """The words on the stop button, and what is kept when it is pressed."""
    if job.kind == "continue":
        return "Stop", "If you stop: the run stays as it was."
    family = families.registry.get(job.payload["config"]["family"])
    if family.round == "epoch":
        return ("Stop and keep the best",
                "If you stop: the best epoch so far is kept, once learning has begun in every fold.")
    return "Stop", "If you stop: nothing of this training is kept; finished runs stay."


def curves(points: list[Point], task: Task) -> None:
    """Loss and figure by round, side by side; the places are there before the first point is."""
    from medml.plots import curves as drawn

    unit = next((each.unit for each in reversed(points) if each.train is not None), "loss")
    figure = title(HEADLINE[task])
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="m_card_loss"):
        ui.chart(drawn.history(points, of="train", title=f"Training: {unit}", ink=ui.ink()),
                 f"The {unit} on the rows that are learned from; it should fall. The band spans the folds.",
                 key="m_live_loss")
    with right, st.container(key="m_card_figure"):
        ui.chart(drawn.history(points, of="out_of_fold", title=f"Kept-out rows: {figure}", ink=ui.ink()),
                 f"{figure} on rows that the fold had not seen; where it stops rising, more rounds do not help.",
                 key="m_live_figure")


def log_lines(rows: list[Progress]) -> None:
    """What was said so far, the newest first, in a place of fixed height that scrolls by itself."""
    ui.section("What happened")
    said = [(row.time, words) for row in rows for words in row.said]
    lines = "".join(f'<p><span class="m-quiet">{datetime.fromtimestamp(moment):%H:%M:%S}</span> '
                    f'{ui.html(words, 300)}</p>' for moment, words in _without_repeats(said)[:-LOG_LINES - 1:-1])
    with st.container(key="m_log", height=240):
        st.html(f'<div class="m-log" role="log">{lines or "<p class=m-quiet>Nothing yet.</p>"}</div>')


def _without_repeats(said: list[tuple[float, str]]) -> list[tuple[float, str]]:
    return [line for place, line in enumerate(said) if place == 0 or line[1] != said[place - 1][1]]
