"""What tiny models reach that never look at what a picture shows: its tags, its file's size, its borders, its blur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medml.cases import Cases, Fold
from medml.evaluate.inputs import numbers_of
from medml.evaluate.intervals import bootstrap, metric, once
from medml.evaluate.metrics import plan_auroc
from medml.types import Metric
from medml.vision.pixels import Pictures

BYTES = "bytes"  # the column of `beside` that holds the size of the file
RING, BLUR = 16, 8  # fields a side: of the grid whose outer ring is "the borders", and of the smallest thumbnail
DRAWS = 300  # of the interval; a control, not a result


def controls(cases: Cases, folds: Sequence[Fold], *, seed: int, draws: int = DRAWS) -> dict[str, Metric]:
    """Out-of-fold AUROC (several classes: mean over each class v. the rest) of "tags", "file size", "borders" and
    "thumbnail", each by a small logistic regression on the very folds of the model; what is not there is left out.

    folds    those of the first repeat are used
    returns  {} for an outcome that is a number
    """
    if cases.task == "regression":
        return {}
    first = [each for each in folds if each.repeat == 0]
    found = {}
    for name, inputs in _inputs(cases).items():
        found[name] = _judged(cases, first, inputs, seed=seed, draws=draws)
    return found


def _inputs(cases: Cases) -> dict[str, pd.DataFrame]:
    """What each control sees, (n, ...) a control; columns of one value say nothing and are left out."""
    found: dict[str, pd.DataFrame] = {}
    beside = cases.beside
    if beside is not None:
        tags = beside.drop(columns=[BYTES], errors="ignore")
        tags = tags[[name for name in tags.columns if tags[name].nunique(dropna=False) > 1]]
        if tags.shape[1]:
            found["tags"] = tags
        if BYTES in beside.columns and beside[BYTES].nunique() > 1:
            found["file size"] = np.log(beside[[BYTES]].astype(float).clip(lower=1))
    pictures = Pictures.of(cases.X.iloc[:, 0])
    grid = np.arange(RING * RING).reshape(RING, RING)
    ring = np.setdiff1d(grid, grid[1:-1, 1:-1])
    return found | {"borders": pd.DataFrame(pictures.thumbnails(RING)[:, ring]),
                    "thumbnail": pd.DataFrame(pictures.thumbnails(BLUR))}


def _judged(cases: Cases, folds: list[Fold], inputs: pd.DataFrame, *, seed: int, draws: int) -> Metric:
    n_classes = len(cases.classes)
    p, fold_of = np.full((len(cases.y), n_classes), np.nan), np.full(len(cases.y), -1)
    for fold in folds:
        p[fold.test] = _predicted(inputs, cases.y, fold, n_classes)
        fold_of[fold.test] = fold.number
    judged = fold_of >= 0
    asked = [1] if n_classes == 2 else range(n_classes)
    plans = [plan_auroc((cases.y[judged] == each).astype(int), p[judged, each], fold_of[judged]) for each in asked]

    def measure(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"auroc": np.mean([plan(weights) for plan in plans], axis=0)}
    _, patient = np.unique(cases.patients[judged], return_inverse=True)
    drawn = bootstrap(measure, patient, int(patient.max()) + 1, seed=seed, draws=draws)["auroc"]
    return metric(float(once(measure, int(judged.sum()))["auroc"][0]), drawn, int(judged.sum()))


def _predicted(inputs: pd.DataFrame, y: np.ndarray, fold: Fold, n_classes: int) -> np.ndarray:
    """(n_test, n_classes) by a logistic regression learned on the fold's training rows alone."""
    from sklearn.linear_model import LogisticRegression

    train, test = numbers_of(inputs, fold.train, fold.test)
    found, p = np.unique(y[fold.train]), np.zeros((len(fold.test), n_classes))
    if len(found) < 2:
        p[:, found[0]] = 1.0
        return p
    model = LogisticRegression(C=0.1, max_iter=1000).fit(train, y[fold.train])
    p[:, found] = model.predict_proba(test)
    return p
