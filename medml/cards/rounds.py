"""Rounds of training as two curves: what is known by heart goes on falling, what holds for others turns up again."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting, plural
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, between, dot, floor, line, marker, svg

POINTS = 60


def draw(setting: Setting) -> str:
    return curves(setting, "Loss on training rows goes on falling")


def curves(setting: Setting, words: str) -> str:
    """Training (solid) and unseen (dashed) loss over a range around the usual value; a dot at the turning point."""
    low, high = setting.borders
    first, last = low / 4, high * 3
    ways = [place / POINTS for place in range(POINTS + 1)]
    turning = math.sqrt(setting.usual * high)  # of the zone's upper half: later is learning by heart
    training = [_at(way, _falling(way)) for way in ways]
    unseen = [_at(way, _unseen(way, _way(turning, first, last))) for way in ways]
    here, turn = _way(setting.value, first, last), _way(turning, first, last)
    past = "before" if here <= turn else "after"
    return svg(f"{words}; on unseen rows it turns up again. Training ends {past} that point.", floor(),
               line(training, "quiet"), line(unseen, setting.tone, 2.5, dashed=True),
               dot(*_at(turn, _unseen(turn, turn)), 4, setting.tone, hollow=True), marker(between(LEFT, RIGHT, here)))


def say(setting: Setting) -> str:
    facts, value, batch = setting.facts, int(setting.value), int(setting.beside["batch"])
    steps = facts.steps(batch) * value
    learned = f"Each of the {facts.learned:,} training {_rows(setting)} is seen up to {plural(value, 'time')}: " \
              f"{plural(steps, 'step')}."
    patience = int(setting.beside["patience"])
    if patience >= value:
        return f"{learned} That is no more than the patience, so it never stops by itself."
    return f"{learned} It stops by itself after {plural(patience, 'round')} without improvement."


def _rows(setting: Setting) -> str:
    return "pictures" if setting.facts.pictures else "rows"


def _way(value: float, first: float, last: float) -> float:
    """Where a number of rounds lies from left to right, by ratio."""
    return math.log(max(value, first) / first) / math.log(last / first)


def _falling(way: float) -> float:
    return math.exp(-2.6 * way)


def _unseen(way: float, turn: float) -> float:
    beyond = max(0.0, way - turn)
    return 0.16 + 0.84 * math.exp(-2.6 * way) + 2.4 * beyond * beyond + 0.25 * beyond


def _at(way: float, loss: float) -> tuple[float, float]:
    return between(LEFT, RIGHT, way), FOOT - (FOOT - TOP) * min(1.05, loss) * 0.92


registry.add("rounds", Card(draw, say))
