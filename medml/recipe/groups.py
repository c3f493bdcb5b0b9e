"""Which groups of patients (sex, age band, site) were frequent enough in training to be answered for (P1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from medml.profile.names import AGE_BANDS, SEX_NAMES, SITE_WORDS, is_age, phrase, says
from medml.steps.patients import patients_of_each
from medml.types import Kind

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 30  # training patients of a group; below, nobody can say whether the model works for it


def frequent_groups(X: pd.DataFrame, kinds: dict[str, Kind], patients: np.ndarray | None) -> dict[str, list[str]]:
    """Column -> the groups of it that at least 30 training patients belong to; the first column each for sex, age and
    site. A column without one such group is left out: there is nobody beside whom others would be few.

    patients  (n,) codes, equal for rows of one patient; None: every row is a patient of its own
    """
    found = {}
    for name in group_columns(kinds):
        counts = patients_of_each(labels(name, X[name]), patients)
        enough = sorted(str(label) for label, n in counts.items() if n >= ENOUGH)
        if enough:
            found[name] = enough
    return found


def group_columns(kinds: dict[str, Kind]) -> list[str]:
    """The first column each whose name says sex, age or site."""
    asked: tuple[Callable[[str], bool], ...] = (
        is_age, lambda name: phrase(name) in SEX_NAMES, lambda name: says(name, SITE_WORDS) is not None)
    usable = [name for name, kind in kinds.items()
              if kind in ("category", "yes_no") or kind == "number" and is_age(name)]
    first = [next((name for name in usable if says_so(name)), None) for says_so in asked]
    return [name for name in dict.fromkeys(first) if name is not None]


def labels(name: str, column: pd.Series) -> pd.Series:
    """(n,) object: the group of each row, None where nothing is recorded. Ages in years stand in bands."""
    import pandas as pd

    if not is_age(name) or not pd.api.types.is_numeric_dtype(column):
        return column.astype(object).where(column.notna(), None)
    values = column.to_numpy(dtype=float)
    names = [f"under {AGE_BANDS[0]}", *(f"{low} to under {high}" for low, high in
                                        zip(AGE_BANDS, AGE_BANDS[1:], strict=False)), f"{AGE_BANDS[-1]} and over"]
    known = np.isfinite(values)
    said = np.array(names, dtype=object)[np.searchsorted(AGE_BANDS, np.where(known, values, 0), side="right")]
    return pd.Series(np.where(known, said, None), index=column.index, dtype=object)
