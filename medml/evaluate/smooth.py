"""The smooth curve of what is observed at each probability, and how far probabilities lie from it. Numpy alone, because
a capsule takes this file along."""

import numpy as np

SPAN = 0.6  # share of cases that one point of the smooth curve looks at (loess; Austin and Steyerberg use 0.75)
BINS = 400  # cases are gathered into this many cells of probability before smoothing: cost no longer depends on n
POINTS = 101  # of the curve that the calibration index is read from


def cells_of(p):
    """(n,) the place of each case's cell among those in use, and (cells,) where their cases are, unweighted."""
    cell = np.minimum((p * BINS).astype(int), BINS - 1)
    place, n = np.unique(cell, return_inverse=True, return_counts=True)[1:]
    return place, np.bincount(place, weights=p) / n


def curve_of(p, centre, grid):
    """Local linear smoothing, tricube weights, as loess.

    p (n,) probabilities;   centre  (cells,) of `cells_of`;   grid  (points,) where the curve is told
    returns  (mass, events: (cells, draws)) -> (points, draws) share with the outcome, within 0-1
    """
    kernel, away = _kernel(p, centre, grid)
    firsts, points = np.vstack([kernel, kernel * away, kernel * away**2]), len(grid)

    def curve(mass, events):
        s0, s1, s2 = (firsts @ mass).reshape(3, points, -1)
        t0, t1 = (firsts[:2 * points] @ events).reshape(2, points, -1)
        determinant = s0 * s2 - s1**2
        straight = _divide(s2 * t0 - s1 * t1, np.where(determinant > 1e-9 * s0**2, determinant, 0.0))
        return np.clip(np.where(np.isfinite(straight), straight, _divide(t0, s0)), 0.0, 1.0)
    return curve


def distance_of(p, centre):
    """The integrated calibration index: mean distance of a case's probability from the smooth curve at that
    probability (Austin and Steyerberg, Stat Med 2019;38:4051).

    returns  (mass, events: (cells, draws)) -> (draws,) within 0-1
    """
    grid = np.linspace(p.min(), max(p.max(), p.min() + 1e-3), POINTS)
    curve = curve_of(p, centre, grid)
    at = np.clip((centre - grid[0]) / (grid[1] - grid[0]), 0, len(grid) - 1 - 1e-9)
    below, share = at.astype(int), (at - at.astype(int))[:, None]

    def distance(mass, events):
        observed = curve(mass, events)
        on_curve = observed[below] * (1 - share) + observed[below + 1] * share
        return _divide((np.abs(on_curve - centre[:, None]) * mass).sum(axis=0), mass.sum(axis=0))
    return distance


def _kernel(p, centre, grid):
    """(points, cells) tricube weights and distances; each point reaches as far as SPAN of the cases lie."""
    distance = np.abs(p[None, :] - grid[:, None])
    nearest = max(2, int(np.ceil(SPAN * len(p)))) - 1
    reach = np.partition(distance, min(nearest, len(p) - 1), axis=1)[:, min(nearest, len(p) - 1)]
    away = centre[None, :] - grid[:, None]
    share = np.clip(np.abs(away) / np.maximum(reach, 0.02)[:, None], 0, 1)
    return (1 - share**3) ** 3, away


def _divide(top, bottom):
    return np.divide(top, bottom, out=np.full(np.broadcast(top, bottom).shape, np.nan), where=bottom != 0)
