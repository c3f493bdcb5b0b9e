"""L5 L6: what must not be among the predictors: identifiers, and what is known only afterwards."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medml.cases import Cases
from medml.evaluate.catalogue import FEW, found, many
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.checks.patients import columns_sentence
from medml.types import Check

UNIQUE = 0.95  # share of different values among those that are there
SAME_LENGTH = 0.85  # share of numbers with the commonest count of digits: ids are alike, laboratory values are not
ALMOST_ALL = 0.99  # agreement with the outcome at which a column is the outcome in other words
AFTER = 0.05  # share of cases whose date lies on or after the outcome's
FROM_THE_SCAN = "outcome_proxy"  # a "leak" of the scan is one column that tells the outcome: L4 asks that anew


@rule("L5")
def no_identifier(evidence: Evidence) -> Check:
    """Columns with a different value in nearly every row, or rising with the row's place in the file."""
    cases = evidence.context.cases
    left_out = sum(each.kind == "identifier" for each in evidence.context.table.columns
                   if each.name not in cases.X.columns)
    if len(cases.y) < FEW:
        return found("L5", "could_not_tell", f"{many(len(cases.y), 'case')} are too few to tell an identifier.",
                     n=len(cases.y))
    guilty = [str(name) for name in cases.X.columns if cases.kinds[name] != "picture"
              if like_an_id(cases.X[name], str(name)) or rises_with_rows(cases, name)]
    if guilty:
        return found("L5", "warn", f"{columns_sentence(guilty)} look{'s' if len(guilty) == 1 else ''} like an "
                                   "identifier or a running number, and the model used it.",
                     "Leave it out on the Scan page, then train again.", columns=len(guilty), left_out=left_out)
    return found("L5", "pass", f"No predictor looks like an identifier; {many(left_out, 'identifier')} left out.",
                 columns=0, left_out=left_out)


def like_an_id(column: pd.Series, name: str) -> bool:
    """Whether nearly every value is different, in a way that a measurement's are not.

    A finely measured number is different in every patient too, so numbers count only if whole, and of equal length
    or named like an identifier.
    """
    from medml.profile.names import looks_like_id

    there = column.dropna()
    if len(there) < FEW or there.nunique() <= UNIQUE * len(there):
        return False
    if not pd.api.types.is_numeric_dtype(there):
        return True
    if (there % 1 != 0).any():
        return False
    digits = np.floor(np.log10(np.maximum(there.abs().to_numpy(dtype=float), 1))).astype(int)
    return looks_like_id(name) or bool(np.bincount(digits).max() >= SAME_LENGTH * len(digits))


def rises_with_rows(cases: Cases, name: str) -> bool:
    """Whether a number only ever rises, or only ever falls, from row to row, by many small steps."""
    column = cases.X[name]
    if not pd.api.types.is_numeric_dtype(column):
        return False
    there = column.to_numpy(dtype=float)[np.argsort(cases.rows, kind="stable")]
    there = there[np.isfinite(there)]
    steps = np.diff(there)
    moved = np.count_nonzero(steps)
    return len(there) >= FEW and moved > 0.5 * len(steps) and bool((steps >= 0).all() or (steps <= 0).all())


@rule("L6")
def nothing_from_afterwards(evidence: Evidence) -> Check:
    """Names and values that belong to the outcome, and dates on or after the outcome's date."""
    context = evidence.context
    cases, target = context.open_cases, context.choice.target
    by_name = [str(name) for name in cases.X.columns if named_like_outcome(str(name), target)]
    by_scan = [each.name for each in context.table.columns if each.name in cases.X.columns
               and any(suspicion.code == FROM_THE_SCAN for suspicion in each.suspicions)]
    by_value = [str(name) for name in cases.X.columns if is_outcome_again(cases, name)]
    by_date = late_dates(cases)
    guilty = list(dict.fromkeys([*by_value, *by_date, *by_name, *by_scan]))
    if guilty:
        return found("L6", "warn", f"{columns_sentence(guilty)} may be known only at or after the outcome.",
                     "Keep only what is known at the moment of prediction; leave the rest out on the Scan page.",
                     columns=len(guilty), by_name=len(by_name), by_value=len(by_value), by_date=len(by_date))
    return found("L6", "pass", f"No name, value or date among {many(cases.X.shape[1], 'predictor')} points at the "
                               "outcome.", columns=0)


def named_like_outcome(name: str, target: str) -> bool:
    """Whether a name speaks of something after the outcome, or holds a telling word of the target's own name."""
    from medml.profile.names import PROXIES, TIME_NAMES, phrase, says, words

    own = {word for word in words(target) if len(word) > 4} - {"disease", "status", "class", "level", "patient"}
    return says(name, PROXIES) is not None or phrase(name) in TIME_NAMES or bool(own & set(words(name)))


def is_outcome_again(cases: Cases, name: str) -> bool:
    """Whether a column is the outcome in other words: its few values, or its number, give the outcome back."""
    column = cases.X[name]
    there = column.notna().to_numpy()
    if there.sum() < FEW:
        return False
    if cases.task == "regression":
        return pd.api.types.is_numeric_dtype(column) and _same_number(column.to_numpy(dtype=float)[there],
                                                                       cases.y[there])
    codes, levels = pd.factorize(column[there])
    if not 2 <= len(levels) <= max(2, len(cases.classes)):
        return False
    table = np.bincount(codes * len(cases.classes) + cases.y[there],
                        minlength=len(levels) * len(cases.classes)).reshape(len(levels), -1)
    told = table.max(axis=1).sum() >= ALMOST_ALL * table.sum()
    return bool(told and len(np.unique(table.argmax(axis=1))) == len(cases.classes))


def _same_number(x: np.ndarray, y: np.ndarray) -> bool:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return False
    return abs(float(np.corrcoef(x, y)[0, 1])) > 0.999


def late_dates(cases: Cases) -> list[str]:
    """Date columns that lie on or after a date named like the outcome's in more than 1 case in 20."""
    from medml.profile.names import EVENT_WORDS, PROXIES, says

    dates = [name for name, kind in cases.kinds.items() if kind == "date" and name in cases.X.columns
             and pd.api.types.is_numeric_dtype(cases.X[name])]
    outcomes = [name for name in dates if says(name, PROXIES) or says(name, EVENT_WORDS)]
    late = [name for name in dates for outcome in outcomes if name != outcome
            and _share_after(cases.X[name].to_numpy(dtype=float), cases.X[outcome].to_numpy(dtype=float)) > AFTER]
    return list(dict.fromkeys([*outcomes, *late]))


def _share_after(date: np.ndarray, outcome: np.ndarray) -> float:
    both = np.isfinite(date) & np.isfinite(outcome)
    return float((date[both] >= outcome[both]).mean()) if both.any() else 0.0
