"""Work in progress on a screen: one bar of fixed height that polls, and stops polling when the job has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

import worker
from medml.store import WAITING, Job, Progress
from pages._ui_bar import bar
from pages._ui_belonging import allowed
from pages._ui_frame import guard, guarded
from pages._ui_words import note, say

EVERY = 0.5  # seconds between two looks


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
        halt = while_it_waits(job, halt) or halt
        with st.container(key=f"m_job_{job_id}", horizontal=True, vertical_alignment="center", gap="medium"):
            st.html(bar(job, title), width="stretch")
            if not job.ended_for_good:
                pause_button(job)
                st.button(halt.label, icon=":material/stop_circle:", key=f"m_stop_{job_id}",
                          on_click=guarded(worker.stop), args=(job_id,),
                          **allowed("stop", disabled=job.stop is not None))
        if halt.kept and not job.ended_for_good:
            note(halt.kept)
        if draw is not None:
            draw(job, progress(job_id))
        ended = job.ended_for_good and not st.session_state.get(f"m_told_{job_id}")
        st.session_state[f"m_told_{job_id}"] = job.ended_for_good
    if ended:
        st.rerun()  # the whole page, which draws this without a timer


def while_it_waits(job: Job, halt: Halt = HALT) -> Halt | None:
    """The words on the stop button of a job that does not run now: what it has learned is not a model yet.

    halt  the words while it runs
    """
    if job.state not in WAITING:
        return None
    if job.attempt == 0 or not worker.resumes(job.kind):
        return HALT
    if worker.keeps(job):
        return Halt(halt.label, "If you stop: it learns nothing further; once it is its turn, what it has learned is "
                    "measured and kept.")
    return Halt("Stop", "If you stop it now, nothing of it is kept: it has learned nothing yet that could be.")


def pause_button(job: Job) -> None:
    """Pause where a pause loses nothing, after a stop too while the best is measured; or Go on where somebody paused.
    """
    if job.paused is not None:
        st.button("Go on", icon=":material/play_arrow:", key=f"m_go_on_{job.id}",
                  on_click=guarded(worker.go_on), args=(job.id,), **allowed("schedule"))
    elif job.state in WAITING or worker.resumes(job.kind):
        after_stop, is_learned = job.stop is not None, job.is_judging or job.is_finishing
        st.button("Measure later" if after_stop and is_learned else "Pause", icon=":material/pause:",
                  key=f"m_pause_{job.id}", on_click=guarded(worker.pause), args=(job.id,),
                  **allowed("stop", disabled=after_stop and not is_learned, help="It keeps all it has learned, "
                            "gives the memory back, and goes on when you say so, as if it had never paused."))
