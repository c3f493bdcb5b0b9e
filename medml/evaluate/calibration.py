"""Whether a probability of 30 % means that 30 in 100 have the outcome: line, smooth curve, in every bootstrap draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.evaluate import smooth
from medml.evaluate.intervals import Measure, Measured
from medml.evaluate.metrics import divide
from medml.evaluate.scored import Sample

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FAR = 13.8  # |logit| of a probability of 1e-6: beyond it a probability counts as that


def logit(p: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)), held within +-13.8."""
    held = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(held / (1 - held))


# ---- the line --------------------------------------------------------------------------------------------------

def recalibration(y: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """Logistic regression of the outcome on logit(p), by maximum likelihood (Cox, Biometrika 1958;45:562).

    y (n,) 0/1, p (n,)  ->  slope, its own intercept, calibration in the large (the intercept with slope 1)
    NaN where there is no estimate: one class alone, the same probability for everybody, or classes wholly apart.
    """
    x = logit(p)
    large = _newton(np.ones((len(x), 1)), y, x)
    if np.ptp(x) < 1e-9:
        return np.nan, np.nan, float(large[0])
    both = _newton(np.column_stack([x, np.ones_like(x)]), y, np.zeros_like(x))
    return float(both[0]), float(both[1]), float(large[0])


def _newton(design: np.ndarray, y: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Coefficients of a logistic regression with an offset; NaN where it does not settle."""
    found = np.zeros(design.shape[1])
    if len(np.unique(y)) < 2:
        return np.full_like(found, np.nan)
    for _ in range(50):
        mean = _logistic(offset + design @ found)
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        try:
            step = np.linalg.solve(information, design.T @ (y - mean))
        except np.linalg.LinAlgError:
            break
        found = found + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-9:
            return found
    return np.full_like(found, np.nan)


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -700, 700)))


def plan_line(sample: Sample, which: int = 1) -> Measure:
    """Slope and calibration in the large in every draw, one Newton step away from the estimate on all cases.

    The one-step bootstrap (Davidson and MacKinnon, Int Econ Rev 1999;40:487) differs from refitting in each draw by
    less than the draws' own noise, at the cost of one matrix product.
    """
    y, x = (sample.y == which).astype(float), logit(sample.p[:, which])
    slope, own, large = recalibration(y, sample.p[:, which])
    fitted, shifted = _logistic(slope * x + own), _logistic(x + large)
    spread, narrow = fitted * (1 - fitted), shifted * (1 - shifted)
    sums = np.stack([(y - fitted) * x, y - fitted, spread * x * x, spread * x, spread, y - shifted, narrow])

    def line(weights: np.ndarray) -> Measured:
        gx, g1, hxx, hx1, h11, residual, information = sums @ weights
        determinant = hxx * h11 - hx1**2
        return {"slope": slope + divide(h11 * gx - hx1 * g1, np.where(determinant > 1e-12, determinant, 0.0)),
                "intercept": large + divide(residual, np.where(information > 1e-12, information, 0.0))}
    return line


def plan_class_lines(sample: Sample) -> Measure:
    """`plan_line` of each of several classes against the rest: {"slope 0": (draws,), "intercept 0", "slope 1" ...}.

    One question at a time: the cross terms of a multinomial recalibration (Van Hoorde et al., Stat Med 2014;33:2585)
    are not among them.
    """
    lines = [plan_line(sample, each) for each in range(sample.p.shape[1])]
    return lambda weights: {f"{name} {place}": drawn for place, line in enumerate(lines)
                            for name, drawn in line(weights).items()}


def plan_number_line(sample: Sample) -> Measure:
    """The same for a number: least squares of observed on predicted; slope, and the mean difference."""
    y, x = sample.y - sample.y.mean(), sample.p - sample.p.mean()
    shift = float(sample.y.mean() - sample.p.mean())
    sums = np.stack([x * y, x * x, x, y])

    def line(weights: np.ndarray) -> Measured:
        xy, xx, mx, my = sums @ weights / weights.sum(axis=0)
        spread = xx - mx**2
        return {"slope": divide(xy - mx * my, np.where(spread > 1e-12, spread, 0.0)), "intercept": my - mx + shift}
    return line


# ---- the curve -------------------------------------------------------------------------------------------------

def curve_grid(p: np.ndarray, k: int) -> np.ndarray:
    """101 probabilities over the stretch where predictions are, in steps that are round: at least k beyond each end."""
    held = np.sort(p)
    beyond = min(max(k, len(held) // 100), len(held) // 4)
    low, high = np.floor(held[beyond] * 100) / 100, np.ceil(held[-1 - beyond] * 100) / 100
    return np.round(np.linspace(low, max(high, low + 0.01), 101), 4)


def plan_curve(sample: Sample, grid: np.ndarray, which: int = 1) -> Measure:
    """Share with the outcome at each probability of the grid: local linear smoothing, tricube weights, as loess.

    returns  weights -> {"observed": (101, draws)} within 0-1
    """
    y, p = (sample.y == which).astype(float), sample.p[:, which]
    gather, centre = _gathered(p, y)
    curve = smooth.curve_of(p, centre, grid)
    return lambda weights: {"observed": curve(*(each @ weights for each in gather))}


def _gathered(p: np.ndarray, y: np.ndarray) -> tuple[list[csr_array], np.ndarray]:
    """(cells, n) what adds up the cases of each cell, and those with the outcome; (cells,) where a cell's cases are."""
    from scipy.sparse import csr_array

    place, centre = smooth.cells_of(p)
    shape, rows = (len(centre), len(p)), np.arange(len(p))
    return [csr_array((values, (place, rows)), shape=shape) for values in (np.ones_like(p), y)], centre


def plan_ici(sample: Sample, which: int = 1) -> Measure:
    """The integrated calibration index: mean distance of a case's probability from the smooth curve at that
    probability (Austin and Steyerberg, Stat Med 2019;38:4051).

    returns  weights -> {"ici": (draws,)} within 0-1
    """
    y, p = (sample.y == which).astype(float), sample.p[:, which]
    gather, centre = _gathered(p, y)
    distance = smooth.distance_of(p, centre)
    return lambda weights: {"ici": distance(*(each @ weights for each in gather))}
