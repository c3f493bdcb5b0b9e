"""Weights of a model as bars, once free and once held back: what cards of regularisation share."""

from __future__ import annotations

from medml.cards.ink import LEFT, RIGHT, box, line

FREE = (0.95, -0.62, 0.8, -0.3, 0.48, -0.85, 0.2, 0.66, -0.42, 0.12)  # of ten columns, as drawn
MIDDLE, TALL = 55.0, 44.0


def bars(kept: list[float], tone: str) -> list[str]:
    """kept  share of each free weight that is left, 0-1, as long as FREE"""
    wide = (RIGHT - LEFT) / len(FREE)
    parts = [line([(LEFT, MIDDLE), (RIGHT, MIDDLE)], "quiet", 1)]
    for place, (free, left) in enumerate(zip(FREE, kept, strict=True)):
        x = LEFT + wide * (place + 0.2)
        parts += [box(x, MIDDLE - TALL * max(0.0, free), wide * 0.6, TALL * abs(free), "line", hollow=True),
                  box(x, MIDDLE - TALL * max(0.0, free * left), wide * 0.6, TALL * abs(free) * left, tone)]
    return parts
