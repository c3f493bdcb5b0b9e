"""The share of rows that each tree sees: three trees, each with its own patients."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting, share
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, dot, svg

TREES, ACROSS, DOWN = 3, 9, 8
STRIDE = 29  # deals the dots of a tree without luck: no factor in common with their number


def draw(setting: Setting) -> str:
    n = ACROSS * DOWN
    seen = round(n * setting.value)
    wide, high = (RIGHT - LEFT) / TREES, (FOOT - TOP) / DOWN
    dots = []
    for tree in range(TREES):
        filled = {(place * STRIDE + 11 * tree) % n for place in range(seen)}
        dots += [dot(LEFT + tree * wide + 8 + (wide - 22) * (place % ACROSS) / (ACROSS - 1),
                     TOP + high * (place // ACROSS + 0.5), 3.4 if place in filled else 2.4,
                     setting.tone if place in filled else "quiet", hollow=place not in filled) for place in range(n)]
    return svg(f"Three trees, each with {share(seen / n)} of the dots filled, different ones.", *dots)


def say(setting: Setting) -> str:
    n = setting.facts.n_rows
    seen = round(n * setting.value)
    rest = "so chance finds of one tree are outvoted by the next" if seen < n else "so all trees make the same mistakes"
    return f"Each tree sees {seen:,} of {setting.who}, {'others each time' if seen < n else 'all of them'}, {rest}."


registry.add("some_rows", Card(draw, say))
