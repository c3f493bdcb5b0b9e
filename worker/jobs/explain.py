"""Explain a run as a whole, make a bedside score of it, or say what doing without some predictors costs."""

from __future__ import annotations

from typing import Any

from medml.store import Job
from medml.watch import Watch
from worker.jobs import Kind, registry, source_of_run


def explain(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, project (optional)} -> {run}."""
    from medml.explain.overall import overall

    overall(job.payload["run"], source_of_run(job.payload), watch=watch)
    return {"run": job.payload["run"]}


def score(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, most: predictors at most, of: a class (optional), project (optional)} -> {run}."""
    from medml.explain.bedside import bedside

    bedside(job.payload["run"], source_of_run(job.payload), most=job.payload["most"],
            of=job.payload.get("of") or "", watch=watch)
    return {"run": job.payload["run"]}


def without(job: Job, watch: Watch) -> dict[str, Any]:
    """payload {run, left_out: [{column, why}], project (optional)} -> {run}."""
    from medml.explain.found import Costly
    from medml.explain.without import without as left_out

    marked = [Costly.model_validate(each) for each in job.payload["left_out"]]
    left_out(job.payload["run"], marked, source_of_run(job.payload), watch=watch)
    return {"run": job.payload["run"]}


registry.add("explain", Kind("explain", "Explain", "quick", explain))
registry.add("score", Kind("score", "Bedside score", "quick", score))
registry.add("without", Kind("without", "Do without", "train", without))
