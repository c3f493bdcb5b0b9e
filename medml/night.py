"""What the queue did over the night: what ran, for how long, with which result, what failed and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medml import gallery, store
from medml.ahead import TRAININGS
from medml.clock import duration
from medml.errors import UserError
from medml.evaluate import headline
from medml.evaluate.words import title
from medml.store import Job
from medml.terminal import figure

_HOW = {"done": "done", "stopped": "stopped by hand", "failed": "could not be done"}


@dataclass(frozen=True, slots=True)
class Came:
    """A training that has ended, and what came of it."""

    job: Job
    seconds: float | None  # of work, all attempts together
    result: str  # "AUROC 0.870 (0.812 to 0.921)", "" where nothing came of it or it is gone
    why: str  # it could not be done: what happened and what to do


def came(job: Job, *, with_result: bool = True) -> Came:
    """What came of one job that has ended. with_result  its figure too, for which its run is opened"""
    error = (job.error or {}) if job.state == "failed" else {}
    return Came(job, worked(job), result_of(job) if with_result else "",
                f"{error.get('what', '')} {error.get('fix', '')}".strip())


def worked(job: Job) -> float | None:
    """Seconds that a job was worked on: its last attempt until its last sign of life, since the job may have waited
    before it was stopped, and those before it that were killed or gave way, from their first word to their last. None
    where it never began."""
    if not (job.ended and job.started):
        return None
    before = store.seconds_of_attempts(job.id) if job.attempt > 1 else {}
    last = max(0.0, min(job.ended, job.heartbeat or job.ended) - job.started)
    return last + sum(each for attempt, each in before.items() if attempt != job.attempt)


def since(moment: float) -> list[Came]:
    """Every training that ended after that moment (seconds since 1970, UTC), the first one first."""
    ended = [each for each in store.jobs(state=store.ENDED)
             if each.kind in TRAININGS and each.ended and each.ended >= moment]
    return [came(each) for each in sorted(ended, key=lambda each: each.ended)]


def result_of(job: Job) -> str:
    """The headline figure with its interval of the run that a job made, where it is still there."""
    run = (job.result or {}).get("run", "")
    if not run or not gallery.is_there(run):
        return ""
    try:
        report = gallery.open_run(run).report
    except UserError:  # damaged since: the gallery says so
        return ""
    name = headline(report)
    return " ".join([f"{title(name)} {figure(report.metrics.get(name))}", *(f"· {each}" for each in report.happened)])


def summed_up(listed: Sequence[Came]) -> str:
    """In one sentence: "3 trainings in 5.2 h: 2 done, 1 could not be done.\""""
    n = len(listed)
    if not n:
        return "No training ended in this time."
    counts = {words: sum(each.job.state == state for each in listed) for state, words in _HOW.items()}
    how = ", ".join(f"{k} {words}" for words, k in counts.items() if k)
    return f"{n} training{'s' * (n > 1)} in {duration(sum(each.seconds or 0.0 for each in listed))}: {how}."
