"""The co-pilot: what may be read of a state of the work, and what is said about it. No screen, nothing leaves."""

from medml.copilot.facts import STAGES, Snapshot, Stage
from medml.copilot.snapshot import snapshot, snapshot_of_project, snapshot_of_run
from medml.copilot.told import as_text

__all__ = ["STAGES", "Snapshot", "Stage", "as_text", "snapshot", "snapshot_of_project", "snapshot_of_run"]
