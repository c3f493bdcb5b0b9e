"""Curves of what validate.py judges, cut at the same thresholds. Between any two of these lie no patients of a class or
ten at least: no curve, and no two together, lets a smaller group be worked out."""

import numpy as np
from figures import GRID, with_intervals


def grid(y, p, patients, fewest, decided):
    """The confusion matrix at such of 101 thresholds that no group of under `fewest` patients of a class lies between
    two of them, or between one of them and the threshold in use: none can be worked out by difference.

    decided  (n,) bool: who is called at the threshold in use, whose figures are told as well
    """
    kept, before = [], np.ones(len(y), dtype=bool)
    for at in GRID:
        called = p >= at
        if kept and (called == before).all():
            continue
        apart = [called != other for other in (decided, before)] + [called, ~called]
        if all(_enough(y, patients, rows, fewest) for rows in apart):
            tp, fp, before = int((called & (y == 1)).sum()), int((called & (y == 0)).sum()), called
            kept.append({"threshold": float(at), "tp": tp, "fp": fp, "fn": int((y == 1).sum()) - tp,
                         "tn": int((y == 0).sum()) - fp})
    return kept


def _enough(y, patients, rows, fewest):
    """Whether these rows are of no patient of a class or of `fewest` and more."""
    of_class = [len(np.unique(patients[rows & (y == each)])) for each in (1, 0)]
    return all(n == 0 or n >= fewest for n in of_class)


def bins(y, p, told):
    """Mean probability and share with the outcome between one threshold of the grid and the next."""
    cuts = [each["threshold"] for each in told]
    parts = [(p >= low) & (p < high) for low, high in zip(cuts, [*cuts[1:], np.inf], strict=True)]
    parts = [part for part in parts if part.any()]
    return {"x": [float(f"{p[part].mean():.3g}") for part in parts],
            "y": [float(f"{y[part].mean():.4g}") for part in parts]}


def roc(told):
    """Sensitivity on a grid of 101 values of 1 - specificity, straight between the points of the thresholds."""
    rates = [[each["tp"] / (each["tp"] + each["fn"]), each["fp"] / (each["fp"] + each["tn"])] for each in told[::-1]]
    true, false = np.array([[0.0, 0.0], *rates, [1.0, 1.0]]).T
    return {"x": GRID.tolist(), "y": [float(f"{each:.4g}") for each in np.interp(GRID, false, true)]}


def net_benefit(y, p, patients, told, asked):
    """Decision curves at the thresholds of the grid (Vickers and Elkin, Med Decis Making 2006;26:565), and their gain
    over treating everybody or nobody, its mean over the hundredths of the run's range; None where none is told there.
    Who is called at a hundredth between two thresholds is drawn straight between these: nothing more is told by it.

    asked  {"low", "high", "range_reason"}
    """
    at = np.array([each["threshold"] for each in told if each["threshold"] < 1])
    if not ((at >= asked["low"] - 1e-9) & (at <= asked["high"] + 1e-9)).any():
        return None
    odds, called = (at / (1 - at))[:, None], p[None] >= at[:, None]   # (thresholds, n)
    every = GRID[(asked["low"] - 1e-9 <= GRID) & (asked["high"] + 1e-9 >= GRID) & (GRID < 1)]
    between = np.array([np.interp(every, at, each) for each in np.eye(len(at))]).T   # (hundredths, thresholds)
    every_odds = (every / (1 - every))[:, None]

    def measure(weights):
        n, some, others = weights.sum(axis=0), (y == 1) @ weights, (y == 0) @ weights
        true, false = (called & (y == 1)) @ weights, (called & (y == 0)) @ weights
        model, everybody = (true - odds * false) / n, (some - odds * others) / n
        gain = (between @ true - every_odds * (between @ false) - np.maximum(some - every_odds * others, 0)) / n
        gain = gain.mean(axis=0)
        return {f"model {place}": each for place, each in enumerate(model)} | {
            f"everybody {place}": each for place, each in enumerate(everybody)} | {"gain": gain}

    found = with_intervals(measure, patients, len(y))

    def curve(name):
        points = [found[f"{name} {place}"] for place in range(len(at))]
        return {"x": at.tolist()} | {end: [float(f"{each[key]:.4g}") for each in points]
                                     for end, key in (("y", "value"), ("low", "low"), ("high", "high"))}
    return asked | {"model": curve("model"), "everybody": curve("everybody"), "gain": found["gain"]}
