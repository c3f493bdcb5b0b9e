"""One trained line, from a row as it stands in the file to a probability: cleaner, columns kept, encoder, model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from medml import families, home, split
from medml.cases import Cases, FitData
from medml.encode import Encoder
from medml.errors import UserError
from medml.evaluate.context import FoldFacts
from medml.families import Family
from medml.recipe import Cleaner
from medml.saved_split import rows_sha256
from medml.select import Selected, select
from medml.types import PicturePlan, Recipe, TrainConfig
from medml.vision.pixels import Pictures
from medml.vision.seen import FILE as SEEN
from medml.vision.seen import Seen
from medml.watch import Watch

if TYPE_CHECKING:
    import pandas as pd

PICTURE = "picture.json"
THUMBNAIL = 8  # fields a side


@dataclass(frozen=True, slots=True)
class Matrix:
    """Cleaning, selection and encoding as learned from one set of training rows."""

    cleaner: Cleaner
    columns: list[str]  # cleaned columns that the model sees
    encoder: Encoder

    @property
    def names(self) -> list[str]:
        """Of the encoded columns."""
        return list(self.encoder.names)

    @property
    def origins(self) -> list[str]:
        """The columns of the table that they come from."""
        return [self.cleaner.origin_of(name) for name in self.encoder.origins]

    @property
    def width(self) -> int:
        """Encoded columns."""
        return len(self.encoder.names)

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
class PictureMatrix:
    """Pictures need no cleaning that learns: decoded alike, they go to the family as they are.

    seen  what those of the training were like; None for runs made before that was kept
    """

    plan: PicturePlan
    seen: Seen | None = None
    names: ClassVar[list[str]] = []
    origins: ClassVar[list[str]] = []

    @property
    def width(self) -> int:
        """Pixels a side."""
        return self.plan.size

    def encode(self, X: pd.DataFrame) -> Pictures:
        """Cells of Cases.X that stand for pictures -> these pictures."""
        return Pictures.of(X[self.plan.column])

    def save(self, folder: Path) -> None:
        home.write_model(folder / PICTURE, self.plan)
        if self.seen is not None:
            home.write_model(folder / SEEN, self.seen)

    @classmethod
    def load(cls, folder: Path) -> PictureMatrix:
        seen = home.read_model(folder / SEEN, Seen) if (folder / SEEN).exists() else None
        return cls(home.read_model(folder / PICTURE, PicturePlan), seen)


def load_matrix(folder: Path) -> Matrix | PictureMatrix:
    """Whichever of the two was saved there."""
    return PictureMatrix.load(folder) if (folder / PICTURE).exists() else Matrix.load(folder)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A matrix and the model fitted on it."""

    matrix: Matrix | PictureMatrix
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
            return cls(load_matrix(folder), kind, kind.load(folder / "model"))
        except FileNotFoundError as absent:
            raise UserError(what="Files of this model are missing: it was not saved completely, or they were removed.",
                            fix="Bring them back from a backup, choose another checkpoint, or train again.",
                            code="incomplete_artefact", detail=str(absent.filename)) from absent


@dataclass(frozen=True, slots=True)
class Prepared:
    """A matrix with the rows it was learned from, encoded, and the proof of what it saw (L7, L8)."""

    matrix: Matrix | PictureMatrix
    data: FitData
    facts: FoldFacts
    selected: Selected | None
    n_parameters: int  # encoded columns before any selection


def prepare(cases: Cases, train: np.ndarray, recipe: Recipe, config: TrainConfig, *, seed: int,
            repeat: int = 0, number: int = -1, n_test: int = 0, watch: Watch) -> Prepared:
    """Learn cleaning, selection and encoding from the rows at positions `train`, and from no other row."""
    if config.choice.pictures is not None:
        return _prepare_pictures(cases, train, config.choice.pictures, repeat=repeat, number=number, n_test=n_test)
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


def _prepare_pictures(cases: Cases, train: np.ndarray, plan: PicturePlan, **place: int) -> Prepared:
    """Nothing is learned from training rows before the model itself but how bright and coloured they are. The
    parameters of a network are not counted as candidate predictors: its size says nothing about how many patients it
    needs (N1 speaks of the 64 fields of the thumbnail that the plain regression beside it sees)."""
    matrix = PictureMatrix(plan, Seen.of(Pictures.of(cases.X.iloc[train, 0]), cases.patients[train]))
    rows = cases.X.index[train].to_numpy()
    facts = FoldFacts(n_train=len(train), cleaner_rows=len(train), encoder_rows=len(train),
                      rows_sha256=rows_sha256(rows), **place)
    return Prepared(matrix, fit_data(matrix, cases, train), facts, None, THUMBNAIL ** 2)


def plain(X: np.ndarray | Pictures) -> np.ndarray:
    """What a plain regression can see of it: the matrix itself, or an 8 x 8 thumbnail of each picture."""
    return X.thumbnails(THUMBNAIL) if isinstance(X, Pictures) else X


def fit_data(matrix: Matrix | PictureMatrix, cases: Cases, positions: np.ndarray) -> FitData:
    """The rows at these positions as a family is given them, by a matrix that has already learned.

    Copies count as one patient there (L3): inner folds would else prefer what has learned by heart.
    """
    return FitData(X=matrix.encode(cases.X.iloc[positions]), y=cases.y[positions],
                   patients=split.groups(cases)[positions], task=cases.task, n_classes=len(cases.classes),
                   names=matrix.names, origins=matrix.origins)


def _select(cleaner: Cleaner, cleaned: pd.DataFrame, y: np.ndarray, patients: np.ndarray, config: TrainConfig,
            cases: Cases, *, seed: int, watch: Watch) -> Selected | None:
    plan = config.selection
    if not (plan.on or plan.forced_in or plan.forced_out):
        return None
    return select(cleaned, y, plan=plan, kinds=cases.kinds, task=cases.task, seed=seed, watch=watch,
                  patients=patients, origin_of=cleaner.origin_of)
