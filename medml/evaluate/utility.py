"""Net benefit: whether acting on the model does more good than acting on everybody, on nobody, or on another score.

At threshold t a false alarm counts t / (1 - t) of a patient found: net benefit = TP/n - FP/n * t/(1-t) (Vickers and
Elkin, Med Decis Making 2006;26:565).
"""

from __future__ import annotations

import numpy as np

from medml.evaluate.curves import plan_grid
from medml.evaluate.intervals import Measure, Measured
from medml.evaluate.scored import Sample
from medml.evaluate.thresholds import GRID
from medml.types import UsePlan

STEPS = GRID[:-1]  # thresholds under 1: at 1 the weight of a false alarm has no end
ODDS = STEPS / (1 - STEPS)
LEAST, MOST = 0.01, 0.99  # thresholds between which one can act on a risk at all


def compared_range(plan: UsePlan, share: float) -> tuple[float, float, str]:
    """Thresholds between which net benefit is compared, and where they come from.

    share  of cases with the outcome;  without a plan: from half of it to twice, within 0.01-0.99
    """
    low = plan.low if plan.low is not None else round(float(np.clip(share / 2, LEAST, 0.98)), 2)
    high = plan.high if plan.high is not None else round(float(np.clip(2 * share, low + 0.01, MOST)), 2)
    if plan.low is not None and plan.high is not None:
        return low, max(high, low), "the range that was stated before training"
    begins = "from what was stated before training" if plan.low is not None else _begins(share)
    return low, max(high, low), f"{begins} {_ends(plan, low, share, 'half' in begins)}"


def _begins(share: float) -> str:
    return "from the lowest threshold that is compared" if share / 2 < LEAST else \
        "from half the share of cases with the outcome"


def _ends(plan: UsePlan, low: float, share: float, named: bool) -> str:
    """named  whether the share was named just before"""
    if plan.high is not None:
        return "to what was stated before training"
    if 2 * share > MOST:
        return "to the highest threshold that is compared"
    if 2 * share < low + 0.01:
        return "to just above it"
    return "to twice that share" if named else "to twice the share of cases with the outcome"


def plan_benefit(sample: Sample, low: float, high: float) -> Measure:
    """Decision curves of the model and of treating everybody, and their means over low-high.

    returns  weights -> {"model": (100, draws), "everybody": (100, draws), "mean": (draws,) of the model,
             "gain": (draws,) model minus the better of treating everybody and treating nobody}
    """
    grid = plan_grid(sample)
    inside = (STEPS >= low - 1e-9) & (STEPS <= high + 1e-9)
    if not inside.any():
        inside[np.abs(STEPS - (low + high) / 2).argmin()] = True

    def benefit(weights: np.ndarray) -> Measured:
        counts = grid(weights)
        tp, fp = counts["tp"], counts["fp"]
        n = tp[0] + fp[0]  # at threshold 0 everybody is called
        model = (tp[:-1] - fp[:-1] * ODDS[:, None]) / n
        everybody = (tp[0] - fp[0] * ODDS[:, None]) / n
        gained = model - np.maximum(everybody, 0)
        return {"model": model, "everybody": everybody, "mean": model[inside].mean(axis=0),
                "gain": gained[inside].mean(axis=0)}
    return benefit
