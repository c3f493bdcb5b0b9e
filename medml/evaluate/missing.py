"""How much is missing where (M1): shares of cells, by column and by outcome, before anything was filled in."""

from __future__ import annotations

import numpy as np

from medml.evaluate.context import Context
from medml.types import SMALL_GROUP

TELLING = 0.10  # difference of the share missing between classes
SURE = 1e-3  # p of a chi-square test, divided by the columns asked


def missing_shares(context: Context) -> dict[str, float]:
    """Predictor -> share of cases without a value (0-1, three digits), most first; columns without a gap left out."""
    shares = context.cases.X.isna().mean().sort_values(ascending=False, kind="stable")
    return {str(name): round(float(share), 3) for name, share in shares.items() if share > 0}


def n_patterns(context: Context) -> int:
    """How many different sets of columns are missing together, the complete one included."""
    import pandas as pd

    gaps = context.cases.X.isna()
    gaps = gaps.loc[:, gaps.any()]
    return len(np.unique(pd.util.hash_pandas_object(gaps, index=False).to_numpy())) if gaps.shape[1] else 1


def by_outcome(context: Context) -> list[str]:
    """Columns whose gaps go with the outcome: 10 points between classes (halves of a number), hardly by chance.

    Columns in which fewer than k cases lack, or fewer than k have, a value are not asked.
    """
    from scipy.stats import chi2_contingency

    cases = context.open_cases
    y = (cases.y > np.median(cases.y)).astype(int) if cases.task == "regression" else cases.y
    asked = {str(name): gap.to_numpy() for name, gap in cases.X.isna().items()
             if SMALL_GROUP <= gap.sum() <= len(gap) - SMALL_GROUP}
    telling = []
    for name, gap in asked.items():
        table = np.stack([np.bincount(y[gap], minlength=y.max() + 1), np.bincount(y[~gap], minlength=y.max() + 1)])
        table = table[:, table.sum(axis=0) > 0]
        share = table[0] / table.sum(axis=0)
        if table.shape[1] > 1 and np.ptp(share) > TELLING and chi2_contingency(table).pvalue < SURE / len(asked):
            telling.append(name)
    return telling
