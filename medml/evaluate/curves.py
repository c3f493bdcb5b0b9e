"""Curves on 101-point grids with bootstrap bands; never one point a patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medml.evaluate.intervals import Measure, Measured, bootstrap, once
from medml.evaluate.metrics import Ranking, coarse, divide
from medml.evaluate.scored import Sample, Scored
from medml.evaluate.thresholds import GRID
from medml.types import Curve


def plan_roc(sample: Sample, which: int = 1) -> Measure:
    """Sensitivity on a grid of 1 - specificity in every fold, averaged by the folds' patients with the outcome.

    Its area is the AUROC of `plan_auroc` (up to the grid and to folds of unequal make-up).
    returns  weights -> {"sensitivity": (101, draws)}
    """
    roc = coarse(_roc, sample.y == which, sample.score(which), sample.fold)
    return lambda weights: {"sensitivity": roc(weights)}


def _roc(y: np.ndarray, score: np.ndarray, fold: np.ndarray) -> Ranking:
    folds = [_roc_of(np.flatnonzero(fold == number), y == 1, score) for number in np.unique(fold)]

    def roc(weights: np.ndarray) -> np.ndarray:
        total = np.zeros((len(GRID), weights.shape[1]))
        positives = np.zeros(weights.shape[1])
        for each in folds:
            sensitivity, weight = each(weights)
            total += sensitivity * weight
            positives += weight
        return divide(total, positives)
    return roc


def _roc_of(rows: np.ndarray, positive: np.ndarray, score: np.ndarray):
    rows = rows[np.argsort(-score[rows], kind="stable")]
    is_positive = positive[rows].astype(float)[:, None]
    ends = np.flatnonzero(np.append(np.diff(score[rows]) != 0, True))  # ties are one step

    def of_fold(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mine = weights[rows]
        true = np.cumsum(mine * is_positive, axis=0)[ends]
        false = np.cumsum(mine, axis=0)[ends] - true
        n_true, n_false = true[-1], false[-1]
        told = (n_true > 0) & (n_false > 0)
        rise = _from_zero(true / np.where(told, n_true, 1.0))
        run = _from_zero(false / np.where(told, n_false, 1.0))
        run[~told], rise[~told] = 0.0, 0.0
        return np.minimum(read_off(run, rise, GRID), 1.0), np.where(told, n_true, 0.0)
    return of_fold


def _from_zero(steps: np.ndarray) -> np.ndarray:
    """(m, draws) -> (draws, m + 1) beginning at 0."""
    return np.column_stack([np.zeros(steps.shape[1]), steps.T])


def read_off(x: np.ndarray, y: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """(draws, m) curves, each x rising within 0-1 -> (points, draws), straight between points, the top of a jump.

    One interpolation for all draws: draw i is moved to 2 i .. 2 i + 1.
    """
    shift = 2.0 * np.arange(len(x))[:, None]
    return np.interp((grid + shift).ravel(), (np.minimum(x, 1.0) + shift).ravel(), y.ravel()).reshape(len(x), -1).T


def plan_precision(sample: Sample, which: int = 1) -> Measure:
    """Precision where a sensitivity is first reached, on a grid of sensitivities, all folds together.

    returns  weights -> {"precision": (101, draws)}
    """
    precision = coarse(_precision, sample.y == which, sample.score(which), np.zeros_like(sample.fold))
    return lambda weights: {"precision": precision(weights)}


def _precision(y: np.ndarray, score: np.ndarray, fold: np.ndarray) -> Ranking:
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    is_positive = y[order].astype(float)[:, None]
    wanted = np.maximum(GRID, 1e-9) - 1e-12

    def precision(weights: np.ndarray) -> np.ndarray:
        mine = weights[order]
        true = np.cumsum(mine * is_positive, axis=0)[ends]
        flagged = np.cumsum(mine, axis=0)[ends]
        reached = np.nan_to_num(divide(true, true[-1]).T)  # (draws, ends)
        shift = 2.0 * np.arange(len(reached))[:, None]  # one search for all draws
        place = np.searchsorted((reached + shift).ravel(), (wanted + shift).ravel()).reshape(len(reached), -1)
        place -= np.arange(len(reached))[:, None] * len(ends)
        found = np.take_along_axis(divide(true, flagged).T, np.minimum(place, len(ends) - 1), axis=1)
        return np.where(true[-1] > 0, found.T, np.nan)
    return precision


def plan_grid(sample: Sample, which: int = 1) -> Measure:
    """Found and mistaken at each of the 101 thresholds (p >= threshold is "yes").

    returns  weights -> {"tp": (101, draws), "fp", "sensitivity", "specificity"}
    """
    from scipy.sparse import csr_array

    positive = (sample.y == which).astype(float)
    step = np.searchsorted(GRID, sample.p[:, which], "right") - 1  # the highest threshold that p reaches
    shape, rows = (len(GRID), len(step)), np.arange(len(step))
    gather = [csr_array((values, (np.maximum(step, 0), rows)), shape=shape) for values in (positive, 1 - positive)]

    def grid(weights: np.ndarray) -> Measured:
        tp, fp = (np.cumsum((each @ weights)[::-1], axis=0)[::-1] for each in gather)
        return {"tp": tp, "fp": fp, "sensitivity": divide(tp, tp[0]), "specificity": 1 - divide(fp, fp[0])}
    return grid


def short(values: np.ndarray) -> list[float]:
    """Four digits: what a drawing needs, and no patient's own value."""
    return [float(f"{each:.4g}") for each in values]


