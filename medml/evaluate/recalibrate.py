"""Put probabilities right, judged honestly: the map for a fold is chosen and fitted on the unseen rows of the others.

Platt: logistic regression on the log odds (Platt 1999); isotonic: Zadrozny and Elkan, KDD 2002:694. Which of them, or
none, is decided by the log loss of an inner cross-validation over patients of those other folds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from medml.evaluate import calibration
from medml.evaluate.curves import short
from medml.evaluate.figures import Figures, measured
from medml.evaluate.intervals import Measure, Measured, metric
from medml.evaluate.scored import Sample, Scored
from medml.evaluate.thresholds import GRID, parts_of
from medml.types import SMALL_GROUP, Curve, Metric, Recalibration

METHODS = ("none", "platt", "isotonic")
A_STEP = 2 * SMALL_GROUP  # rows of a step; patients may stand there twice, once a repeat
INNER = 5  # parts in which a method is chosen
WORTH = 0.002  # of log loss a case: what a map must gain before probabilities are changed at all
TILT = 0.001  # of the straight line mixed into a map: no step of it stays flat
FEWEST = 30  # patients of the rarer class below which nothing is put right: a map would be noise


def fitted(method: str, y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The map as (x, y) points, straight between them; y (n,) 0/1, p (n,) -> round places 0-1 and what they become.

    Isotonic steps are of groups of neighbours, A_STEP rows and more, read off on a grid of 101 points: no patient's own
    probability is a step, and no step is a few patients' outcome.
    """
    x = np.concatenate([[0.001], GRID[1:-1], [0.999]])
    if method == "platt":
        slope, own, _ = calibration.recalibration(y, p)
        if np.isfinite(slope) and slope > 0:
            return x, 1 / (1 + np.exp(-(slope * calibration.logit(x) + own)))
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        groups = np.array_split(np.argsort(p, kind="stable"), max(1, len(p) // A_STEP))
        middle, share = (np.array([each[rows].mean() for rows in groups]) for each in (p, y))
        steps = IsotonicRegression(out_of_bounds="clip").fit(middle, share, [len(rows) for rows in groups]).predict(x)
        least = 1 / (len(y) + 2)  # a step of 0 or 1 would be a certainty that no number of patients gives
        return x, np.clip(steps, least, 1 - least)
    return x, x


def chosen(y: np.ndarray, p: np.ndarray, patient: np.ndarray, *, seed: int) -> str:
    """The method with the least log loss on inner parts that it was not fitted on; none unless it gains WORTH."""
    names, place = np.unique(patient, return_inverse=True)
    if min(len(np.unique(place[y == each])) for each in (0, 1)) < FEWEST or len(names) < INNER:
        return "none"
    part = np.random.default_rng(seed).permutation(len(names))[place] % INNER
    loss = {}
    for method in METHODS:
        q = np.empty(len(p))
        for number in range(INNER):
            inside = part == number
            q[inside] = applied(fitted(method, y[~inside], p[~inside]), p[inside])
        loss[method] = _loss(y, q)
    best = min(METHODS, key=loss.__getitem__)
    return best if loss["none"] - loss[best] > WORTH else "none"


def applied(steps: tuple[np.ndarray, np.ndarray], p: np.ndarray) -> np.ndarray:
    """(n,) what probabilities become by a map of `fitted`; without a change they stay exactly as they are."""
    x, y = steps
    return p if x is y else np.interp(p, x, y)


def rising(steps: Curve) -> tuple[np.ndarray, np.ndarray]:
    """The map of a report for later patients, as `applied` takes it: tilted by a hair, so that it rises everywhere and
    nobody changes places with, or draws level with, another patient or a threshold."""
    x, y = np.array(steps.x), np.array(steps.y)
    return x, (1 - TILT) * y + TILT * x


def _loss(y: np.ndarray, p: np.ndarray) -> float:
    held = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-np.where(y == 1, np.log(held), np.log(1 - held)).mean())


def cross_fitted(scored: Scored, *, seed: int) -> tuple[Scored, Counter]:
    """The same cases with every fold's probabilities put right by the others, and how often each method was chosen."""
    counts: Counter = Counter()
    samples = []
    for repeat, sample in enumerate(scored.samples):
        q, patient = np.array(sample.p[:, 1]), scored.patient[sample.rows]
        part = parts_of(sample.fold, patient, seed=seed + repeat)
        for number in np.unique(part):
            inside = part == number
            y, p = sample.y[~inside], sample.p[~inside, 1]
            method = chosen(y, p, patient[~inside], seed=seed + int(number))
            counts[method] += 1
            q[inside] = applied(fitted(method, y, p), sample.p[inside, 1])
        samples.append(replace(sample, p=np.column_stack([1 - q, q])))
    return replace(scored, samples=samples), counts


def recalibration_of(scored: Scored, before: Figures, *, seed: int, draws: int) -> Recalibration:
    """Two classes: calibration before and after, on rows that had no part in their map."""
    after, counts = cross_fitted(scored, seed=seed)
    grid = calibration.curve_grid(np.concatenate([each.p[:, 1] for each in after.samples]),
                                  SMALL_GROUP * len(after.samples))
    parts = {"line": calibration.plan_line, "ici": calibration.plan_ici, "metric": _losses,
             "calibration": lambda each: calibration.plan_curve(each, grid)}
    figures = measured(after, parts, {"calibration": grid}, seed=seed, draws=draws)
    y, p = (np.concatenate([getattr(each, name) if name == "y" else each.p[:, 1] for each in scored.samples])
            for name in ("y", "p"))
    who = np.concatenate([scored.patient[each.rows] for each in scored.samples])
    method = chosen(y, p, who, seed=seed)
    x, steps = fitted(method, y, p)
    return Recalibration(method=method, chosen={name: counts[name] for name in METHODS if counts[name]},
                         before=_told(before, scored.n_cases), after=_told(figures, scored.n_cases),
                         curve=figures.curve("calibration", "observed"), steps=Curve(x=short(x), y=short(steps)))


def _losses(sample: Sample) -> Measure:
    p = np.clip(sample.p[:, 1], 1e-15, 1 - 1e-15)
    losses = np.stack([(p - sample.y) ** 2, -np.where(sample.y == 1, np.log(p), np.log(1 - p))])

    def measure(weights: np.ndarray) -> Measured:
        brier, log_loss = losses @ weights / weights.sum(axis=0)
        return {"brier": brier, "log_loss": log_loss}
    return measure


def _told(figures: Figures, n: int) -> dict[str, Metric]:
    return figures.line(n) | {name: metric(float(figures.value[f"metric.{name}"]), figures.drawn[f"metric.{name}"], n)
                              for name in ("brier", "log_loss")}
