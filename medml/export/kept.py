"""Files for download, made by a job and kept beside the run until its checkpoint is exported again."""

from __future__ import annotations

from pathlib import Path

from medml import gallery, home, righted
from medml.export.capsule import capsule
from medml.export.package import as_zip, package
from medml.export.record import record_of, unturned
from medml.exported import ExportRecord, downloads
from medml.watch import Watch


def make(run: str, *, watch: Watch | None = None) -> ExportRecord:
    """Write both downloads of a run's current checkpoint: the model with what lies beside it, and the capsule.

    raises  UserError as `package` does; nothing that failed the comparison is kept
    """
    found = package(run, watch=watch)
    files = {"model": as_zip(found.files()), "capsule": capsule(found)}
    with unturned(found.run, put_right=found.record.put_right) as folder:
        for sort, content in files.items():
            home.write_bytes(downloads(folder, found.run.chain.current)[sort], content)
    return found.record


def ready(run: gallery.Run) -> dict[str, Path]:
    """Which downloads of the current checkpoint are there: "model", "capsule"; none after a blocked export."""
    record = record_of(run)
    places = downloads(run.folder, run.chain.current)
    said = record is not None and record.passed and record.put_right == righted.is_on(run)
    return places if said and all(each.exists() for each in places.values()) else {}
