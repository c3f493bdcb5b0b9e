"""Cleaned columns -> the matrix that a family learns from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from medml.errors import UserError
from medml.privacy import round_3
from medml.steps.merge_rare import frequent
from medml.steps.patients import coming_back, safe_median
from medml.steps.step import NUMERIC
from medml.types import SMALL_GROUP, Kind

if TYPE_CHECKING:
    import pandas as pd


def rough_share(n_level: int, n: int) -> float:
    """The share of rows that hold a level, as if they were a multiple of k: what the shares leave of the whole would
    else tell how many rows hold a level too rare to be named."""
    return round_3(min(1.0, SMALL_GROUP * round(n_level / SMALL_GROUP) / n))


class Encoder:
    """Numbers as they are; a category as one 0/1 column a level, or one column where there are two levels.

    Levels are those that at least k training patients have; their names are all that is kept of the data, with each
    column's training mean (3 significant digits; of a level roughly, see `rough_share`). A row whose level has no
    column (rarer, never seen, or missing where imputation is off) gets those means: it says nothing either way.

    names     (p,) names of encoded columns;   origins  (p,) the cleaned column that each comes from
    n_fitted  rows that it was fitted on (L7); 0 before `fit`
    """

    def __init__(self) -> None:
        self.n_fitted = 0
        self.columns: list[str] = []
        self.levels: dict[str, list[str]] = {}  # category columns: known levels, most frequent first
        self.means: dict[str, list[float]] = {}  # number columns: the median; categories: the share of each level

    def fit(self, X: pd.DataFrame, kinds: dict[str, Kind], patients: np.ndarray | None = None) -> Encoder:
        """Learn levels from cleaned training rows; a column that `kinds` does not name is a number (a 0/1 mark).

        patients  (n,) codes, equal for rows of one patient; None: every row is a patient of its own
        """
        patients = coming_back(patients)
        self.n_fitted, self.columns = len(X), list(X.columns)
        self.levels, self.means = {}, {}
        for name in self.columns:
            if kinds.get(name, "number") in NUMERIC:
                self.means[name] = [safe_median(X[name].to_numpy(float), patients)]
            else:
                self.levels[name] = frequent(X[name], SMALL_GROUP, len(X), patients)
                self.means[name] = [rough_share(int((X[name] == level).sum()), len(X)) for level in self._shown(name)]
        return self

    @property
    def names(self) -> list[str]:
        return [f"{name} = {level}" if level is not None else name for name, level in self._encoded()]

    @property
    def origins(self) -> list[str]:
        return [name for name, _ in self._encoded()]

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """(n, p) float64 without NaN, whatever X holds; columns are taken by name."""
        if not self.n_fitted:
            raise ValueError("fit the Encoder on training rows first")
        parts = [self._one(name, X[name]) for name in self.columns]
        return np.hstack(parts) if parts else np.empty((len(X), 0))

    def unseen(self, X: pd.DataFrame) -> list[list[str]]:
        """For each cleaned row the columns that hold a category without a level here (see also Cleaner.unseen)."""
        odd = {name: (X[name].notna() & ~X[name].isin(levels)).to_numpy() for name, levels in self.levels.items()}
        return rows_of(odd, len(X))

    def to_json(self) -> str:
        return json.dumps({"version": 1, "n_fitted": self.n_fitted, "columns": self.columns, "levels": self.levels,
                           "means": self.means}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Encoder:
        """Read what `to_json` wrote; UserError(code="damaged") if it cannot be trusted."""
        encoder = cls()
        try:
            stored = json.loads(text)
            encoder.n_fitted, encoder.columns = int(stored["n_fitted"]), [str(name) for name in stored["columns"]]
            encoder.levels = {name: [str(level) for level in levels] for name, levels in stored["levels"].items()}
            encoder.means = {name: [float(mean) for mean in stored["means"][name]] for name in encoder.columns}
            whole = all(len(encoder.means[name]) == len(encoder._shown(name)) for name in encoder.levels)
        except (ValueError, KeyError, TypeError, AttributeError) as broken:
            raise _damaged(type(broken).__name__) from broken
        if not whole:
            raise _damaged("levels and means differ in number")
        return encoder

    def _shown(self, name: str) -> list[str]:
        """Levels that have a column: both of two would say the same thing twice."""
        levels = self.levels[name]
        return levels[1:] if len(levels) == 2 else levels

    def _encoded(self) -> list[tuple[str, str | None]]:
        return [(name, level) for name in self.columns
                for level in (self._shown(name) if name in self.levels else [None])]

    def _one(self, name: str, column: pd.Series) -> np.ndarray:
        """(n, levels shown) of one cleaned column."""
        if name not in self.levels:
            values = column.to_numpy(float)
            return np.where(np.isfinite(values), values, self.means[name][0])[:, None]
        block = np.stack([(column == level).to_numpy(float) for level in self._shown(name)], axis=1) \
            if self._shown(name) else np.empty((len(column), 0))
        unknown = ~column.isin(self.levels[name]).to_numpy()
        block[unknown] = self.means[name]
        return block


def rows_of(flags: dict[str, np.ndarray], n_rows: int) -> list[list[str]]:
    """{column: (n,) bool} -> for each row the columns whose flag is set."""
    found: list[list[str]] = [[] for _ in range(n_rows)]
    for name, column in flags.items():
        for row in np.flatnonzero(column):
            found[row].append(name)
    return found


def _damaged(detail: str) -> UserError:
    return UserError(what="The stored encoding of this model is damaged.",
                     fix="Choose another checkpoint, or train again.", code="damaged", detail=detail)
