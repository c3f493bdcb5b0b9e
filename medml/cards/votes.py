"""Trees of a forest: the more vote, the less the vote wavers."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting, plural
from medml.cards.ink import LEFT, RIGHT, area, between, dot, line, marker, svg

FIRST, LAST = 20.0, 5_000.0
MIDDLE, WIDE = 56.0, 44.0


def draw(setting: Setting) -> str:
    ways = [place / 40 for place in range(41)]
    upper = [(between(LEFT, RIGHT, way), MIDDLE - _spread(way)) for way in ways]
    lower = [(x, 2 * MIDDLE - y) for x, y in upper]
    here = math.log(max(FIRST, setting.value) / FIRST) / math.log(LAST / FIRST)
    x, wavers = between(LEFT, RIGHT, here), _spread(here)
    return svg(f"A funnel: the vote of {plural(int(setting.value), 'tree')} wavers by {_wavers(setting):.1f} points.",
               area([*upper, *reversed(lower)]), line(upper, "quiet", 1.5), line(lower, "quiet", 1.5), marker(x),
               line([(x, MIDDLE - wavers), (x, MIDDLE + wavers)], setting.tone, 5), dot(x, MIDDLE, 4, setting.tone))


def say(setting: Setting) -> str:
    leaf = int(setting.beside.get("leaf", 3))
    groups = max(1, setting.facts.n_rows // leaf)
    return (f"With {plural(int(setting.value), 'tree')} a chance of 50 % wavers by at most {_wavers(setting):.1f} "
            f"points from one forest to the next. Each tree sorts {setting.who} into at most {groups:,} groups.")


def _wavers(setting: Setting) -> float:
    """Standard error of a share of 50 % of independent votes, in points: no forest wavers more."""
    return 50 / math.sqrt(setting.value)


def _spread(way: float) -> float:
    return WIDE * math.sqrt(FIRST / (FIRST * (LAST / FIRST) ** way))


registry.add("votes", Card(draw, say))
