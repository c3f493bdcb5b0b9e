"""Work in progress on a screen: one bar of fixed height that polls, and stops polling when the job has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

import worker
from medml import project as projects
from medml.errors import UserError
from medml.store import Job, Progress
from pages._ui_frame import guard
from pages._ui_words import count, duration, html, note, say

EVERY = 0.5  # seconds between two looks
KINDS = {"scan": "Scan", "train": "Training", "continue": "More rounds", "held_out": "Opening the part kept closed",
         "external": "Judging it on other patients", "forecast": "What more patients would bring",
         "export": "Writing the model file", "explain": "Explanation", "score": "Bedside score",
         "predict": "Answering a file", "without": "Training without some predictors",
         "documents": "Reading documents"}
_WORDS = {"queued": "Waiting for its turn", "running": "Working", "interrupted": "Interrupted, will go on by itself",
          "done": "Done", "failed": "Could not be done", "stopped": "Stopped"}


def progress(job_id: str) -> list[Progress]:
    """Every progress row of a job so far, oldest first; each call asks only for what is newer than the last one."""
    rows: list[Progress] = st.session_state.setdefault(f"m_progress_{job_id}", [])
    rows.extend(worker.progress_since(job_id, rows[-1].seq if rows else 0))
    return rows


@dataclass(frozen=True, slots=True)
class Halt:
    """The words on a job's stop button, and under the bar what is kept when it is pressed ("": no such line)."""

    label: str = "Stop"
    kept: str = ""


HALT = Halt()


def job_bar(job_id: str, on_done: Callable[[Job], None] | None = None, *,
            draw: Callable[[Job, list[Progress]], None] | None = None, title: str = "", halt: Halt = HALT,
            every: float = EVERY) -> Job:
    """Show one job until it ends: stage, share done, time, a sentence, and Stop. Its height never changes.

    on_done  called once in this session, in a full run of the page, when the job has ended in whatever state;
             it may call `ui.go(...)`. Identity is the job's id, so an older job's end is never taken for this one's
    draw     called under the bar at every look with the job and all progress rows (live curves, the log); wrap
             nothing, it is guarded; keep containers of fixed height in it so that nothing moves
    every    seconds between two looks; the timer belongs to this job and is not set once it has ended
    returns  the job as it stands in this run of the page
    """
    job = worker.get(job_id)
    st.fragment(_look, run_every=None if job.ended_for_good else every)(job_id, draw, title, halt)
    if job.ended_for_good and on_done is not None and not st.session_state.get(f"m_seen_{job_id}"):
        st.session_state[f"m_seen_{job_id}"] = True
        on_done(job)
    return job


def followed(job_id: str, on_done: Callable[[Job], None], title: str = "") -> None:
    """`job_bar` for work beside the line, and under it why it could not be done where it failed."""
    job = job_bar(job_id, on_done, title=title)
    if job.state == "failed":
        error = job.error or {}
        say("stop", error.get("what", "This could not be done."), error.get("fix", "Try again."))


def _look(job_id: str, draw: Callable[[Job, list[Progress]], None] | None, title: str, halt: Halt) -> None:
    ended = False
    with guard():
        job = worker.get(job_id)
        with st.container(key="m_job", horizontal=True, vertical_alignment="center", gap="medium"):
            st.html(bar(job, title), width="stretch")
            if not job.ended_for_good:
                st.button(halt.label, icon=":material/stop_circle:", key=f"m_stop_{job_id}", on_click=worker.stop,
                          args=(job_id,), disabled=job.stop is not None)
        if halt.kept and not job.ended_for_good:
            note(halt.kept)
        if draw is not None:
            draw(job, progress(job_id))
        ended = job.ended_for_good and not st.session_state.get(f"m_told_{job_id}")
        st.session_state[f"m_told_{job_id}"] = job.ended_for_good
    if ended:
        st.rerun()  # the whole page, which draws this without a timer


def bar(job: Job, title: str = "", more: str = "") -> str:
    """The HTML of one job's line: what it does, how far it is, how long it has taken; `more` after its sentence."""
    share = 1.0 if job.state == "done" else max(0.0, min(1.0, job.fraction))
    words = _WORDS[job.state]
    if job.stop is not None and not job.ended_for_good:
        words = "Stopping at the next safe point"
    elif job.state == "running" and job.stage:
        words = job.stage[:1].upper() + job.stage[1:]
    said = " · ".join(each for each in (_sentence(job), more) if each)
    name = f'<span class="m-job-title">{html(title)}</span>' if title else ""
    return (f'<div class="m-job m-job-{job.state}" role="status">{name}'
            f'<div class="m-job-head"><span>{html(words)}</span>'
            f'<span class="m-job-time">{html(_time(job))}</span></div>'
            f'<div class="m-track" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{100 * share:.0f}" aria-label="{html(words)}">'
            f'<span style="width:{100 * share:.1f}%"></span></div>'
            f'<p class="m-job-said">{html(said, 300) or "&nbsp;"}</p></div>')


def _time(job: Job) -> str:
    if job.started is None or job.state in ("queued", "interrupted"):
        return ""
    took = (job.ended or time.time()) - job.started
    return f"{100 * job.fraction:.0f} % · {duration(took)}" if job.state == "running" else duration(took)


def _sentence(job: Job) -> str:
    if job.state == "failed":
        return ""  # what could not be done stands on the page in full
    if job.state == "running" and job.attempt > 1:
        return f"{job.message} ({count(job.attempt)} starts: it went on from its last checkpoint)"
    return job.message


def title_of(job: Job) -> str:
    """What it does, for which project."""
    what = KINDS.get(job.kind, job.kind.replace("_", " ").capitalize())
    name = job.payload.get("config", {}).get("name", "")
    try:
        where = projects.get(job.project).name if job.project else ""
    except UserError:
        where = "project removed"
    return " · ".join(each for each in (what, name, where) if each)
