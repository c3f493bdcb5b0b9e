"""Numbers that are each usual and together are not: a distance from the training rows that knows how columns go
together (P1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medml.privacy import round_3
from medml.steps.patients import by_patient, safe_median

if TYPE_CHECKING:
    import pandas as pd

ROWS_A_COLUMN = 10  # training patients a column, without which nobody can say how columns go together
MOST_COLUMNS = 60
MOST_MISSING = 0.5  # share of missing cells above which a column takes no part
LEAST = 0.1  # scales by which columns that go together may differ before it counts: rounding, units
MARGIN = 1.5  # times the distance that 99 of 100 training patients stay within
NAMED = 2  # columns that a reason names


@dataclass(frozen=True, slots=True)
class Together:
    """What was usual together: aggregates of 3 significant digits.

    middle, scale  (p,) of each column: its median, and its interquartile range / 1.349
    centre, whiten (p,), (p, p): distance |whiten (asinh((x - middle) / scale) - centre)|, in SDs
    limit          the distance beyond which a row is unlike the training rows
    """

    columns: list[str]
    middle: np.ndarray
    scale: np.ndarray
    centre: np.ndarray
    whiten: np.ndarray
    limit: float

    @classmethod
    def of(cls, X: pd.DataFrame, columns: list[str], patients: np.ndarray | None) -> Together | None:
        """Learn from training rows; None where there are too few patients or columns to say.

        columns   number columns, of which those mostly recorded take part;   patients  (n,) codes, None: a row each
        """
        from sklearn.covariance import ledoit_wolf

        numbers = X[columns].to_numpy(dtype=float)
        scale = _scales(numbers)
        used = np.isfinite(scale) & (scale > 0) & (np.isnan(numbers).mean(axis=0) <= MOST_MISSING)
        n_patients = len(X) if patients is None else len(np.unique(patients))
        if not 2 <= used.sum() <= min(MOST_COLUMNS, n_patients / ROWS_A_COLUMN):
            return None
        numbers, names = numbers[:, used], [name for name, ours in zip(columns, used, strict=True) if ours]
        middle = np.array([safe_median(each, patients) for each in numbers.T])
        scale = np.array([round_3(each) for each in scale[used]])
        tamed = _tamed(numbers, middle, scale)
        covariance = ledoit_wolf(tamed)[0] + LEAST**2 * np.eye(len(names))
        whiten = np.linalg.inv(np.linalg.cholesky(covariance))
        found = cls(names, middle, scale, _rounded(tamed.mean(axis=0)), _rounded(whiten), 0.0)
        farthest = by_patient(np.linalg.norm(found._away(tamed), axis=1), patients)[2]
        return cls(names, middle, scale, found.centre, found.whiten,
                   round_3(MARGIN * float(np.quantile(farthest, 0.99))))

    def odd(self, X: pd.DataFrame) -> list[list[str]]:
        """For each row the columns that make it unlike the training rows; [] where it is like them. A cell that is
        missing counts as usual."""
        away = _tamed(X[self.columns].to_numpy(dtype=float), self.middle, self.scale)
        whitened = self._away(away)
        far = np.linalg.norm(whitened, axis=1) > self.limit
        share = (away - self.centre) * (whitened @ self.whiten)   # (n, p): its parts of the squared distance
        return [[self.columns[place] for place in np.argsort(-share[row])[:NAMED]] if far[row] else []
                for row in range(len(X))]

    def _away(self, tamed: np.ndarray) -> np.ndarray:
        return (tamed - self.centre) @ self.whiten.T

    def to_json(self) -> dict[str, Any]:
        return {"columns": self.columns, "limit": self.limit} | {
            name: getattr(self, name).tolist() for name in ("middle", "scale", "centre", "whiten")}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Together:
        """raises KeyError, ValueError or TypeError where it is not what `to_json` gave."""
        p = len(stored["columns"])
        arrays = {name: np.array(stored[name], dtype=float) for name in ("middle", "scale", "centre", "whiten")}
        if any(each.shape != ((p, p) if name == "whiten" else (p,)) for name, each in arrays.items()):
            raise ValueError("columns and distances differ in number")
        return cls([str(name) for name in stored["columns"]], limit=float(stored["limit"]), **arrays)


def _scales(numbers: np.ndarray) -> np.ndarray:
    """(p,) the interquartile range of each column / 1.349, the standard deviation where they are normal; NaN or 0 where
    nothing is recorded or half of the column is one value."""
    low, high = [np.array([np.nanquantile(each, q) if np.isfinite(each).any() else np.nan for each in numbers.T])
                 for q in (0.25, 0.75)]
    return (high - low) / 1.349


def _tamed(numbers: np.ndarray, middle: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Numbers in scales from the middle, long tails drawn in, missing ones in the middle. (n, p)"""
    return np.arcsinh(np.nan_to_num((numbers - middle) / scale, nan=0.0, posinf=1e6, neginf=-1e6))


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.vectorize(round_3, otypes=[float])(values)
