"""Keep how an export went, and ask how the last one went (G2)."""

from __future__ import annotations

from datetime import UTC, datetime

from medml import exported, gallery, home
from medml.exported import ExportRecord, Parity
from medml.types import Check


def keep(run: gallery.Run, parity: Parity, content: bytes, sha256: str) -> ExportRecord:
    """Write down how an export went, in place of the one before."""
    record = ExportRecord(made=datetime.now(UTC).isoformat(timespec="seconds"), checkpoint=run.chain.current,
                          parity=parity, bytes=len(content), sha256=sha256)
    with gallery.changing(run.run) as folder:
        path = exported.place(folder, run.chain.current)
        home.ensure(path.parent)
        home.write_model(path, record)
    return record


def record_of(run: gallery.Run) -> ExportRecord | None:
    """How the last export of the run's current checkpoint went; None where there was none."""
    return exported.record_of(run.folder, run.chain.current)


def g2(run: gallery.Run) -> Check:
    """The check G2 of RIGOUR.md on a run as it stands now."""
    return exported.check(record_of(run))
