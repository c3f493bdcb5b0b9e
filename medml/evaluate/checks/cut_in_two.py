"""M4: a number that somebody cut into groups before it came here (Royston et al., Stat Med 2006;25:127)."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from medml.cases import Cases
from medml.evaluate.catalogue import FEW, found, many, named
from medml.evaluate.checks import Evidence, rule
from medml.types import SMALL_GROUP, Check

MOST_GROUPS = 10
RANGE = re.compile(r"^\s*\[?\(?\s*(?:[<>≤≥]=?\s*-?\d+(?:[.,]\d+)?|-?\d+(?:[.,]\d+)?\s*(?:-|–|to|,)\s*-?\d+(?:[.,]\d+)?"
                   r"|-?\d+(?:[.,]\d+)?\s*\+|(?:under|over|below|above)\s*\d+(?:[.,]\d+)?)\s*[\])]?\s*\D{0,12}$", re.I)
ANYWHERE = {"binned", "dichotomised", "dichotomized", "tertile", "quartile", "quintile", "decile", "elevated", "gt",
            "lt", "geq", "leq"}
FIRST, LAST = {"high", "raised"}, {"bin", "binary", "cat", "category", "grp", "group", "band", "high", "raised"}
FIX = "Put the number itself back where the file has it: a model that sees groups loses what lies within them."


@rule("M4")
def no_number_cut(evidence: Evidence) -> Check:
    """Categories written as ranges, few-valued columns that another number cut at a point gives back exactly, and
    yes/no columns whose name says that they were cut."""
    cases = evidence.context.cases
    if len(cases.y) < FEW:
        return found("M4", "could_not_tell", f"{many(len(cases.y), 'case')} are too few to tell.", n=len(cases.y))
    names = [str(name) for name in cases.X.columns if cases.kinds[name] != "picture"]
    few = {name: codes for name in names if (codes := _groups(cases.X[name])) is not None}
    by_range = [name for name in few if _written_as_ranges(cases.X[name])]
    by_value = [name for name in few if name not in by_range and _cut_of_another(cases, name, few[name], names)]
    by_name = [name for name in few if name not in by_range + by_value and few[name].max() == 1 and says_cut(name)]
    guilty = [*by_range, *by_value, *by_name]
    if guilty:
        return found("M4", "warn", f"{named(guilty)} look{'s' if len(guilty) == 1 else ''} like a number that was cut "
                                   "into groups.", FIX, columns=len(guilty), by_range=len(by_range),
                     by_value=len(by_value), by_name=len(by_name))
    return found("M4", "pass", f"None of {many(len(names), 'predictor')} looks like a number that was cut into groups.",
                 columns=0)


def says_cut(name: str) -> bool:
    """Whether a name says that it was cut: "age_gt_65", "high_bp", "bmi_cat"."""
    from medml.profile.names import words

    told = words(name)
    return len(told) > 1 and (bool(ANYWHERE & set(told)) or told[0] in FIRST or told[-1] in LAST)


def _groups(column: pd.Series) -> np.ndarray | None:
    """(n,) group numbers, -1 where missing, of a column with 2 to 10 values; else None."""
    codes, levels = pd.factorize(column)
    return codes if 2 <= len(levels) <= MOST_GROUPS else None


def _written_as_ranges(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return False
    levels = [str(each) for each in column.dropna().unique()]
    return sum(bool(RANGE.match(each)) for each in levels) > len(levels) / 2


def _cut_of_another(cases: Cases, name: str, codes: np.ndarray, names: list[str]) -> bool:
    """Whether groups of k and more do not overlap in a number with many more values than there are groups."""
    for other in names:
        column = cases.X[other]
        if other == name or not pd.api.types.is_numeric_dtype(column):
            continue
        values = column.to_numpy(dtype=float)
        both = np.isfinite(values) & (codes >= 0)
        if both.sum() >= FEW and _apart(values[both], codes[both]):
            return True
    return False


def _apart(values: np.ndarray, codes: np.ndarray) -> bool:
    present, sizes = np.unique(codes, return_counts=True)
    if len(present) < 2 or sizes.min() < SMALL_GROUP or len(np.unique(values)) < 3 * len(present):
        return False
    ends = sorted((values[codes == each].min(), values[codes == each].max()) for each in present)
    return all(one[1] < other[0] for one, other in zip(ends, ends[1:], strict=False))
