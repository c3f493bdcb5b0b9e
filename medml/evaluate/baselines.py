"""What a model must beat, in the same table, on the same folds (E7)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medml.cases import Cases, Fold, Predictions
from medml.types import Task

PREVALENCE = "prevalence"  # the training rows' shares of classes, or their mean, for everybody
LOGISTIC, RIDGE = "logistic", "ridge"  # plain regularised regression on the same matrix
TITLES = {PREVALENCE: "Prevalence alone", LOGISTIC: "Logistic regression", RIDGE: "Linear regression",
          "score_in_use": "The score in use today"}
MEAN = "The mean alone"  # what prevalence is of a number
SAME_FOR_ALL = (TITLES[PREVALENCE], MEAN)  # the titles of those that need no predictor


def title(name: str, *, task: Task, of_pictures: bool = False) -> str:
    """A baseline as reports and the terminal call it; beside a model of pictures it sees a thumbnail alone."""
    if task == "regression" and name == PREVALENCE:
        return MEAN
    words = TITLES.get(name, name.replace("_", " ").capitalize())
    return f"{words} on an 8 x 8 thumbnail" if of_pictures and name != PREVALENCE else words


def required(task: Task) -> tuple[str, str]:
    """Names of the two baselines that stand in every table: without any predictor, and the plain linear model."""
    return PREVALENCE, RIDGE if task == "regression" else LOGISTIC


def is_its_own(family: str, baseline: str) -> bool:
    """Whether a baseline is the very model that it would stand beside."""
    return family == "logistic" and baseline in (LOGISTIC, RIDGE)


def prevalence(cases: Cases, folds: Sequence[Fold]) -> Predictions:
    """The same figure for everybody: the shares of classes (or the mean) among each fold's own training rows.

    folds  of all repeats, or the one fold of a validation part
    """
    repeats = max(each.repeat for each in folds) + 1
    n, k = len(cases.y), len(cases.classes)
    shape = (repeats, n) if cases.task == "regression" else (repeats, n, k)
    p = np.full(shape, np.nan)
    for each in folds:
        if cases.task == "regression":
            p[each.repeat, each.test] = cases.y[each.train].mean()
        else:
            p[each.repeat, each.test] = np.bincount(cases.y[each.train], minlength=k) / len(each.train)
    nothing_learned = 0.0 if cases.task == "regression" else 0.5
    return Predictions(y=cases.y, p=p, patients=cases.patients, task=cases.task, classes=list(cases.classes),
                       train=np.full(len(folds), nothing_learned))
