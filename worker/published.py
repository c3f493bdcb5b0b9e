"""A run that a training published just before its process was ended: entered in its project, and the training is done.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from medml import home, store
from medml.errors import UserError
from medml.store import Job

log = logging.getLogger(__name__)


def entered(job: Job) -> dict[str, Any] | None:
    """The result of a training whose run stands in the gallery already, {run}; None where it has none there.

    raises  UserError where the list of the project's runs cannot be written just now
    """
    config, owner = job.payload.get("config"), job.payload.get("project")
    made = home.run_name(job.id, config["family"]) if config else ""
    if not made or not (home.runs_folder() / made).is_dir():
        return None
    from medml import gallery, overrides, project  # late: a worker needs them here alone

    if (home.projects_folder() / str(owner) / "project.json").is_file():  # else it was deleted meanwhile
        project.add_run(owner, made)
    with contextlib.suppress(UserError):  # damaged since: the gallery says so, and nobody has seen its scores
        opened = gallery.open_run(made)
        overrides.remember(opened.config, opened.recipe, opened.report)
    return {"run": made}


def settled(job: Job) -> bool:
    """Whether an attempt that was ended had published its run; its job is done then, however the process ended."""
    try:
        row = store.get(job.id)
    except KeyError:
        return False  # the shared queue has forgotten it
    if row.token != job.token or row.state != "running":
        return False
    result = entered(row)
    if result is None:
        return False
    log.warning("job %s had published its run before its process was ended", job.id)
    return store.finish(job.id, job.token, "done" if row.heard is None else "stopped", result=result)
