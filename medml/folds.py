"""What a fold leaves behind, and how it is put aside for a restart and read back. Models, counts, names: no rows."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medml import home
from medml.cases import Cases, Fold
from medml.errors import UserError
from medml.evaluate.context import FoldFacts
from medml.families import Family
from medml.pipeline import Matrix, PictureMatrix, Pipeline, load_matrix
from medml.types import Point, SelectionScore, TrainConfig

WRITTEN = 2.0  # least seconds between two times that a fit's trees so far are put aside


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from a fold's training rows before its model.

    kept          columns of the table that selection kept; all where it is off
    n_parameters  encoded columns before any selection (N1, N2)
    note          by what means columns were selected
    """

    matrix: Matrix | PictureMatrix
    facts: FoldFacts
    kept: list[str]
    n_parameters: int
    note: str


@dataclass(frozen=True, slots=True)
class FittedFold:
    """One fold with its model and its predictions for its own test rows.

    p             (n_test, n_classes), or (n_test,) for a number;   baseline  the same, by plain regression
    train_figure  headline figure on its own training rows (E8)
    """

    fold: Fold
    pipeline: Pipeline
    p: np.ndarray
    baseline: np.ndarray
    learned: Learned
    train_figure: float
    points: list[Point]


def name_of(fold: Fold) -> str:
    return f"{fold.repeat}-{fold.number}"


def gather(folds: list[FittedFold], n_cases: int) -> tuple[np.ndarray, np.ndarray]:
    """The folds' predictions and baselines in the order of the cases: (repeats, n, n_classes) or (repeats, n).

    NaN where a repeat left a case out of every test part.
    """
    repeats = 1 + max(each.fold.repeat for each in folds)
    p = np.full((repeats, n_cases, *folds[0].p.shape[1:]), np.nan)
    plain = np.full_like(p, np.nan)
    for each in folds:
        p[each.fold.repeat, each.fold.test] = each.p
        plain[each.fold.repeat, each.fold.test] = each.baseline
    return p, plain


# ---- selection, as the folds saw it ----------------------------------------------------------------------------

def selecting(config: TrainConfig) -> bool:
    """Whether columns are selected at all, by figures or by hand."""
    plan = config.selection
    return bool(plan.on or plan.forced_in or plan.forced_out)


def selection_scores(folds: list[FittedFold], config: TrainConfig, cases: Cases) -> list[SelectionScore]:
    """How often each column was kept, over all folds; nothing where selection is off."""
    if not selecting(config):
        return []
    plan = config.selection
    forced = dict.fromkeys(plan.forced_in, "in") | dict.fromkeys(plan.forced_out, "out")
    scores = [SelectionScore(column=name, forced=forced.get(name, ""),
                             frequency=round(sum(name in each.learned.kept for each in folds) / len(folds), 4))
              for name in cases.X.columns]
    return sorted(scores, key=lambda each: -each.frequency)


def selection_note(folds: list[FittedFold], config: TrainConfig) -> str:
    """By what means columns were selected, and whether a person had seen outcome-based scores before overriding."""
    notes = list(dict.fromkeys(each.learned.note for each in folds if each.learned.note))
    if config.selection.override_after_scores:
        notes.append("The lists of forced columns were changed after scores that use the outcome had been seen: "
                     "the figures may be too good.")
    return " ".join(notes)


# ---- put aside, read back --------------------------------------------------------------------------------------

def facts_of(learned: Learned) -> dict[str, Any]:
    """All of `learned` but the matrix, as JSON."""
    return {"facts": asdict(learned.facts), "kept": learned.kept, "n_parameters": learned.n_parameters,
            "note": learned.note}


def learned_from(facts: dict[str, Any], matrix: Matrix | PictureMatrix) -> Learned:
    """What `facts_of` wrote, with its matrix."""
    return Learned(matrix=matrix, facts=FoldFacts(**facts["facts"]), kept=facts["kept"],
                   n_parameters=facts["n_parameters"], note=facts["note"])


def keep_learned(folder: Path | None, learned: Learned, baseline: np.ndarray | None) -> None:
    """Put aside what took long: selection and baseline. learned.json is written last, so half of it is never read."""
    if folder is None:
        return
    learned.matrix.save(home.ensure(folder / "matrix"))
    if baseline is not None:
        home.write_array(folder / "baseline.npy", baseline)
    home.write_bytes(folder / "learned.json", json.dumps(facts_of(learned)).encode())


def read_learned(folder: Path | None) -> tuple[Learned, np.ndarray | None] | None:
    """What `keep_learned` put aside; None if there is nothing whole."""
    if folder is None or not (folder / "learned.json").exists():
        return None
    learned = learned_from(json.loads((folder / "learned.json").read_text()), load_matrix(folder / "matrix"))
    stored = folder / "baseline.npy"
    return learned, np.load(stored, allow_pickle=False) if stored.exists() else None


def keep_fold(done: FittedFold, folder: Path | None) -> None:
    """Put a finished fold aside; done.json is written last."""
    if folder is None:
        return
    shutil.rmtree(folder / "pipeline", ignore_errors=True)
    done.pipeline.save(folder / "pipeline")
    home.write_array(folder / "p.npy", done.p)
    home.write_array(folder / "plain.npy", done.baseline)
    rest = facts_of(done.learned) | {"train_figure": done.train_figure,
                                     "points": [point.model_dump() for point in done.points]}
    home.write_bytes(folder / "done.json", json.dumps(rest).encode())


class Stretches:
    """A fit that goes on in stretches, put aside at most every WRITTEN seconds, for families that keep no work of
    their own within a round."""

    def __init__(self, folder: Path | None, family: Family) -> None:
        self.folder = folder if family.round == "trees" else None
        self.family, self._written = family, time.monotonic()

    def take_up(self) -> Any | None:
        """What a killed attempt had put aside; None if there is nothing whole."""
        for name in () if self.folder is None else ("stretch", "stretch.part"):  # the newer took its place
            try:
                return self.family.load(self.folder / name)
            except UserError:
                continue  # absent, or killed while it was written
        return None  # this fit starts again, with the same numbers

    def maybe(self, fitted: Any) -> None:
        """Put it aside if the last time is long enough ago."""
        if time.monotonic() - self._written >= WRITTEN:
            self.write(fitted)

    def write(self, fitted: Any) -> None:
        """Put it aside now."""
        if self.folder is None:
            return
        part = self.folder / "stretch.part"
        shutil.rmtree(part, ignore_errors=True)
        self.family.save(fitted, home.ensure(part))
        shutil.rmtree(self.folder / "stretch", ignore_errors=True)
        os.replace(part, self.folder / "stretch")
        self._written = time.monotonic()


def read_fold(folder: Path | None, fold: Fold, family: str) -> FittedFold | None:
    """What `keep_fold` put aside; None if there is nothing whole."""
    if folder is None or not (folder / "done.json").exists():
        return None
    rest = json.loads((folder / "done.json").read_text())
    pipe = Pipeline.load(folder / "pipeline", family)
    return FittedFold(fold=fold, pipeline=pipe, p=np.load(folder / "p.npy", allow_pickle=False),
                      baseline=np.load(folder / "plain.npy", allow_pickle=False),
                      learned=learned_from(rest, pipe.matrix), train_figure=rest["train_figure"],
                      points=[Point(**each) for each in rest["points"]])
