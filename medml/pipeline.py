"""One trained line, from a row as it stands in the file to a probability: cleaner, columns kept, encoder, model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medml import families, home
from medml.cases import Cases, FitData
from medml.encode import Encoder
from medml.errors import UserError
from medml.evaluate.context import FoldFacts
from medml.families import Family
from medml.recipe import Cleaner
from medml.saved_split import rows_sha256
from medml.select import Selected, select
from medml.types import Recipe, TrainConfig
from medml.watch import Watch

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Matrix:
    """Cleaning, selection and encoding as learned from one set of training rows."""

    cleaner: Cleaner
    columns: list[str]  # cleaned columns that the model sees
    encoder: Encoder

    def encode(self, X: pd.DataFrame) -> np.ndarray:
        """Rows as in Cases.X -> (n, p) float64 without NaN."""
        return self.encoder.transform(self.cleaner.transform(X)[self.columns])

    def save(self, folder: Path) -> None:
        """Write three small JSON files: medians, caps, category names of 10 patients and more; no data."""
        home.write_bytes(folder / "cleaner.json", self.cleaner.to_json().encode())
        home.write_bytes(folder / "encoder.json", self.encoder.to_json().encode())
        home.write_bytes(folder / "columns.json", json.dumps(self.columns).encode())

    @classmethod
    def load(cls, folder: Path) -> Matrix:
        return cls(Cleaner.from_json((folder / "cleaner.json").read_text()),
                   json.loads((folder / "columns.json").read_text()),
                   Encoder.from_json((folder / "encoder.json").read_text()))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A Matrix and the model fitted on it."""

    matrix: Matrix
    family: Family
    fitted: Any

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Rows as in Cases.X -> probabilities (n, n_classes), or numbers (n,)."""
        return self.family.predict(self.fitted, self.matrix.encode(X))

    def save(self, folder: Path) -> None:
        """Write into a folder that does not exist yet."""
        self.matrix.save(home.ensure(folder))
        self.family.save(self.fitted, home.ensure(folder / "model"))

    @classmethod
    def load(cls, folder: Path, family: str) -> Pipeline:
        """Read what `save` wrote; UserError(code="incomplete_artefact") if a part is missing."""
        try:
            kind = families.registry.get(family)
            return cls(Matrix.load(folder), kind, kind.load(folder / "model"))
        except FileNotFoundError as absent:
            raise UserError(what="This model was not saved completely, so it cannot be used.",
                            fix="Choose another checkpoint, or train again.",
                            code="incomplete_artefact", detail=str(absent.filename)) from absent


@dataclass(frozen=True, slots=True)
class Prepared:
    """A Matrix with the rows it was learned from, encoded, and the proof of what it saw (L7, L8)."""

    matrix: Matrix
    data: FitData
    facts: FoldFacts
    selected: Selected | None
    n_parameters: int  # encoded columns before any selection


def prepare(cases: Cases, train: np.ndarray, recipe: Recipe, config: TrainConfig, *, seed: int,
            repeat: int = 0, number: int = -1, n_test: int = 0, watch: Watch) -> Prepared:
    """Learn cleaning, selection and encoding from the rows at positions `train`, and from no other row."""
    X, y, patients = cases.X.iloc[train], cases.y[train], cases.patients[train]
    cleaner = Cleaner(recipe, cases.kinds).fit(X, patients)
    cleaned = cleaner.transform(X)
    selected = _select(cleaner, cleaned, y, patients, config, cases, seed=seed, watch=watch)
    columns = list(cleaned.columns) if selected is None else \
        [name for name in cleaned.columns if cleaner.origin_of(name) in set(selected.columns)]
    encoder = Encoder().fit(cleaned[columns], cases.kinds, patients)
    matrix = Matrix(cleaner, columns, encoder)
    data = fit_data(matrix, cases, train)
    facts = FoldFacts(repeat=repeat, number=number, n_train=len(train), n_test=n_test,
                      cleaner_rows=cleaner.n_fitted, encoder_rows=encoder.n_fitted,
                      rows_sha256=rows_sha256(X.index.to_numpy()),
                      selector_rows=None if selected is None else selected.n_fitted)
    candidates = len(encoder.names) if selected is None else \
        len(Encoder().fit(cleaned, cases.kinds, patients).names)
    return Prepared(matrix, data, facts, selected, candidates)


def fit_data(matrix: Matrix, cases: Cases, positions: np.ndarray) -> FitData:
    """The rows at these positions as a family is given them, by a matrix that has already learned."""
    return FitData(X=matrix.encode(cases.X.iloc[positions]), y=cases.y[positions], patients=cases.patients[positions],
                   task=cases.task, n_classes=len(cases.classes), names=list(matrix.encoder.names),
                   origins=[matrix.cleaner.origin_of(name) for name in matrix.encoder.origins])


def _select(cleaner: Cleaner, cleaned: pd.DataFrame, y: np.ndarray, patients: np.ndarray, config: TrainConfig,
            cases: Cases, *, seed: int, watch: Watch) -> Selected | None:
    plan = config.selection
    if not (plan.on or plan.forced_in or plan.forced_out):
        return None
    return select(cleaned, y, plan=plan, kinds=cases.kinds, task=cases.task, seed=seed, watch=watch,
                  patients=patients, origin_of=cleaner.origin_of)
