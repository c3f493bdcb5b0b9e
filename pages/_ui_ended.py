"""Work that has ended: one line each, and the way to what came of it."""

from __future__ import annotations

import streamlit as st

from medml import gallery
from medml import project as projects
from medml.store import Job
from pages import _ui as ui
from pages._ui_jobs import title_of

TRAININGS = ("train", "continue")
ENDED = {"done": ("Done", "teal"), "failed": ("Could not be done", "stop"), "stopped": ("Stopped", "caution")}
MOST = 30  # lines shown
Place = tuple[str, dict[str, str]]  # a page, and the ids that it needs


def ended(listed: list[Job]) -> None:
    """What has ended, the newest first."""
    if not listed:
        return
    ui.section("Ended")
    known = {each.id for each in projects.all_projects()}
    with st.container(key="m_list"):
        for each in listed[:MOST]:
            line(each, known)


def line(job: Job, known: set[str]) -> None:
    """What it was, how it ended, when, how long it took, and a button to what came of it."""
    reason, took = why(job), "" if job.started is None else f" · {ui.duration(job.ended - job.started)}"
    under = f'<p class="m-note">{ui.html(reason, 400)}</p>' if reason else ""
    place = what_came_of(job, known)
    with st.container(key=f"m_row_{job.id}", horizontal=True, vertical_alignment="center", gap="medium"):
        st.html(f'<div class="m-line"><p class="m-what">{ui.html(title_of(job), 120)}</p>{under}</div>',
                width="stretch")
        st.html(f'<div class="m-line m-line-right"><p>{ui.chip(*ENDED[job.state])}</p>'
                f'<p class="m-note">{ui.html(ui.when(job.ended) + took)}</p></div>', width=210)
        if st.button("Open", key=f"m_open_{job.id}", icon=":material/arrow_forward:", icon_position="right",
                     disabled=place is None, help=None if place else "Nothing is left of it."):
            to(place, job.project if job.project in known else None)


def what_came_of(job: Job, known: set[str]) -> Place | None:
    """The page that shows it; None where nothing is left of it.

    known  ids of the projects that are there
    """
    if job.result and gallery.is_there(job.result.get("run", "")):
        return "evaluate", {"run": job.result["run"]}
    if job.kind == "continue" and not gallery.is_there(job.payload["run"]):
        return None
    if job.kind == "continue" and job.project is None or job.project in known and job.kind in TRAININGS:
        return "train", {"job": job.id}
    return ("scan", {}) if job.kind == "scan" and job.project in known else None


def to(place: Place, project: str | None) -> None:
    """Open a page in a project, or in none."""
    step, ids = place
    if project is None:
        ui.forget("project")
        ui.go(step, **ids)
    ui.go(step, project=project, **ids)


def why(job: Job) -> str:
    """Why a job could not be done and what to do; nothing for the others."""
    error = job.error or {}
    return f"{error.get('what', '')} {error.get('fix', '')}".strip() if job.state == "failed" else ""
