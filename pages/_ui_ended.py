"""Work that has ended: one line each, and the way to what came of it."""

from __future__ import annotations

import streamlit as st

from medml import clock, gallery, night
from medml import project as projects
from medml.ahead import TRAININGS
from medml.store import Job
from pages import _ui as ui
from pages._ui_bar import title_of

ENDED = {"done": ("Done", "teal"), "failed": ("Could not be done", "stop"), "stopped": ("Stopped", "caution")}
MOST = 30  # lines shown of before the last evening
LOOKED_AT = 300  # of the newest; all since the last evening are among them
Place = tuple[str, dict[str, str]]  # a page, and the ids that it needs


def ended(listed: list[Job]) -> None:
    """What has ended, the newest first; since the last evening apart, with what came of it."""
    evening = clock.evening()
    last = [each for each in listed if each.ended >= evening]
    before = [each for each in listed if each.ended < evening][:MOST]
    trainings = [night.came(each, with_result=False) for each in last if each.kind in TRAININGS]
    known = projects.ids()
    rows("last", f"Since {ui.when(evening)}", last, known, night.summed_up(trainings) if trainings else "")
    rows("before", "Ended before" if last else "Ended", before, known)


def rows(key: str, title: str, listed: list[Job], known: set[str], words: str = "") -> None:
    """One list of them; what came of a training since the last evening is read of those that are drawn."""
    if listed:
        ui.section(title, words)
        with st.container(key=f"m_list_{key}"):
            ui.rows(listed, lambda each: line(night.came(each, with_result=key == "last" and each.kind in TRAININGS),
                                              known), key)


def line(came: night.Came, known: set[str]) -> None:
    """What it was, what came of it, when, how long it took, and a button to it."""
    job, took = came.job, "" if came.seconds is None else f" · {ui.duration(came.seconds)}"
    said = came.why or came.result
    under = f'<p class="m-note">{ui.html(said, 400)}</p>' if said else ""
    place = what_came_of(job, known)
    with st.container(key=f"m_row_{job.id}", horizontal=True, vertical_alignment="center", gap="medium"):
        st.html(f'<div class="m-line-whole"><div class="m-line"><p class="m-what">{ui.html(title_of(job), 120)}</p>'
                f'{under}</div><div class="m-line m-line-right"><p>{ui.chip(*ENDED[job.state])}</p>'
                f'<p class="m-note">{ui.html(ui.when(job.ended) + took)}</p></div></div>', width="stretch")
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
