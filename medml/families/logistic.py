"""Regularised logistic regression (ridge regression for a number), its penalty chosen by inner cross-validation."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medml import device
from medml.cases import FitData
from medml.families import _files, _inner, _wide, registry
from medml.families._cost import unit
from medml.families._guard import Labels, accept, loss, matrix
from medml.families.facts import ORDINARY, Facts, rounded
from medml.families.family import Cost, Family, Param, Zone
from medml.types import Task
from medml.watch import Rounds, no_rounds

NEWTON_MOST = 400  # coefficients up to which Newton's method is the fastest solver
WEAKEST, STRONGEST = 2.0, -3.5  # log10 of C in scikit-learn's sense, on standardised columns


@dataclass(frozen=True, slots=True)
class Linear:
    """Coefficients of standardised columns; `strength` is the chosen C (classes) or 1 / lambda (a number)."""

    mean: np.ndarray  # (p,)
    scale: np.ndarray  # (p,), 1 where a column is constant
    weights: np.ndarray  # (p, n_present), or (p, 1)
    offset: np.ndarray  # (n_present,) or (1,)
    labels: Labels | None  # None: a number
    strength: float


class Logistic(Family):
    name = "logistic"
    title = "Logistic regression"
    sentence = "Adds up the columns with weights that are kept small; hard to beat with few patients, easy to explain."
    params = (
        Param("penalties", "Penalties tried", "How many strengths of the penalty are compared by cross-validation "
              "inside the training rows; two for each tenfold.", None, low=10, high=40, picture="penalties"),
        Param("weakest", "Weakest penalty", "The freest model that may be chosen; smaller keeps the weights smaller, "
              "and half of it is as free where there are twice the rows.", None, low=0.001, high=10_000.0, kind="log",
              picture="freedom"),
    )

    def titled(self, task: Task) -> str:
        return "Linear regression" if task == "regression" else self.title

    def usual(self, facts: Facts) -> dict[str, Any]:
        """The penalty is weighed against a sum over rows: above 20,000 the same freedom is a smaller number, and
        fewer tenfolds lie between it and the strongest penalty. On fewer rows a rare class may need all of it."""
        weakest = max(0.1, rounded(10**WEAKEST * min(1.0, facts.scarcity(ORDINARY, 1))))
        tenfolds = math.log10(weakest) - STRONGEST
        return super().usual(facts) | {"weakest": weakest, "penalties": max(10, 1 + round(2 * tenfolds))}

    def zones(self, facts: Facts) -> dict[str, Zone]:
        """More strengths pay where a fit is quick; freer models where every column has many events."""
        each, weakest = facts.informative / facts.n_columns, self.usual(facts)["weakest"]
        return {"penalties": (10, 30 if facts.n_rows < 2_000 else 20 if not facts.large else 15),
                "weakest": (weakest / 100, weakest) if each < 20 else (weakest / 10, 10 * weakest)}

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        fits = self.settled(params, n_cases, n_columns, task)["penalties"] * (1 + _inner.n_folds(n_cases))
        outputs = 3 if task == "multiclass" else 1
        work = 8 * n_cases * (n_columns * outputs) ** 2 if task != "regression" else 60 * n_cases * n_columns  # walks
        calls = 9_000 if task != "regression" else 400  # what scikit-learn does around a fit; measured, 300-3,000 rows
        return Cost(fits * (calls * unit("call") + work * unit("product")), n_cases * n_columns * 8 * 4)

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Linear:
        """Walk from the strongest penalty to the weakest; keep the one with the smallest inner out-of-fold loss."""
        X = accept(self, data)
        chosen = self.settled(params, *X.shape, data.task)
        with device.few_threads(len(X)):
            return self._walk(X, data, chosen, seed, rounds)[0]

    def fit_with_inner(self, data: FitData, params: dict[str, Any], pairs: list[tuple[np.ndarray, np.ndarray]],
                       rounds: Rounds = no_rounds) -> tuple[Linear, np.ndarray]:
        """`fit` on given inner pairs (train, rest); also the chosen penalty's predictions for the rests (a vote)."""
        X = accept(self, data)
        chosen = self.settled(params, *X.shape, data.task)
        with device.few_threads(len(X)):
            return self._walk(X, data, chosen, 0, rounds, pairs)

    def _walk(self, X: np.ndarray, data: FitData, chosen: dict[str, Any], seed: int, rounds: Rounds,
              pairs: list[tuple[np.ndarray, np.ndarray]] | None = None) -> tuple[Linear, np.ndarray]:
        strengths = np.logspace(STRONGEST, np.log10(chosen["weakest"]), int(chosen["penalties"]))
        return walk(X, data, strengths, seed=seed, rounds=rounds, pairs=pairs)

    def predict(self, fitted: Linear, X: np.ndarray) -> np.ndarray:
        return predict(fitted, matrix(X, len(fitted.mean)))

    def save(self, fitted: Linear, folder: Path) -> None:
        labels = fitted.labels
        arrays = {"mean": fitted.mean, "scale": fitted.scale, "weights": fitted.weights, "offset": fitted.offset}
        if labels is not None:
            arrays["present"] = labels.present
        _files.write(folder, self.name, {"strength": fitted.strength,
                                         "n_classes": None if labels is None else labels.n_classes}, arrays)

    def load(self, folder: Path) -> Linear:
        meta, arrays, _ = _files.read(folder, self.name)
        present = arrays.pop("present", None)
        labels = None if present is None else Labels(present, meta["n_classes"])
        return Linear(**arrays, labels=labels, strength=meta["strength"])


