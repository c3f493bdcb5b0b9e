"""What is kept of an export: that it was tried, how far apart file and model were, and the hash of the file (G2)."""

from __future__ import annotations

from datetime import UTC, datetime

from medml import gallery, home
from medml.export.parity import Parity
from medml.types import Check
from medml.value import Value

FOLDER = "exports"
TITLE = "The exported file says the same"


class ExportRecord(Value):
    """The last export of one checkpoint of a run; runs/<run>/exports/<checkpoint>.json."""

    made: str
    checkpoint: int
    parity: Parity
    bytes: int
    sha256: str = ""  # of the file; empty where none was handed out

    @property
    def passed(self) -> bool:
        return bool(self.sha256)


def keep(run: gallery.Run, parity: Parity, content: bytes, sha256: str) -> ExportRecord:
    """Write down how an export went, in place of the one before."""
    record = ExportRecord(made=datetime.now(UTC).isoformat(timespec="seconds"), checkpoint=run.chain.current,
                          parity=parity, bytes=len(content), sha256=sha256)
    with gallery.changing(run.run) as folder:
        home.write_model(home.ensure(folder / FOLDER) / f"{run.chain.current}.json", record)
    return record


def record_of(run: gallery.Run) -> ExportRecord | None:
    """How the last export of the run's current checkpoint went; None where there was none."""
    path = run.folder / FOLDER / f"{run.chain.current}.json"
    return home.read_model(path, ExportRecord) if path.exists() else None


def g2(run: gallery.Run) -> Check:
    """The check G2 of RIGOUR.md on a run as it stands now."""
    record = record_of(run)
    if record is None:
        return Check(id="G2", title=TITLE, verdict="could_not_tell", what="This model was not exported yet.",
                     fix="Nothing to do: the comparison is made before every export.")
    parity = record.parity
    figures = {"rows": float(parity.n_rows + parity.n_own), "empty cells": float(parity.n_missing),
               "unseen categories": float(parity.n_unseen), "largest difference": parity.difference,
               "silences that differ": float(parity.reasons_differ)}
    if not record.passed:
        return Check(id="G2", title=TITLE, verdict="block", figures=figures, what=differs(parity),
                     fix="Use the model inside MedML; no file was handed out. Please report this fault.")
    what = (f"On {parity.n_rows + parity.n_own:,} rows the exported file and the model differed by at most "
            f"{parity.difference:.1e}.")
    return Check(id="G2", title=TITLE, verdict="pass", figures=figures, what=what)


def differs(parity: Parity) -> str:
    """Why a file was not handed out, in one sentence."""
    if parity.reasons_differ:
        return (f"The exported file would stay silent for other reasons than the model, or where the model answers, in "
                f"{parity.reasons_differ:,} of {parity.n_rows + parity.n_own:,} rows.")
    return (f"The exported file would differ from the model by up to {parity.difference:.2g}; "
            f"less than {parity.limit:g} is allowed.")
