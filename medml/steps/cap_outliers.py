"""Numbers far outside the middle half are moved to a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from medml.families.family import Param
from medml.privacy import round_3
from medml.steps import Learned, registry
from medml.steps.patients import FEWEST, by_patient, coming_back
from medml.steps.step import State, plural, were
from medml.types import Effect, Kind

if TYPE_CHECKING:
    import pandas as pd


class CapOutliers(Learned):
    """Limits are Tukey's outer fences (Exploratory Data Analysis, 1977), `fence` interquartile ranges outside the
    quartiles; the upper one on a log scale where that is further out, since laboratory values have long tails that are
    disease and not error (a TSH of 80 beside a median of 1.3). A step on that scale is the ratio of the quartiles or,
    if smaller, of the 95th percentile to the upper quartile (its log is 0.7 of the other's for a lognormal): the ratio
    of quartiles grows without end as the lower one nears zero, and the tail does not. At most 1 % of the training rows
    lie beyond each limit.

    Where patients have several rows, quartiles are of the patients' medians, and at most 1 % of patients have a row
    beyond a limit: each counts once. A column in which fewer than 20 patients have a value has no limits, because they
    would be single patients' values.

    A column whose middle half is one single value (counts that are mostly 0, yes/no codes) has no fence and is left
    alone. Limits are rounded to 3 significant digits, so none of them is a patient's value.
    """

    name = "cap_outliers"
    title = "Extreme values"
    sentence = ("Moves values far outside the middle half of the training rows to a limit, so that one typing error "
                "does not steer the model.")
    params = (Param("fence", "Distance of the limits", "How many interquartile ranges a value may lie outside the "
                    "middle half before it is moved to the limit.", 3.0, 1.0, 10.0, kind="float", zones=(2.0, 5.0),
                    more_is="cautious"),)

    def fit(self, X: pd.DataFrame, kinds: dict[str, Kind], params: dict[str, Any],
            patients: np.ndarray | None = None) -> State:
        patients = coming_back(patients)
        numbers = [name for name in X.columns if kinds.get(name) == "number"]
        limits = {name: fences(X[name].to_numpy(float), float(params["fence"]), patients) for name in numbers}
        return {"limits": {name: list(pair) for name, pair in limits.items() if pair is not None}}

    def transform(self, X: pd.DataFrame, state: State) -> pd.DataFrame:
        import pandas as pd

        limits = state["limits"]  # a frame made at once: columns put into one in turn take four times as long
        return pd.DataFrame({name: np.clip(column.to_numpy(float), *limits[name]) if name in limits else column
                             for name, column in X.items()}, index=X.index)

    def effect(self, before: pd.DataFrame, after: pd.DataFrame, state: State) -> Effect:
        was, now = (X[list(state["limits"])].to_numpy(float) for X in (before, after))   # (n, limits)
        changed = ((was != now) & ~np.isnan(was)).sum(axis=0)
        cells, columns = int(changed.sum()), int((changed > 0).sum())
        sentence = (f"{plural(cells, 'value')} in {plural(columns, 'column')} {were(cells)} far outside the middle "
                    f"half and {were(cells)} moved to the limit." if cells
                    else "No value lies far outside the middle half of its column.")
        return Effect(step=self.name, rows_before=len(before), rows_after=len(after), cells_changed=cells,
                      sentence=sentence)


def fences(values: np.ndarray, fence: float, patients: np.ndarray | None) -> tuple[float, float] | None:
    """(low, high), or None where fewer than 20 patients have a value or there is no spread to measure a distance in."""
    lowest, middles, highest = by_patient(values, patients)
    if len(middles) < FEWEST:
        return None
    if patients is None:  # the three are one array, asked once
        rarest, first, third, tail, last = np.quantile(middles, [0.01, 0.25, 0.75, 0.95, 0.99])
    else:
        first, third, tail = np.quantile(middles, [0.25, 0.75, 0.95])
        rarest, last = np.quantile(lowest, 0.01), np.quantile(highest, 0.99)
    if third <= first:
        return None
    reach = fence * (third - first)
    high = third * min(third / first, tail / third) ** fence if first > 0 else third + reach
    return round_3(min(first - reach, rarest)), round_3(max(third + reach, high, last))


registry.add(CapOutliers.name, CapOutliers())
