"""What is kept of an export: how far the file and the model were apart on how many rows, and the file's hash (G2).

    runs/<run>/exports/<checkpoint>.json     the last export of that checkpoint; aggregates alone
"""

from __future__ import annotations

from pathlib import Path

from medml import home
from medml.evaluate.catalogue import TITLES, found
from medml.types import Check, Report, TrainConfig
from medml.value import Value

FOLDER = "exports"
SORTS = ("model", "capsule")
LIMIT = 1e-4  # a difference of probability that blocks the export; for a number, a share of its usual range
FEWEST = 200  # rows that must have been compared


class Parity(Value):
    """What was compared, and how far apart the two were at most.

    n_rows           rows made up from what the columns hold, or pictures;   n_own  rows of the clinician's own table
    n_missing, n_unseen  cells among both that were empty, or held a category that training did not know
    difference       largest difference of a probability; of a number, in shares of its usual range
    reasons_differ   rows in which the reasons for no answer, or the columns that they name, are not the same
    """

    n_rows: int
    n_own: int = 0
    n_missing: int
    n_unseen: int
    difference: float
    reasons_differ: int = 0
    limit: float = LIMIT

    @property
    def holds(self) -> bool:
        return self.difference < self.limit and not self.reasons_differ and self.n_rows + self.n_own >= FEWEST


class ExportRecord(Value):
    """The last export of one checkpoint of a run."""

    made: str
    checkpoint: int
    parity: Parity
    bytes: int
    sha256: str = ""  # of the file; empty where none was handed out
    put_right: bool = False  # whether its answers go through the map of medml.righted

    @property
    def passed(self) -> bool:
        return bool(self.sha256)


def place(folder: Path, checkpoint: int) -> Path:
    """Where the record of a checkpoint lies in a run's folder."""
    return folder / FOLDER / f"{checkpoint}.json"


def downloads(folder: Path, checkpoint: int) -> dict[str, Path]:
    """Where the files for download of a checkpoint lie in a run's folder, by sort."""
    return {sort: folder / FOLDER / f"{checkpoint}-{sort}.zip" for sort in SORTS}


def record_of(folder: Path, checkpoint: int) -> ExportRecord | None:
    """How the last export of that checkpoint went; None where there was none."""
    path = place(folder, checkpoint)
    return home.read_model(path, ExportRecord) if path.exists() else None


def asked_about(config: TrainConfig) -> str:
    """What file and model were asked about, as a sentence counts it."""
    return "rows" if config.choice.pictures is None else "pictures"


def check(record: ExportRecord | None, asked: str) -> Check:
    """G2 as it stands after that export.   asked  what `asked_about` says"""
    if record is None:
        return found("G2", "info", "Not exported yet: file and model are compared before a file is handed out.")
    parity = record.parity
    figures = {"rows": parity.n_rows + parity.n_own, "empty_cells": parity.n_missing,
               "unseen_categories": parity.n_unseen, "largest_difference": parity.difference,
               "silences_that_differ": parity.reasons_differ}
    if not record.passed:
        return found("G2", "block", differs(parity, asked), "Use the model inside MedML: no file was handed out. "
                                                            "Please report this fault.", **figures)
    within = next(each for each in ("0.000001", "0.00001", "0.0001") if parity.difference < float(each))
    own = f" and {parity.n_own:,} of your own" if parity.n_own else ""
    return found("G2", "pass", f"On {parity.n_rows:,} made-up {asked}{own} the exported file and the model differed by "
                               f"less than {within}.", **figures)


def differs(parity: Parity, asked: str) -> str:
    """Why a file was not handed out, in one sentence."""
    if parity.reasons_differ:
        return (f"The exported file would stay silent for other reasons than the model, or where the model answers, in "
                f"{parity.reasons_differ:,} of {parity.n_rows + parity.n_own:,} {asked}.")
    return (f"The exported file would differ from the model by up to {parity.difference:.2g}; "
            f"less than {parity.limit:g} is allowed.")


def with_export(report: Report, folder: Path, checkpoint: int) -> Report:
    """The report as it stands today: with G2, in its place among the checks."""
    order = list(TITLES)
    others = [each for each in report.checks if each.id != "G2"]
    record = record_of(folder, checkpoint)
    asked = "" if record is None else asked_about(home.read_model(folder / "config.json", TrainConfig))
    checks = sorted([*others, check(record, asked)], key=lambda each: order.index(each.id))
    return report.model_copy(update={"checks": checks})
