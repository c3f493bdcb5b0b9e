"""Keep how an export went, and ask how the last one went (G2)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from medml import exported, gallery, home, righted
from medml.errors import UserError
from medml.exported import ExportRecord, Parity
from medml.types import Check

if TYPE_CHECKING:
    from medml.predict import Predictor


def keep(predictor: Predictor, parity: Parity, content: bytes, sha256: str) -> ExportRecord:
    """Write down how an export went, in place of the one before; UserError as `unturned`."""
    run = predictor.run
    record = ExportRecord(made=datetime.now(UTC).isoformat(timespec="seconds"), checkpoint=run.chain.current,
                          parity=parity, bytes=len(content), sha256=sha256, put_right=predictor.steps is not None)
    with unturned(run, put_right=record.put_right) as folder:
        path = exported.place(folder, run.chain.current)
        home.ensure(path.parent)
        files = exported.downloads(folder, run.chain.current).values()  # of the export before: they go with its record
        home.write_first(path, record.model_dump_json(indent=2).encode(), then=dict.fromkeys(files))
    return record


@contextlib.contextmanager
def unturned(run: gallery.Run, *, put_right: bool) -> Iterator[Path]:
    """`gallery.changing`, and only while answers are put right, or not, as they were when the file was begun: what is
    kept else says other numbers than the run. UserError where somebody turned the switch meanwhile."""
    with gallery.changing(run.run) as folder:
        if righted.is_on(run) != put_right:
            raise UserError(what="Whether answers are put right was changed while the file was being written.",
                            fix="Export once more. No file was kept.", code="turned")
        yield folder


def record_of(run: gallery.Run) -> ExportRecord | None:
    """How the last export of the run's current checkpoint went; None where there was none."""
    return exported.record_of(run.folder, run.chain.current)


def g2(run: gallery.Run) -> Check:
    """The check G2 of RIGOUR.md on a run as it stands now."""
    return exported.check(record_of(run), exported.asked_about(run.config))
