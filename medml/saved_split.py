"""The split as a run keeps it: who stood on which side, by keyed hash; read back for the checks (L2, L7, G1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medml import home
from medml.cases import Cases, Fold
from medml.errors import UserError


@dataclass(frozen=True, slots=True)
class SavedSplit:
    """What split.npz says.

    folds     positions of both sides of every fold;   held_out  positions of the part kept closed, or empty
    cases     (n,) name of every case;   patients  (n,) name of its patient, equal for rows of one patient
    """

    folds: list[Fold]
    held_out: np.ndarray
    cases: np.ndarray
    patients: np.ndarray

    def fold(self, repeat: int, number: int) -> Fold | None:
        """The fold of that number; None where the file has none."""
        return next((each for each in self.folds if (each.repeat, each.number) == (repeat, number)), None)


def case_names(cases: Cases, data_sha256: str) -> np.ndarray:
    """(n,) a name for every case that means nothing without the installation's key."""
    hashed = home.hasher()
    return np.array([hashed("case", data_sha256, str(row)) for row in cases.rows.tolist()])


def known_names(cases: Cases, data_sha256: str, kept: np.ndarray) -> np.ndarray:
    """As `case_names`, of cases of the very table that a run named as `kept`.

    raises  UserError where it knows none of them: they were named under another key
    """
    names = case_names(cases, data_sha256)
    if len(names) and len(kept) and not np.isin(names, kept).any():
        raise UserError(what="The key of MedML's folder under which this model was trained is gone, so it cannot be "
                        "told which row of your table is which of its cases. Your table and the model are unchanged.",
                        fix="Put the file keys/secret back from a backup, or train the model again.", code="other_key")
    return names


def patient_names(cases: Cases, data_sha256: str) -> np.ndarray:
    """(n,) the same for patients: equal for rows of one patient."""
    hashed = home.hasher()
    codes, back = np.unique(cases.patients, return_inverse=True)
    return np.array([hashed("patient", data_sha256, str(code)) for code in codes.tolist()])[back]


def write(path: Path, cases: Cases, data_sha256: str, folds: list[Fold], held_out: np.ndarray) -> None:
    """Both sides of every fold and the closed part, as positions into the cases; and the cases' names."""
    sides = {f"{side} {fold.repeat}-{fold.number}": getattr(fold, side).astype(np.int32)
             for fold in folds for side in ("train", "test")}
    home.write_arrays(path, cases=case_names(cases, data_sha256), patients=patient_names(cases, data_sha256),
                      held_out=held_out.astype(np.int32), **sides)


def read(path: Path) -> SavedSplit:
    """What `write` wrote. FileNotFoundError if it is gone, KeyError or ValueError if it is no split."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    names = [name.split(" ")[1] for name in arrays if name.startswith("test ")]
    folds = [Fold(arrays[f"train {name}"].astype(np.int64), arrays[f"test {name}"].astype(np.int64),
                  *(int(part) for part in name.split("-"))) for name in names]
    return SavedSplit(folds, arrays["held_out"].astype(np.int64), arrays["cases"], arrays["patients"])


def rows_sha256(positions: np.ndarray) -> str:
    """A name for a set of rows: equal only where the very same rows are in it, in whatever order."""
    return hashlib.sha256(np.sort(np.asarray(positions)).astype("<i8").tobytes()).hexdigest()
