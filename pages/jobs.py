"""Jobs: what runs, what waits, how long it will take; stop, move up, run tonight."""

from __future__ import annotations

import time

import streamlit as st

import worker
from medml.store import ENDED, GOING, WAITING, Job
from pages import _ui as ui
from pages import _ui_ended as past
from pages._ui_bar import bar, title_of
from pages._ui_belonging import locked
from pages._ui_jobs import pause_button, while_it_waits
from pages._ui_machines import machines, where
from pages._ui_morning import by_morning, outlooks, summary
from pages._ui_night import leave_it_on
from pages._ui_quiet import card as quiet_hours
from pages._ui_standing import told

TITLE = "Jobs"
LEAD = "Trainings run one at a time, scans beside them. They go on without this window."
EVERY, LINE_EVERY = 1.0, 5.0  # seconds between two looks at what runs, and at what waits
FIRST = 8  # waiting jobs with their buttons; those behind them are lines alone, until somebody asks


def active() -> list[Job]:
    """Those that run, then those that wait in the order in which they will run."""
    return sorted(worker.jobs(GOING), key=lambda each: each.state in WAITING)


def at_work(told: dict[str, bool]) -> None:
    """Running jobs, drawn at every look; the whole page is drawn again when one of all begins, pauses or ends."""
    with ui.guard():
        now = active()
        machines()
        running = [each for each in now if each.state not in WAITING]
        morning, ahead = outlooks(now, LINE_EVERY) if running else ([], {})
        for job in running:
            row(job, morning, ahead)
        if not now:
            ui.empty("Nothing runs and nothing waits.", "Start a training on the Configure page of a project.")
        if waits(now) != told:
            st.rerun()


def line() -> None:
    """Those that wait, looked at less often: forty with all their buttons took a fifth of a second of the server."""
    with ui.guard():
        now = active()
        morning, ahead = outlooks(now, LINE_EVERY)
        waiting = [each for each in now if each.state in WAITING]
        first = len(waiting) if st.session_state.get("m_line_whole") else FIRST
        for job in waiting[:first]:
            row(job, morning, ahead)
        if waiting[first:]:
            with st.container(key="m_card_job_line"):
                st.html("".join(one(job, morning, ahead) for job in waiting[first:]))
                st.button("Change these too", key="m_line_all", icon=":material/expand_more:", on_click=show_all)
        if now:
            summary(morning)
            if not all(each.is_paused for each in now):
                leave_it_on()


def show_all() -> None:
    """Draw the buttons of every job that waits."""
    st.session_state["m_line_whole"] = True


def waits(jobs: list[Job]) -> dict[str, bool]:
    """Which jobs there are, and whether each waits."""
    return {each.id: each.state in WAITING for each in jobs}


def one(job: Job, morning: list[worker.Ready], ahead: dict[str, worker.Expected]) -> str:
    """HTML of a job: where it stands, when it starts or ends."""
    expected = ahead.get(job.id, worker.Expected(None, None))
    said = where(job), outlook(job, expected), by_morning(job, morning)
    return bar(job, title_of(job), " · ".join(filter(None, said)))


def row(job: Job, morning: list[worker.Ready], ahead: dict[str, worker.Expected]) -> None:
    """One job, and what can be done with it."""
    with st.container(key=f"m_card_job_{job.id}"):
        st.html(one(job, morning, ahead))
        if locked("stop"):
            return  # a viewer sees it as it is
        with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            if job.state in WAITING:
                ui.folded("Run tonight", tonight, job, key=f"m_night_{job.id}", icon=":material/bedtime:")
                st.button("Move up", key=f"m_up_{job.id}", icon=":material/arrow_upward:",
                          on_click=ui.guarded(worker.move_up), args=(job.id,))
            pause_button(job)
            lost = while_it_waits(job)
            st.button("Stop", key=f"m_stop_{job.id}", icon=":material/stop_circle:",
                      on_click=ui.guarded(worker.stop), args=(job.id,), disabled=job.stop is not None,
                      help=lost.kept or None if lost else None)


def outlook(job: Job, expected: worker.Expected) -> str:
    """When it is likely to start and to be finished, in words."""
    if job.is_paused:
        return ""
    now = time.time()
    if job.state not in WAITING:
        is_known = expected.finish is not None and not job.is_finishing
        return f"about {ui.duration(max(1.0, expected.finish - now))} to go" if is_known else ""
    if expected.start is None:
        return "It starts when those before it are done"
    if expected.start <= now + 1:
        return "Next in line"
    if worker.rests(job):
        return f"It starts {ui.when(expected.start)}"
    start = f"It starts {ui.when(expected.start)}" if expected.start > now + 3600 else \
        f"It starts in about {ui.duration(expected.start - now)}"
    if expected.finish is None or job.is_finishing:  # how long its learning would take says nothing of its measuring
        return start
    return f"{start} and takes about {ui.duration(expected.finish - expected.start)}"


def tonight(job: Job) -> None:
    """Put a waiting job off to an hour of tonight, or let it run as soon as it can."""
    st.selectbox("At", range(24), index=20, format_func=lambda each: f"{each:02d}:00", key=f"m_hour_{job.id}")
    st.button("Run at that hour", key=f"m_at_{job.id}", on_click=ui.guarded(put_off), args=(job.id,))
    st.button("Run as soon as it can", key=f"m_now_{job.id}", on_click=ui.guarded(worker.run_at), args=(job.id, 0.0))


def put_off(job_id: str) -> None:
    """Let a job wait until the next time the clock shows the hour that stands in its fold: the one chosen last, also
    where the press came with it."""
    worker.run_at(job_id, worker.tonight(st.session_state[f"m_hour_{job_id}"]))


with ui.page(TITLE, project_required=False, lead=LEAD):
    told()
    standing = active()
    st.fragment(at_work, run_every=EVERY if standing else None)(waits(standing))
    if standing:
        st.fragment(line, run_every=LINE_EVERY)()
    quiet_hours()
    past.ended(worker.jobs(ENDED, most=past.LOOKED_AT))
    training = next((each for each in standing if each.kind in past.TRAININGS and each.state not in WAITING), None)
    if ui.next_button("Watch the training", "train", disabled=training is None):
        past.to(("train", {"job": training.id}), training.project)
