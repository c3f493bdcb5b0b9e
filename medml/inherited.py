"""Runs that another machine made: they belong to whom their project belongs.

Machines that share a queue share the folder of projects and runs; accounts, and who owns what, are kept by the machine
that serves the app. A run is noted as somebody's by whoever made it, so there one from elsewhere is nobody's until this
has looked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pydantic import ValidationError

from medml import home
from medml.store import accounts as store
from medml.types import Value


class RunList(Value):
    """runs.json of a project: ids, oldest first."""

    runs: list[str] = []


def look() -> None:
    """Give every run that is in a project's list, and nobody's yet, to whom that project belongs."""
    owned, owners = store.owners("run"), store.owners("project")
    for project, owner in owners.items():
        for run in runs(project):
            if run not in owned:
                store.give("run", run, owner)


def runs(project: str) -> Iterator[str]:
    """Those of a project's list that are there."""
    with suppress(OSError, ValidationError):
        for run in home.read_model(home.projects_folder() / project / "runs.json", RunList).runs:
            if (home.runs_folder() / run).is_dir():
                yield run
