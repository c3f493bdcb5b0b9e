"""What a cheap control model sees: numbers with their gaps filled, categories as 0/1, learned on a fold's own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.cases import Cases, Fold
from medml.types import SMALL_GROUP
from medml.vision.pixels import Pictures

if TYPE_CHECKING:
    import pandas as pd

BLUR = 8  # fields a side of the thumbnail that stands for a picture
WIDEST = 200  # columns; a control needs no more


def matrix_of(cases: Cases, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """(n_train, p), (n_test, p) standardised on the training rows; pictures as 8 x 8 thumbnails."""
    import pandas as pd

    X = cases.X
    if "picture" in cases.kinds.values():
        X = pd.DataFrame(Pictures.of(X.iloc[:, 0]).thumbnails(BLUR))
    return numbers_of(X, fold.train, fold.test)


def numbers_of(inputs: pd.DataFrame, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardised numbers (with the gap as a column of its own) and categories of k training rows and more."""
    import pandas as pd

    columns: list[np.ndarray] = []
    for name in inputs.columns:
        column = inputs[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(dtype=float)
            known = np.isfinite(values)
            middle = np.median(values[train][known[train]]) if known[train].any() else 0.0
            columns.append(np.where(known, values, middle))
            columns.append((~known).astype(float))
        else:
            text = column.astype(object).where(column.notna(), "")
            counts = text.iloc[train].value_counts()
            columns += [(text == level).to_numpy(dtype=float) for level in counts.index[counts >= SMALL_GROUP]]
    whole = np.column_stack(columns) if columns else np.zeros((len(inputs), 1))
    return standardised(whole[:, :WIDEST * 2], train, test)


def standardised(whole: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean 0 and spread 1 by the training rows; a column without spread stays 0."""
    mean, sd = whole[train].mean(axis=0), whole[train].std(axis=0)
    whole = (whole - mean) / np.where(sd > 1e-12, sd, 1.0)
    return whole[train], whole[test]
