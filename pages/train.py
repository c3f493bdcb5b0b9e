"""Train: one training, live. What it is comes from its job's id, so an older one is never shown for it."""

from __future__ import annotations

import worker
from medml import gallery
from medml import project as projects
from medml.store import Job
from medml.types import Task
from pages import _ui as ui
from pages import _ui_live as shown
from pages import _ui_stamps as stamps

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


def task_of(job: Job) -> Task:
    """Which task a job trains: from its frozen configuration, or from the run that it goes on with."""
    if "config" in job.payload:
        return job.payload["config"]["choice"]["task"]
    return gallery.open_run(job.payload["run"]).report.task


def heading_of(job: Job) -> str:
    """What is trained, in a few words."""
    if "config" in job.payload:
        return str(job.payload["config"]["name"])
    rounds = ui.count(int(job.payload["rounds"]), "more round")
    return f"{gallery.open_run(job.payload['run']).label.name}: {rounds}"


def ending(job: Job) -> None:
    """What became of a job that has ended, and what to do then."""
    if job.state == "failed":
        error = job.error or {}
        ui.say("stop", error.get("what", "The training could not be done."), error.get("fix", "Try again."))
    elif job.state == "stopped" and not job.result:
        ui.say("note", "The training was stopped before there was anything to keep.",
               "Start it again on the Configure page.")
    elif job.result:
        stamps.strip(gallery.open_run(job.result["run"]).report)


def waiting(job: Job) -> None:
    """When a queued training will start, as far as can be told."""
    if job.state == "queued":
        start = worker.expected(job.id).start
        words = f"It starts {ui.when(start)}." if start is not None else "It starts when those before it are done."
        ui.note(f"{words} The Jobs page shows what is ahead of it.")


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
        job = shown.live(job.id, task_of(job), heading_of(job))
        waiting(job)
        ending(job)
        if ui.next_button("See the result", "evaluate", disabled=not job.result):
            ui.go("evaluate", run=job.result["run"])
