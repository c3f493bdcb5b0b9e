"""Work in progress on a screen: one bar of fixed height that polls, and stops polling when the job has ended."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

import worker
from medml.errors import UserError
from medml.store import Job, Progress
from pages._ui_frame import guard
from pages._ui_words import count, duration, html, when

EVERY = 0.5  # seconds between two looks
_WORDS = {"queued": "Waiting for its turn", "running": "Working", "interrupted": "Interrupted, will go on by itself",
          "done": "Done", "failed": "Could not be done", "stopped": "Stopped"}


def progress(job_id: str) -> list[Progress]:
    """Every progress row of a job so far, oldest first; each call asks only for what is newer than the last one."""
    rows: list[Progress] = st.session_state.setdefault(f"m_progress_{job_id}", [])
    rows.extend(worker.progress_since(job_id, rows[-1].seq if rows else 0))
    return rows


def job_bar(job_id: str, on_done: Callable[[Job], None] | None = None, *,
            draw: Callable[[Job, list[Progress]], None] | None = None, title: str = "") -> Job:
    """Show one job until it ends: stage, share done, time, a sentence, and Stop. Its height never changes.

    on_done  called once in this session, in a full run of the page, when the job has ended in whatever state;
             it may call `ui.go(...)`. Identity is the job's id, so an older job's end is never taken for this one's
    draw     called under the bar at every look with the job and all progress rows (live curves, the log); wrap
             nothing, it is guarded; keep containers of fixed height in it so that nothing moves
    returns  the job as it stands in this run of the page
    """
    job = worker.get(job_id)
    st.fragment(_look, run_every=None if job.ended_for_good else EVERY)(job_id, draw, title)
    if job.ended_for_good and on_done is not None and not st.session_state.get(f"m_seen_{job_id}"):
        st.session_state[f"m_seen_{job_id}"] = True
        on_done(job)
    return job


def _look(job_id: str, draw: Callable[[Job, list[Progress]], None] | None, title: str) -> None:
    ended = False
    with guard():
        job = worker.get(job_id)
        with st.container(key="m_job", horizontal=True, vertical_alignment="center", gap="medium"):
            st.html(bar(job, title), width="stretch")
            if st.button("Stop", icon=":material/stop_circle:", key=f"m_stop_{job_id}",
                         disabled=job.ended_for_good or job.stop is not None):
                worker.stop(job_id)
        if draw is not None:
            draw(job, progress(job_id))
        ended = job.ended_for_good and not st.session_state.get(f"m_told_{job_id}")
        if ended:
            st.session_state[f"m_told_{job_id}"] = True
    if ended:
        st.rerun()  # the whole page, which draws this without a timer


def bar(job: Job, title: str = "") -> str:
    """The HTML of one job's line: what it does, how far it is, how long it has taken."""
    share = 1.0 if job.state == "done" else max(0.0, min(1.0, job.fraction))
    words = _WORDS[job.state]
    if job.stop is not None and not job.ended_for_good:
        words = "Stopping at the next safe point"
    elif job.state == "running" and job.stage:
        words = job.stage[:1].upper() + job.stage[1:]
    name = f'<span class="m-job-title">{html(title)}</span>' if title else ""
    return (f'<div class="m-job m-job-{job.state}" role="status">{name}'
            f'<div class="m-job-head"><span>{html(words)}</span>'
            f'<span class="m-job-time">{html(_time(job))}</span></div>'
            f'<div class="m-track" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{100 * share:.0f}" aria-label="{html(words)}">'
            f'<span style="width:{100 * share:.1f}%"></span></div>'
            f'<p class="m-job-said">{html(_sentence(job), 300) or "&nbsp;"}</p></div>')


def _time(job: Job) -> str:
    if job.state in ("queued", "interrupted"):
        return f"starts {when(job.not_before)}" if job.not_before > time.time() else ""
    if job.started is None:
        return ""
    took = (job.ended or time.time()) - job.started
    return f"{100 * job.fraction:.0f} % · {duration(took)}" if job.state == "running" else duration(took)


def _sentence(job: Job) -> str:
    if job.state == "failed" and job.error:
        return f"{job.error.get('what', '')} {job.error.get('fix', '')}"
    if job.state == "running" and job.attempt > 1:
        return f"{job.message} ({count(job.attempt)} starts: it went on from its last checkpoint)"
    return job.message


def failed(job: Job) -> UserError | None:
    """What a failed job says, to be raised or shown by the page; None where it did not fail."""
    if job.state != "failed" or not job.error:
        return None
    return UserError(what=job.error.get("what", "The work could not be done."), fix=job.error.get("fix", "Try again."))
