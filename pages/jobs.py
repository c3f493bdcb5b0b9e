"""Jobs: what runs, what waits, how long it will take; stop, move up, run tonight."""

from __future__ import annotations

import time

import streamlit as st

import worker
from medml import project as projects
from medml.errors import UserError
from medml.store import WAITING, Job
from pages import _ui as ui
from pages._ui_jobs import bar

TITLE = "Jobs"
LEAD = "Trainings run one at a time, scans beside them. They go on without this window."
EVERY, MOST_ENDED = 1.0, 30  # seconds between two looks; ended jobs shown
ENDED = {"done": ("Done", "teal"), "failed": ("Could not be done", "stop"), "stopped": ("Stopped", "caution")}
KINDS = {"scan": "Scan", "train": "Training", "continue": "More rounds", "held_out": "Opening the part kept closed"}


def title_of(job: Job) -> str:
    """What it does, for which project."""
    what = KINDS.get(job.kind, job.kind.replace("_", " ").capitalize())
    name = job.payload.get("config", {}).get("name", "")
    try:
        where = projects.get(job.project).name if job.project else ""
    except UserError:
        where = "project removed"
    return " · ".join(each for each in (what, name, where) if each)


def active() -> list[Job]:
    """Those that run, then those that wait in the order in which they will run."""
    waiting = [each for each in worker.jobs() if not each.ended_for_good]
    return sorted(waiting, key=lambda each: each.state in WAITING)


def board(ids: tuple[str, ...]) -> None:
    """Running and waiting jobs, drawn at every look; the whole page is drawn again when one of them ends."""
    with ui.guard():
        now = active()
        for job in now:
            row(job)
        if not now:
            ui.empty("Nothing runs and nothing waits.", "Start a training on the Configure page of a project.")
    if tuple(sorted(each.id for each in now)) != ids:
        st.rerun()


def row(job: Job) -> None:
    """One job: where it stands, when it starts or ends, what can be done with it."""
    waits = job.state in WAITING
    with st.container(key=f"m_card_job_{job.id}"):
        st.html(bar(job, title_of(job)))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.html(f'<p class="m-note">{ui.html(outlook(job))}</p>', width="stretch")
            if waits:
                tonight(job)
                st.button("Move up", key=f"m_up_{job.id}", icon=":material/arrow_upward:", on_click=worker.move_up,
                          args=(job.id,))
            st.button("Stop", key=f"m_stop_{job.id}", icon=":material/stop_circle:", on_click=worker.stop,
                      args=(job.id,), disabled=job.stop is not None)


def outlook(job: Job) -> str:
    """When it is likely to start and to be finished, in words."""
    expected, now = worker.expected(job.id), time.time()
    finish = "" if expected.finish is None else f"about {ui.duration(max(1.0, expected.finish - now))} to go"
    if job.state not in WAITING:
        return finish.capitalize() or "How long it takes cannot be told yet."
    if expected.start is None:
        return "It starts when those before it are done."
    if expected.start <= now + 1:
        return "Next in line."
    start = f"Starts {ui.when(expected.start)}" if expected.start > now + 3600 else \
        f"Starts in about {ui.duration(expected.start - now)}"
    return f"{start}, done {ui.when(expected.finish)}." if expected.finish else f"{start}."


def tonight(job: Job) -> None:
    """Put a waiting job off to an hour of tonight, or let it run as soon as it can."""
    with st.popover("Run tonight", icon=":material/bedtime:", key=f"m_night_{job.id}"):
        with ui.guard():
            hour = st.selectbox("At", range(24), index=20, format_func=lambda each: f"{each:02d}:00",
                                key=f"m_hour_{job.id}")
            st.button("Run at that hour", key=f"m_at_{job.id}", on_click=put_off, args=(job.id, hour))
            st.button("Run as soon as it can", key=f"m_now_{job.id}", on_click=worker.run_at, args=(job.id, 0.0))


def put_off(job_id: str, hour: int) -> None:
    """Let a job wait until the next time the clock shows that hour."""
    worker.run_at(job_id, worker.tonight(hour))


def ended(listed: list[Job]) -> None:
    """What has ended, the newest first."""
    if not listed:
        return
    ui.section("Ended")
    rows = [[f'{ui.html(title_of(each), 120)}<span class="m-meaning">{ui.html(why(each), 400)}</span>',
             ui.chip(*ENDED[each.state]), ui.when(each.ended),
             "–" if each.started is None else ui.duration(each.ended - each.started)] for each in listed[:MOST_ENDED]]
    ui.table(["What", "How it ended", "When", "Took"], rows, raw=(0, 1), right=(3,))


def why(job: Job) -> str:
    """Why a job could not be done and what to do; nothing for the others."""
    error = job.error or {}
    return f"{error.get('what', '')} {error.get('fix', '')}".strip() if job.state == "failed" else ""


with ui.page(TITLE, project_required=False, lead=LEAD):
    standing = active()
    st.fragment(board, run_every=EVERY if standing else None)(tuple(sorted(each.id for each in standing)))
    ended([each for each in worker.jobs() if each.ended_for_good])
    training = next((each for each in standing if each.kind in ("train", "continue")), None)
    if ui.next_button("Watch the training", "train", disabled=training is None):
        if training.project is None:  # more rounds of a run that belongs to no project
            ui.forget("project")
        ui.go("train", job=training.id, **({"project": training.project} if training.project else {}))
