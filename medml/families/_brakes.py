"""Usual strengths of what keeps a network from learning by heart, by the size of the data."""

from __future__ import annotations

import math

from medml.families.facts import Facts, rounded

DROPOUT, ODDS = 0.05, 0.2  # step of a slider; what is usual where there are as many rows as is ordinary
FADES = 0.5  # weight decay x the root of all steps: 0.01 over 2,500 of them
WEAKEST = 0.001


def dropout(facts: Facts, ordinary: int) -> float:
    """0.2 of up to `ordinary` rows (more of it only slowed the learning of 100), then its odds fall with the fourth
    root of the rows.

    It acts as a ridge on the loss of every row, of the strength p / (1 - p) (Wager, Wang and Liang, NIPS 2013), so it
    does not give way to the data by itself as a prior does.
    """
    odds = ODDS / (1 - ODDS) * min(1.0, facts.scarcity(ordinary, 1 / 4))
    return round(max(1, round(odds / (1 + odds) / DROPOUT)) * DROPOUT, 2)


def decay(facts: Facts, batch: int, epochs: int) -> float:
    """What it takes off in a whole training stays alike: one by the root of all steps (Loshchilov and Hutter 2019,
    appendix B)."""
    return max(WEAKEST, rounded(FADES / math.sqrt(facts.steps(batch) * epochs)))
