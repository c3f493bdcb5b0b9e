"""Rows (or pictures) a step as a grid of dots: those of one step are filled."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting, plural
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, dot, svg

MOST = 168  # dots
FEWEST_ACROSS, MOST_ACROSS = 12, 24


def draw(setting: Setting) -> str:
    learned = setting.facts.learned
    shown = min(MOST, learned)
    filled = max(1, min(shown, round(shown * min(1.0, setting.value / learned))))
    across = min(MOST_ACROSS, max(FEWEST_ACROSS, math.ceil(math.sqrt(3 * shown))))
    wide = (RIGHT - LEFT) / across
    high = min(wide, (FOOT - TOP) / math.ceil(shown / across))
    large = 0.3 * min(wide, high)
    dots = [dot(LEFT + wide * (place % across + 0.5), TOP + high * (place // across + 0.5),
                large if place < filled else 0.75 * large, setting.tone if place < filled else "quiet",
                hollow=place >= filled) for place in range(shown)]
    words = f"A grid of dots for {learned:,} {setting.thing}; {filled} of {shown} dots are those of one step."
    return svg(words, *dots)


def say(setting: Setting) -> str:
    each = setting.facts.steps(int(setting.value))
    why = {"aggressive": " Many small steps: quick to learn, and to learn by chance.",
           "cautious": " Few steady steps: it may need more rounds."}.get(setting.zone, "")
    return (f"With {setting.who}, {int(setting.value):,} at a time means {plural(each, 'step')} a round"
            f" (a fifth is kept to judge rounds by).{why}")


registry.add("batch", Card(draw, say))
