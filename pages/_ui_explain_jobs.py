"""Explanations that take a while: handed to the worker, shown while they run, and why one could not be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

import worker
from medml import project as projects
from medml.gallery import Run
from medml.store import Job
from pages import _ui as ui
from pages import _ui_chain as going_on
from pages._ui_jobs import Halt

HALT = Halt("Stop", "If you stop: nothing of it is kept; the model stays as it is.")


def source_of(run: Run) -> Path:
    """Where the table of a run lies now. UserError where it is gone."""
    project = going_on.project_of(run.run)
    return Path(projects.check_source(projects.get(project).source if project else run.source))


def latest(run: Run, kind: str) -> Job | None:
    """The newest job of that kind for this run and checkpoint; None where there was none."""
    return next((each for each in worker.jobs() if each.kind == kind and each.payload.get("run") == run.run
                 and each.payload.get("checkpoint") == run.chain.current), None)


def ask(run: Run, kind: str, **more: Any) -> None:
    """Hand it in and draw the page again, with its bar."""
    project = going_on.project_of(run.run)
    worker.enqueue(kind, {"run": run.run, "checkpoint": run.chain.current, "project": project} | more, project=project)
    st.rerun()


def bar(job: Job | None) -> None:
    """A job at work, or why the last one could not be done; nothing where it was done or stopped."""
    if job is None or job.state in ("done", "stopped"):
        return
    if job.state == "failed":
        error = job.error or {}
        ui.say("stop", error.get("what", "This could not be worked out."), error.get("fix", "Try again."))
        return
    ui.job_bar(job.id, halt=HALT)
