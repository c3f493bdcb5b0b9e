"""Training pictures mirrored at random: the heart changes sides."""

from __future__ import annotations

from medml.cards import registry
from medml.cards._frames import film, frame, looks, middle
from medml.cards.card import Card, Setting
from medml.cards.ink import group, svg

WAYS = {"none": [(1, 1)], "left-right": [(1, 1), (-1, 1)], "both ways": [(1, 1), (-1, 1), (1, -1), (-1, -1)]}


def draw(setting: Setting) -> str:
    ways = WAYS[setting.value]
    parts = []
    for place in range(6):
        way = ways[place % len(ways)]
        parts += [frame(place), group(film("accent" if way == (1, 1) else "amber"), at=middle(place), mirrored=way)]
    return svg(f"Six films, mirrored: {setting.value}.", *parts)


def say(setting: Setting) -> str:
    if setting.value == "none":
        return f"The heart stays where it is. {looks(setting)}, none of them mirrored."
    how = "Half of them swap left and right" if setting.value == "left-right" else \
        "They swap left and right, and top and bottom"
    return f"{how}. {looks(setting)}. Only where a mirrored patient could walk in."


registry.add("mirrored", Card(draw, say))
