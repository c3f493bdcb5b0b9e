"""Every patient counts once, however many rows it has: groups of patients, and one value a patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.privacy import round_3
from medml.types import SMALL_GROUP

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 2 * SMALL_GROUP  # patients with a value; below, a percentile or a limit would be one patient's own


def coming_back(patients: np.ndarray | None) -> np.ndarray | None:
    """The codes themselves, or None where every row is a patient of its own, which is counted faster."""
    return None if patients is None or len(np.unique(patients)) == len(patients) else np.asarray(patients)


def n_patients(which: np.ndarray, patients: np.ndarray | None) -> int:
    """How many patients have a row that is chosen.   which  (n,) bool;   patients  (n,) codes, None: every row one"""
    return int(which.sum()) if patients is None else len(np.unique(patients[which]))


def patients_of_each(column: pd.Series, patients: np.ndarray | None) -> pd.Series:
    """Category -> how many patients have it at least once; missing cells are left out."""
    if patients is None:
        return column.value_counts()
    import pandas as pd

    pairs = pd.DataFrame({"category": column.to_numpy(dtype=object), "patient": patients}).dropna().drop_duplicates()
    return pairs["category"].value_counts()


def by_patient(values: np.ndarray, patients: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lowest, middle and highest value of every patient that has one, (m,) each.

    values  (n,) float64; NaN and infinite ones are left out.   patients  (n,) codes, None: every row one
    """
    known = np.isfinite(values)
    if patients is None:
        return (values[known],) * 3
    order = np.lexsort((values[known], patients[known]))
    values, whose = values[known][order], patients[known][order]
    first = np.flatnonzero(np.r_[True, whose[1:] != whose[:-1]][: len(whose)])
    last = np.r_[first[1:], len(whose)][: len(first)] - 1
    middle = values[(first + last) // 2] / 2 + values[(first + last + 1) // 2] / 2
    return values[first], middle, values[last]


def safe_median(values: np.ndarray, patients: np.ndarray | None) -> float:
    """The median of the patients' medians, so stored that it is nobody's value.

    20 patients and more: rounded to 3 significant digits. Fewer: the roundest number strictly between the two recorded
    values around it. 0 where nothing is recorded, or one single value by fewer than k patients.
    """
    middles = by_patient(values, patients)[1]
    if not len(middles):
        return 0.0
    median = float(np.median(middles))
    if len(middles) >= FEWEST:
        return float(round_3(median))
    recorded = np.unique(values[np.isfinite(values)])
    if len(recorded) < 2:
        return float(round_3(median)) if len(middles) >= SMALL_GROUP else 0.0
    above = int(np.clip(np.searchsorted(recorded, median, "right"), 1, len(recorded) - 1))
    return between(float(recorded[above - 1]), float(recorded[above]))


def between(low: float, high: float) -> float:
    """The number of fewest significant digits near the middle of low < high and strictly between them."""
    middle = low / 2 + high / 2
    for digits in range(16):
        rounded = float(f"{middle:.{digits}e}")
        if low < rounded < high:
            return rounded
    return middle
