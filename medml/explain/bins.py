"""Patients with alike values of one column, in groups that may be shown: k patients and more, rounded borders."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from medml.privacy import OLDEST, round_3, suppress
from medml.steps.step import NUMERIC
from medml.types import SMALL_GROUP, Kind

MOST_BINS, MOST_VALUES = 10, 8  # of a number; different numbers that stand for themselves
A_BIN = 2 * SMALL_GROUP  # patients that a bin of a number aims at
MISSING = "not recorded"

Groups = list[tuple[str, np.ndarray]]  # (label, (n,) bool) in the order in which they are drawn


def groups_of(values: np.ndarray, kind: Kind, patient: np.ndarray, column: str) -> tuple[Groups, bool]:
    """Groups of cases by their value, and whether some were too small to be shown.

    values   (n,) as in Cases.X;   patient  (n,) 0 .. n_patients - 1
    """
    if kind not in NUMERIC:
        return _of_names(values, patient)
    numbers = values.astype(float)
    known = np.isfinite(numbers)
    there = np.unique(numbers[known])
    if kind == "number" and len(there) <= MOST_VALUES and (there == np.round(there)).all():
        names = np.where(known, [f"{each:g}" for each in np.where(known, numbers, 0)], None)
        groups, hidden = _of_names(names, patient)
        order = {f"{each:g}": place for place, each in enumerate(there)}
        return sorted(groups, key=lambda each: order.get(each[0], len(order))), hidden
    groups = _of_numbers(numbers, patient, kind, column)
    missing = ~known
    enough = _n(missing, patient) >= SMALL_GROUP
    return groups + ([(MISSING, missing)] if enough else []), not groups or bool(missing.any() and not enough)


def _of_names(names: np.ndarray, patient: np.ndarray) -> tuple[Groups, bool]:
    """The names that enough patients have, most frequent first; "not recorded" last."""
    written = np.array([MISSING if each is None else str(each) for each in names], dtype=object)
    counts = [(name, _n(written == name, patient)) for name in dict.fromkeys(written.tolist())]
    shown = suppress(counts)
    groups = [(level.label, written == level.label) for level in shown.levels]
    return sorted(groups, key=lambda each: each[0] == MISSING), shown.hidden_levels > 0


def _of_numbers(numbers: np.ndarray, patient: np.ndarray, kind: Kind, column: str) -> Groups:
    """Bins of about equal size between rounded borders; neighbours are joined until each holds k patients."""
    kept = list(borders(numbers, patient, column))
    while kept and min(sizes := _sizes(numbers, kept, patient)) < SMALL_GROUP:
        at = int(np.argmin(sizes))
        kept.pop(min(at, len(kept) - 1))
    place, labels = _placed(numbers, kept), _labels(kept, kind)
    return [(label, place == at) for at, label in enumerate(labels) if _n(place == at, patient) >= SMALL_GROUP]


def _placed(numbers: np.ndarray, edges: list[float]) -> np.ndarray:
    """(n,) the bin of each number; a border belongs to the bin below it; -1 where nothing is recorded."""
    return np.where(np.isfinite(numbers), np.searchsorted(edges, numbers, "left"), -1)


def borders(numbers: np.ndarray, patient: np.ndarray, column: str) -> np.ndarray:
    """Between 0 and MOST_BINS - 1 borders, 3 significant digits, within the 5th to 95th percentile; ages below 90."""
    from medml.profile.names import is_age

    known = numbers[np.isfinite(numbers)]
    n_bins = min(MOST_BINS, _n(np.isfinite(numbers), patient) // A_BIN)
    if n_bins < 2:
        return np.empty(0)
    inside = np.quantile(known, np.clip(np.arange(1, n_bins) / n_bins, 0.05, 0.95))
    rounded = np.unique([round_3(float(each)) for each in inside])
    return rounded[rounded < OLDEST] if is_age(column) else rounded


def _sizes(numbers: np.ndarray, edges: list[float], patient: np.ndarray) -> list[int]:
    place = _placed(numbers, edges)
    return [_n(place == at, patient) for at in range(len(edges) + 1)]


def _labels(edges: list[float], kind: Kind) -> list[str]:
    if not edges:
        return ["any value"]
    said = [_said(each, kind) for each in edges]
    return [f"up to {said[0]}", *(f"{low} to {high}" for low, high in pairwise(said)), f"above {said[-1]}"]


def _said(number: float, kind: Kind) -> str:
    if kind == "date":
        return str(np.datetime64(int(number), "D"))
    return f"{number:,.10g}"


def _n(which: np.ndarray, patient: np.ndarray) -> int:
    return len(np.unique(patient[which]))