def walk(X: np.ndarray, data: FitData, strengths: np.ndarray, *, seed: int, rounds: Rounds = no_rounds,
         pairs: list[tuple[np.ndarray, np.ndarray]] | None = None, scaled: bool = False) -> tuple[Linear, np.ndarray]:
    """From the strongest penalty to the weakest; the one with the smallest inner out-of-fold loss, and its predictions.

    scaled   X is on the scale on which weights are to be kept small: it is not standardised again
    returns  the model of all rows, and predictions of the inner rests in the order of the rows, NaN for a row in none
    """
    pairs = pairs or _inner.folds(data.y, data.patients, data.task, seed)
    inner = [(_start(X[train], data, train, scaled), rest) for train, rest in pairs]
    whole, total = _start(X, data, np.arange(len(X)), scaled), len(strengths) + 1
    best: tuple[float, Linear, np.ndarray] | None = None
    for number, strength in enumerate(strengths, start=1):
        rests = [(rest, predict(part(strength), X[rest])) for part, rest in inner]
        figure = float(np.mean([loss(data.y[rest], p) for rest, p in rests]))
        model = whole(strength)
        if best is None or figure < best[0]:
            best = figure, model, _together(rests, len(X))
        if not rounds(number, total, loss(data.y, predict(model, X)), lambda rows, m=model: predict(m, rows)):
            return best[1:]
    _, model, out_of_fold = best
    rounds(total, total, loss(data.y, predict(model, X)), lambda rows: predict(model, rows))
    return model, out_of_fold


def predict(fitted: Linear, X: np.ndarray) -> np.ndarray:
    """(n, p) -> probabilities (n, n_classes) or numbers (n,)."""
    scores = (X - fitted.mean) / fitted.scale @ fitted.weights + fitted.offset  # (n, n_present)
    if fitted.labels is None:
        return scores[:, 0]
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return fitted.labels.spread(shifted / shifted.sum(axis=1, keepdims=True))


def _together(rests: list[tuple[np.ndarray, np.ndarray]], n_cases: int) -> np.ndarray:
    """Predictions of the rests in the order of the rows, NaN where a row was in none."""
    p = np.full((n_cases, *rests[0][1].shape[1:]), np.nan)
    for rest, theirs in rests:
        p[rest] = theirs
    return p


def _start(X: np.ndarray, data: FitData, positions: np.ndarray, scaled: bool):
    """Standardise once; returns strength -> Linear for these rows."""
    mean, scale = X.mean(axis=0), np.ones(X.shape[1]) if scaled else X.std(axis=0)
    scale = np.where(scale > 1e-12 * np.maximum(1.0, np.abs(mean)), scale, 1.0)
    Z, y = (X - mean) / scale, data.y[positions]
    if data.task == "regression":
        return _ridge(Z, y, mean, scale)
    labels = Labels(np.unique(y).astype(np.int64), data.n_classes)
    fit = _classes(Z, labels.encode(y), len(labels.present))
    return lambda strength: Linear(mean, scale, *fit(strength), labels, float(strength))


def _classes(Z: np.ndarray, codes: np.ndarray, n_present: int):
    """strength -> weights (p, n_present) and offsets, by what is quickest for so many coefficients."""
    n_columns = Z.shape[1]
    if n_present == 1:  # an inner part may lack a class
        return lambda strength: (np.zeros((n_columns, 1)), np.zeros(1))
    if n_columns * (1 if n_present == 2 else n_present) > NEWTON_MOST:
        return _wide.Descent(Z, codes, n_present).solve
    return lambda strength: _newton(Z, codes, n_present, strength)


def _newton(Z: np.ndarray, codes: np.ndarray, n_present: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    from scipy.linalg import LinAlgWarning
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=500, tol=1e-6)
    with warnings.catch_warnings():
        # The weakest penalties of separable data converge slowly; they are compared by out-of-fold loss all the same
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        model.fit(Z, codes)
    if n_present == 2:
        zero = np.zeros((Z.shape[1], 1))
        return np.hstack([zero, model.coef_.T]), np.array([0.0, model.intercept_[0]])
    return model.coef_.T.copy(), model.intercept_.copy()


def _ridge(Z: np.ndarray, y: np.ndarray, mean: np.ndarray, scale: np.ndarray):
    """All penalties from one eigendecomposition of Z'Z (p, p)."""
    middle = y.mean()
    values, vectors = np.linalg.eigh(Z.T @ Z)
    turned = vectors.T @ (Z.T @ (y - middle))

    def solve(strength: float) -> Linear:
        weights = vectors @ (turned / (np.maximum(values, 0.0) + 1.0 / strength))
        return Linear(mean, scale, weights[:, None], np.array([middle]), None, float(strength))
    return solve


registry.add("logistic", Logistic())
