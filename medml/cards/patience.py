"""Patience: how long training waits after the best round before it stops."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting, plural
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, area, dot, floor, line, svg

BEST = 0.3  # where the best round lies from left to right


def draw(setting: Setting) -> str:
    wait = min(1.0 - BEST, 0.24 * (1 + setting.reach / 1.6) if setting.reach > -1.4 else 0.03)
    end = _at(BEST + wait)
    curve = [_at(place / 60) for place in range(61)]
    return svg("The loss on unseen rows with its best round marked, and the wait after it.",
               area([(_at(BEST)[0], TOP), (end[0], TOP), (end[0], FOOT), (_at(BEST)[0], FOOT)]), floor(),
               line(curve, "quiet", 2), line([(end[0], TOP), (end[0], FOOT)], setting.tone, 2.5),
               dot(*_at(BEST), 4.5, setting.tone))


def say(setting: Setting) -> str:
    rounds, most = int(setting.value), int(setting.beside["epochs"])
    steps = setting.facts.steps(int(setting.beside["batch"])) * rounds
    if rounds >= most:
        return (f"{plural(rounds, 'round')} is as long as the whole training on {setting.who}: it never stops early, "
                "and keeps its best round all the same.")
    return (f"Stops after {plural(rounds, 'round')}, {plural(steps, 'step')} with {setting.who}, without a new best; "
            "the best round is kept.")


def _at(way: float) -> tuple[float, float]:
    loss = 0.2 + 0.75 * math.exp(-way * 9) + 0.3 * max(0.0, way - BEST) + 0.035 * math.sin(34 * way)
    return LEFT + (RIGHT - LEFT) * way, FOOT - (FOOT - TOP) * loss


registry.add("patience", Card(draw, say))