def confusion(samples: Sequence[Sample], n_classes: int) -> list[list[int]]:
    """Rows: true class, columns: decided; means over repeats, rounded so that every row keeps its number of cases."""
    mean = np.mean([np.bincount(each.y * n_classes + each.decided, minlength=n_classes**2) for each in samples],
                   axis=0).reshape(n_classes, n_classes)
    return [round_to_sum(row) for row in mean]


def round_to_sum(values: np.ndarray) -> list[int]:
    """Whole numbers nearest to `values` with the same (rounded) sum: largest remainders are rounded up."""
    whole = np.floor(values + 1e-9).astype(int)
    lacking = int(round(float(values.sum()))) - int(whole.sum())
    for place in np.argsort(whole - values, kind="stable")[:max(lacking, 0)]:
        whole[place] += 1
    return [int(each) for each in whole]


def residuals(scored: Scored, k: int, *, seed: int, draws: int) -> Curve | None:
    """For a number: mean observed by tenth of predicted (fewer, larger groups where a tenth has under k cases)."""
    y, p = _mean_over_repeats(scored)
    groups = min(10, len(y) // k)
    if groups < 2:
        return None
    group = np.minimum((np.argsort(np.argsort(p, kind="stable")) * groups) // len(p), groups - 1)
    member = (group == np.arange(groups)[:, None]).astype(float)
    x = (member @ p) / member.sum(axis=1)
    patient = scored.patient[scored.measured]

    def means(weights: np.ndarray) -> Measured:
        return {"observed": divide(member @ (weights * y[:, None]), member @ weights)}
    value = once(means, len(y))["observed"][:, 0]
    drawn = bootstrap(means, patient, scored.n_patients, seed=seed, draws=draws)["observed"]
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=1)
    return Curve(x=_digits(x), y=_digits(value), low=_digits(low), high=_digits(high))


def _digits(values: np.ndarray) -> list[float]:
    return [float(f"{each:.3g}") for each in values]


def _mean_over_repeats(scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """(m,) observed and mean prediction of the cases that were predicted."""
    total, seen, y = (np.zeros(len(scored.patient)) for _ in range(3))
    for each in scored.samples:
        total[each.rows] += each.p
        seen[each.rows] += 1
        y[each.rows] = each.y
    return y[scored.measured], (total[scored.measured] / seen[scored.measured])
