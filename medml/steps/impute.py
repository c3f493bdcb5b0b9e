"""Cells that were not recorded are filled in, and that they were missing is kept as a fact of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from medml.families.family import Param
from medml.steps import Learned, registry
from medml.steps.merge_rare import frequent
from medml.steps.patients import coming_back, n_patients, safe_median
from medml.steps.step import MISSING, NUMERIC, State, plural, were
from medml.types import SMALL_GROUP, Effect, Kind

if TYPE_CHECKING:
    import pandas as pd


class Impute(Learned):
    """Numbers: the median of the training patients' medians, so rounded that it is nobody's value. Categories: a
    category of their own where at least k patients lack one, else the most frequent one (`category` can force it).

    Adds a column "X (missing)" of 0 and 1 for a number that at least k training patients lack and at least k have.
    """

    name = "impute"
    title = "Missing values"
    sentence = ("Fills missing numbers with the median and missing categories with \"(missing)\" or the most frequent "
                "one, and marks where a number was missing.")
    params = (
        Param("category", "Missing categories", "Whether a missing category becomes a category of its own or the most "
              "frequent one.", "own", kind="choice", choices=("own", "most frequent")),
        Param("indicator", "Mark what was missing", "Adds a yes/no column for each number that was often missing: that "
              "a test was not done can say something by itself.", True, kind="switch"),
    )

    def fit(self, X: pd.DataFrame, kinds: dict[str, Kind], params: dict[str, Any],
            patients: np.ndarray | None = None) -> State:
        patients = coming_back(patients)
        numbers = [name for name in X.columns if kinds.get(name, "number") in NUMERIC]
        others = [name for name in X.columns if name not in set(numbers)]
        missing = X[numbers].isna().to_numpy()   # (n, numbers)
        return {"numbers": {name: safe_median(X[name].to_numpy(float), patients) for name in numbers},
                "categories": {name: _filling(X[name], params["category"], patients) for name in others},
                "indicators": {name: _free_name(name, X) for name, gone in zip(numbers, missing.T, strict=True)
                               if params["indicator"] and _often(gone, patients)}}

    def transform(self, X: pd.DataFrame, state: State) -> pd.DataFrame:
        import pandas as pd

        filled = {name: _filled(X[name], name, state) for name in X.columns}
        marks = {mark: X[name].isna().to_numpy(float) for name, mark in state["indicators"].items()}
        return pd.DataFrame({**filled, **marks}, index=X.index)

    def effect(self, before: pd.DataFrame, after: pd.DataFrame, state: State) -> Effect:
        missing = before.isna().to_numpy()
        cells, columns = int(missing.sum()), int(missing.any(axis=0).sum())
        marks = len(state["indicators"])
        sentence = (f"{plural(cells, 'missing cell')} in {plural(columns, 'column')} {were(cells)} filled in"
                    + (f"; {plural(marks, 'column')} mark{'s' if marks == 1 else ''} where a number was missing."
                       if marks else ".")
                    if cells else "No cell is missing.")
        return Effect(step=self.name, rows_before=len(before), rows_after=len(after), cells_changed=cells,
                      sentence=sentence)


def _filled(column: pd.Series, name: str, state: State) -> pd.Series | np.ndarray:
    if name in state["numbers"]:
        values = column.to_numpy(float)
        return np.where(np.isnan(values), state["numbers"][name], values)
    filling = state["categories"].get(name)
    return column if filling is None else column.where(column.notna(), filling)


def _filling(column: pd.Series, how: str, patients: np.ndarray | None) -> str:
    """What stands for a missing category here."""
    if how == "own" and n_patients(column.isna().to_numpy(), patients) >= SMALL_GROUP:
        return MISSING
    return next(iter(frequent(column, SMALL_GROUP, 1, patients)), MISSING)


def _often(missing: np.ndarray, patients: np.ndarray | None) -> bool:
    return min(n_patients(missing, patients), n_patients(~missing, patients)) >= SMALL_GROUP


def _free_name(name: str, X: pd.DataFrame) -> str:
    """ "X (missing)", or with more primes than any column of that name has."""
    mark = f"{name} (missing)"
    while mark in X.columns:
        mark += "'"
    return mark


registry.add(Impute.name, Impute())
