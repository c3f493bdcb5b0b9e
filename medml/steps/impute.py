"""Cells that were not recorded are filled in, and that they were missing is kept as a fact of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from medml.families.family import Param
from medml.privacy import round_3
from medml.steps import Learned, registry
from medml.steps.step import MISSING, NUMERIC, State, plural, were
from medml.types import SMALL_GROUP, Effect, Kind

if TYPE_CHECKING:
    import pandas as pd


class Impute(Learned):
    """Numbers: the median of the training rows, rounded to 3 significant digits. Categories: a category of their own
    where at least k training rows lack one, else the most frequent category (the setting `category` can force either).

    Adds a column "X (missing)" of 0 and 1 for a number that at least k training rows lack and at least k have.
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

    def fit(self, X: pd.DataFrame, kinds: dict[str, Kind], params: dict[str, Any]) -> State:
        numbers = [name for name in X.columns if kinds.get(name, "number") in NUMERIC]
        others = [name for name in X.columns if name not in set(numbers)]
        return {"numbers": {name: _median(X[name].to_numpy(float)) for name in numbers},
                "categories": {name: _filling(X[name], params["category"]) for name in others},
                "indicators": {name: _free_name(name, X) for name in numbers
                               if params["indicator"] and _often_missing(X[name])}}

    def transform(self, X: pd.DataFrame, state: State) -> pd.DataFrame:
        import pandas as pd

        filled = {name: _filled(X[name], name, state) for name in X.columns}
        marks = {mark: X[name].isna().to_numpy(float) for name, mark in state["indicators"].items()}
        return pd.DataFrame({**filled, **marks}, index=X.index)

    def effect(self, before: pd.DataFrame, after: pd.DataFrame, state: State) -> Effect:
        cells, columns = int(before.isna().to_numpy().sum()), int(before.isna().any().sum())
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


def _median(values: np.ndarray) -> float:
    """The median of what is recorded, 3 significant digits; 0 where nothing is."""
    values = values[np.isfinite(values)]
    return float(round_3(float(np.median(values)))) if len(values) else 0.0


def _filling(column: pd.Series, how: str) -> str:
    """What stands for a missing category here."""
    if how == "own" and int(column.isna().sum()) >= SMALL_GROUP:
        return MISSING
    counts = column.value_counts()
    return str(counts.index[0]) if len(counts) and counts.iloc[0] >= SMALL_GROUP else MISSING


def _often_missing(column: pd.Series) -> bool:
    missing = int(column.isna().sum())
    return SMALL_GROUP <= missing <= len(column) - SMALL_GROUP


def _free_name(name: str, X: pd.DataFrame) -> str:
    """ "X (missing)", or with more primes than any column of that name has."""
    mark = f"{name} (missing)"
    while mark in X.columns:
        mark += "'"
    return mark


registry.add(Impute.name, Impute())
