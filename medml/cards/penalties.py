"""How many strengths of the penalty are compared: dots along the curve of the loss."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, dot, floor, line, svg
from medml.families._inner import n_folds

BEST = 0.58  # where the loss is lowest, from the strongest penalty to the weakest


def draw(setting: Setting) -> str:
    n = int(setting.value)
    ways = [place / (n - 1) for place in range(n)]
    best = min(ways, key=_loss)
    tried = [dot(*_at(way), 5.5 if way == best else 3.2, setting.tone if way == best else "quiet") for way in ways]
    return svg(f"The loss against the penalty, with {n} strengths tried; the lowest is marked.", floor(),
               line([_at(place / 50) for place in range(51)], "line"), *tried)


def say(setting: Setting) -> str:
    n, parts = int(setting.value), n_folds(setting.facts.n_rows)
    return (f"{n} strengths, each in {parts} inner {'part' if parts == 1 else 'parts'} of {setting.who}: "
            f"{n * (parts + 1):,} small fits for one model.")


def _loss(way: float) -> float:
    return 0.18 + 2.1 * (way - BEST) ** 2 + (0.5 * (way - BEST) if way > BEST else 0.0)


def _at(way: float) -> tuple[float, float]:
    return LEFT + 6 + (RIGHT - LEFT - 12) * way, FOOT - (FOOT - TOP) * min(1.0, _loss(way)) * 0.95


registry.add("penalties", Card(draw, say))
