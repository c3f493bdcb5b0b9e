"""The line of one job, as HTML: what it does, how far it is, how long it has taken, what it last said."""

from __future__ import annotations

import time

import worker
from medml import project as projects
from medml.errors import UserError
from medml.store import WAITING, Job
from pages._ui_words import count, duration, html

KINDS = {"scan": "Scan", "train": "Training", "continue": "More rounds", "held_out": "Opening the part kept closed",
         "external": "Judging it on other patients", "forecast": "What more patients would bring",
         "export": "Writing the model file", "explain": "Explanation", "score": "Bedside score",
         "predict": "Answering a file", "without": "Training without some predictors",
         "documents": "Reading documents"}
PAUSED = "Paused until you let it go on"
_WORDS = {"queued": "Waiting for its turn", "running": "Working", "interrupted": "Interrupted, will go on by itself",
          "done": "Done", "failed": "Could not be done", "stopped": "Stopped"}


def words_of(job: Job) -> str:
    """What it does just now, in a few words."""
    if job.ended_for_good:
        return _WORDS[job.state]
    if job.stop is not None:
        return _ending(job)
    if job.is_paused:
        return PAUSED
    if job.state == "running" and job.paused is not None:
        return "Pausing at the next safe point"
    if job.state == "running" and job.resting is not None:
        return "Giving way at the next safe point"
    if worker.rests(job):
        return "Resting in the quiet hours; goes on by itself"
    return job.stage[:1].upper() + job.stage[1:] if job.state == "running" and job.stage else _WORDS[job.state]


def _ending(job: Job) -> str:
    """What is left to do after a stop: a round to end, then its best to be measured, which a pause puts off."""
    if job.is_finishing and job.paused is None and not job.is_judging:
        return "Stopped; what it has learned is measured once it is its turn" if job.state in WAITING else \
            "Stopped; what it has learned is taken up to be measured"
    if not (job.is_judging and worker.resumes(job.kind)):  # of other work nothing is kept, nor measured
        return "Stopping at the next safe point"
    return "Learning has ended; what is kept is measured" if job.paused is None else "Putting the measuring off"


def bar(job: Job, title: str = "", more: str = "") -> str:
    """The HTML of one job's line: what it does, how far it is, how long it has taken; `more` after its sentence."""
    share = 1.0 if job.state == "done" else max(0.0, min(1.0, job.fraction))
    words = words_of(job)
    said = " · ".join(each for each in (_sentence(job), more) if each)
    name = f'<span class="m-job-title">{html(title)}</span>' if title else ""
    return (f'<div class="m-job m-job-{job.state}" role="status">{name}'
            f'<div class="m-job-head"><span>{html(words)}</span>'
            f'<span class="m-job-time">{html(_time(job))}</span></div>'
            f'<div class="m-track" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{100 * share:.0f}" aria-label="{html(words)}">'
            f'<span style="width:{100 * share:.1f}%"></span></div>'
            f'<p class="m-job-said" title="{html(said, 300)}">{html(said, 300) or "&nbsp;"}</p></div>')


def _time(job: Job) -> str:
    if job.started is None or job.state in ("queued", "interrupted"):
        return ""
    took = (job.ended or time.time()) - job.started
    return f"{100 * job.fraction:.0f} % · {duration(took)}" if job.state == "running" else duration(took)


def _sentence(job: Job) -> str:
    if job.state == "failed":
        return ""  # what could not be done stands on the page in full
    if job.halved and not job.ended_for_good:
        share = "half" if job.halved == 1 else "a quarter"
        return f"{job.message} (the memory ran out; it began anew with {share} as many rows a step)".strip()
    if job.state == "running" and job.attempt > 1:
        return f"{job.message} ({count(job.attempt)} starts: it went on from its last checkpoint)"
    return job.message


def title_of(job: Job) -> str:
    """What it does, for which project."""
    what = KINDS.get(job.kind, job.kind.replace("_", " ").capitalize())
    name = job.payload.get("config", {}).get("name", "")
    try:
        where = projects.name_of(job.project) if job.project else ""
    except UserError:
        where = "project removed"
    return " · ".join(each for each in (what, name, where) if each)
