"""Train: one training, live. What it is comes from its job's id, so an older one is never shown for it."""

from __future__ import annotations

import time

import streamlit as st

import worker
from medml import gallery
from medml import project as projects
from medml.store import Job
from pages import _ui as ui
from pages import _ui_again as again
from pages import _ui_live as shown
from pages import _ui_stamps as stamps
from pages._ui_morning import by_morning

TITLE = "Train"
LEAD = "The training runs by itself. You may close the browser: it goes on, and this page shows it again."
KINDS = ("train", "continue")


def job_of(project: projects.Project | None) -> Job | None:
    """The job named in the address if it is one of this project's trainings, else the project's latest training.

    Without a project: the job in the address, if it goes on with a run that belongs to none.
    """
    name = project.id if project is not None else None
    ours = [each for each in worker.jobs(project=name) if each.kind in KINDS and each.project == name]
    wanted = ui.current("job")
    chosen = next((each for each in ours if each.id == wanted), None) or next(iter(ours if name else []), None)
    if chosen is not None:
        ui.remember("job", chosen.id)
    return chosen


def subject_of(job: Job) -> shown.Subject:
    """What a job trains. UserError where the run that it goes on with is gone."""
    if "config" in job.payload:
        config = job.payload["config"]
        return shown.Subject(str(config["name"]), config["family"], config["choice"]["task"])
    run, rounds = gallery.open_run(job.payload["run"]), ui.count(int(job.payload["rounds"]), "more round")
    return shown.Subject(f"{run.label.name}: {rounds}", run.config.family, run.report.task)


def waiting(job: Job) -> None:
    """When a queued training will start, as far as can be told."""
    ready = worker.ready()
    start = next((each.expected.start for each in ready if each.job.id == job.id), None)
    words = f"It starts {ui.when(start)}." if start is not None else "It starts when those before it are done."
    ready = by_morning(job, ready)
    words = f"{words} {ready}." if ready else words
    ui.note(f"{words} The Jobs page shows what is ahead of it, and can start it sooner or later.")


def ended_with_nothing(job: Job) -> None:
    """The one way on: once more as it was, or back to where it can be changed."""
    where = ("Back to the model", "evaluate") if job.kind == "continue" else ("Change the settings", "configure")
    stale = again.is_stale(job)
    if ui.next_button("Go to Configure" if stale else "Try again", "configure" if stale else "train",
                      beside=None if stale else lambda: elsewhere(job, *where)):
        if stale:
            ui.go("configure")
        ui.go("train", job=again.queue(job))


def elsewhere(job: Job, label: str, step: str) -> None:
    """The other way on, quietly."""
    if st.button(label, key="m_elsewhere"):
        ui.go(step, **({"run": job.payload["run"]} if step == "evaluate" else {}))


def ended(job: Job) -> None:
    """What became of a training that left something, and the way to it."""
    run = gallery.open_run(job.result["run"])
    stamps.strip(run.report)
    if ui.next_button("See the result", "evaluate"):
        ui.go("evaluate", run=run.run)


def one(job: Job) -> None:
    """One training, live, and the one thing to do next."""
    job = shown.live(job, subject_of(job))
    if job.result:
        ended(job)
    elif job.ended_for_good:
        ended_with_nothing(job)
    elif job.state == "queued" and job.not_before > time.time():
        waiting(job)
        if ui.next_button("Go to Jobs", "jobs"):
            ui.go("jobs")
    else:
        if job.state == "queued":
            waiting(job)
        ui.next_button("See the result", "evaluate", disabled=True)


def nothing(project: projects.Project | None) -> None:
    """No training to show, and where to find or start one."""
    if project is None:
        ui.empty("No project is open.", "Choose one on the Projects page, or start a new one.")
    else:
        ui.empty("Nothing has been trained in this project yet.", "Start a training on the Configure page.")
    title, step = ("Go to Projects", "home") if project is None else ("Go to Configure", "configure")
    if ui.next_button(title, step):
        ui.go(step)


with ui.page(TITLE, step="train", lead=LEAD, project_required=False) as opened:
    job = job_of(opened)
    if job is None:
        nothing(opened)
    else:
        one(job)
