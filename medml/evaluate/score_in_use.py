"""The model beside the score that is used today: on the same patients, in the same draws, said plainly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medml.cases import Cases, Fold, Predictions
from medml.evaluate import formula
from medml.evaluate.figures import Figures
from medml.evaluate.intervals import metric
from medml.evaluate.words import apart
from medml.types import SMALL_GROUP, Metric, ScoreInUse

NAME = "score_in_use"  # among the baselines


def values_of(cases: Cases, text: str) -> np.ndarray:
    """(n,) float64 of the score, NaN where it cannot be worked out. UserError for a formula that cannot be read."""
    there = {} if cases.aside is None else {str(name): cases.aside[name] for name in cases.aside.columns}
    named = formula.columns_of(text, list(there))
    return formula.worked_out(text, {name: _as_number(there[name]) for name in named})


def _as_number(column) -> np.ndarray:
    import pandas as pd

    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)


def predicted(cases: Cases, folds: Sequence[Fold], score: np.ndarray) -> Predictions:
    """What the score says of everybody, as probabilities: in each fold a logistic regression of the outcome on the
    score alone, learned from its training rows, so that net benefit compares like with like. Ranks stay the score's.

    score  (n,) NaN counts as the middle of the training rows;   two classes only
    """
    repeats, n = 1 + max(each.repeat for each in folds), len(cases.y)
    p = np.full((repeats, n), np.nan)
    for fold in folds:
        p[fold.repeat, fold.test] = _learned(score, cases.y, fold)
    return Predictions(y=cases.y, p=np.stack([1 - p, p], axis=-1), patients=cases.patients, task=cases.task,
                       classes=list(cases.classes), train=np.full(len(folds), np.nan))


def carried_over(own: Cases, cases: Cases, text: str) -> Predictions:
    """The same for other patients: one regression, learned from all of `own` and from none of `cases`."""
    score, y = (np.concatenate(both) for both in ((values_of(own, text), values_of(cases, text)), (own.y, cases.y)))
    p = _learned(score, y, Fold(np.arange(len(own.y)), np.arange(len(own.y), len(y)), 0, 0))
    return Predictions(y=cases.y, p=np.stack([1 - p, p], axis=-1)[None], patients=cases.patients, task=cases.task,
                       classes=list(cases.classes), train=np.full(1, np.nan))


def _learned(score: np.ndarray, y: np.ndarray, fold: Fold) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    known = np.isfinite(score[fold.train])
    if not known.any() or len(np.unique(y[fold.train])) < 2:
        return np.full(len(fold.test), y[fold.train].mean())
    middle, spread = np.median(score[fold.train][known]), score[fold.train][known].std() or 1.0
    x = (np.where(np.isfinite(score), score, middle) - middle) / spread
    model = LogisticRegression(C=1e6, max_iter=1000).fit(x[fold.train][:, None], y[fold.train])
    return model.predict_proba(x[fold.test][:, None])[:, 1]


def compared(text: str, score: np.ndarray, model: Figures, theirs: Figures, n: int) -> ScoreInUse:
    """Model minus score in AUROC and in mean net benefit over the stated range, paired draw by draw.

    score  of the cases that were judged, NaN where it cannot be worked out;   n  how many they are
    """
    auroc = metric(float(theirs.value["metric.auroc"]), theirs.drawn["metric.auroc"], n)
    n_missing = int(np.isnan(score).sum())
    few = 0 < n_missing < SMALL_GROUP
    ranks, benefit = (_difference(model, theirs, name, n) for name in ("auroc", "benefit.mean"))
    return ScoreInUse(formula=text, n=n, n_missing=0 if few else n_missing, few_missing=few, auroc=auroc,
                      auroc_difference=ranks, benefit_difference=benefit, said=in_words(ranks, benefit))


def _difference(model: Figures, theirs: Figures, name: str, n: int) -> Metric:
    value, drawn = model.difference(theirs, name)
    return metric(value, drawn, n)


def in_words(auroc: Metric, benefit: Metric) -> str:
    """Better, worse or no better than the score, in one sentence with the figures."""
    if auroc.value is None:
        return "There are too few cases to compare the model with your score."
    said = f"its AUROC {apart(auroc)}"
    if benefit.value is not None:
        per = 100
        said += (f", net benefit {per * benefit.value:+.1f} in {per} patients "
                 f"({benefit.between('+.1f', per=per)})")
    if auroc.high < 0:
        return f"The model is worse than your score: {said}. Keep your score."
    if auroc.low > 0 and (benefit.value is None or benefit.low > 0):
        return f"The model is better than your score: {said}."
    if auroc.low > 0:
        return f"The model ranks patients better than your score, but acting on it is no better: {said}."
    return f"The model is no better than your score: {said}."
