"""Categories that few patients have are merged into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.families.family import Param
from medml.steps import Learned, registry
from medml.steps.patients import coming_back, patients_of_each
from medml.steps.step import MISSING, NUMERIC, OTHER, State, plural, were
from medml.types import SMALL_GROUP, Effect, Kind

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class MergeRare(Learned):
    """Keeps the names of categories that at least `min_rows` patients of the training rows have, `max_levels` at most;
    all others, and any category first seen later, become "(other)". `min_rows` is never below k, whatever is set.
    """

    name = "merge_rare"
    title = "Rare categories"
    sentence = ("Merges categories that few patients have into \"(other)\": nothing reliable can be learned from "
                "a handful of patients.")
    params = (
        Param("min_rows", "Smallest category", "A category needs at least this many patients to stand alone (rows, "
              "where no column tells patients apart).", SMALL_GROUP, SMALL_GROUP, 1000,
              kind="int", zones=(10, 50), more_is="cautious"),
        Param("max_levels", "Most categories a column", "The most frequent categories that a column keeps; the rest "
              "is merged.", 30, 2, 200, kind="int", zones=(5, 40)),
    )

    def fit(self, X: pd.DataFrame, kinds: dict[str, Kind], params: dict[str, Any],
            patients: np.ndarray | None = None) -> State:
        least = max(int(params["min_rows"]), SMALL_GROUP)
        patients = coming_back(patients)
        names = [name for name in X.columns if kinds.get(name, "number") not in NUMERIC]
        return {"keep": {name: frequent(X[name], least, int(params["max_levels"]), patients) for name in names}}

    def transform(self, X: pd.DataFrame, state: State) -> pd.DataFrame:
        merged = {name: X[name].where(X[name].isna() | X[name].isin([*keep, MISSING]), OTHER)
                  for name, keep in state["keep"].items() if name in X.columns}
        return X.assign(**merged)

    def effect(self, before: pd.DataFrame, after: pd.DataFrame, state: State) -> Effect:
        hit = {name: before[name][(after[name] == OTHER) & (before[name] != OTHER)] for name in state["keep"]}
        cells, levels = sum(map(len, hit.values())), sum(column.nunique() for column in hit.values())
        columns = sum(bool(len(column)) for column in hit.values())
        sentence = (f"{plural(levels, 'rare category', 'rare categories')} in {plural(columns, 'column')} "
                    f"{were(levels)} merged ({plural(cells, 'cell')})." if cells else
                    "No category is rare in the rows that the steps before leave.")
        return Effect(step=self.name, rows_before=len(before), rows_after=len(after), cells_changed=cells,
                      sentence=sentence)


def frequent(column: pd.Series, least: int, most: int, patients: np.ndarray | None = None) -> list[str]:
    """Names of the categories that at least `least` patients have, most frequent first (ties by name), `most` at most.

    patients  (n,) codes of the rows; None: every row is a patient of its own
    """
    counts = patients_of_each(column, patients)
    kept = counts[counts >= least]
    return [str(name) for name, _ in sorted(kept.items(), key=lambda item: (-item[1], str(item[0])))][:most]


registry.add(MergeRare.name, MergeRare())
