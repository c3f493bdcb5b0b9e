"""The learning rate of boosting: how much of what is left each tree mends."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting, plural, share
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, box, floor, in_turn, svg

SHOWN = 24  # trees


def draw(setting: Setting) -> str:
    wide = (RIGHT - LEFT) / SHOWN
    left = [(1 - setting.value) ** place for place in range(SHOWN)]
    bars = [in_turn(place, box(LEFT + wide * (place + 0.15), FOOT - (FOOT - TOP) * each, wide * 0.7,
                               (FOOT - TOP) * each, setting.tone)) for place, each in enumerate(left)]
    return svg(f"Bars of what is left to mend, over {SHOWN} trees: the last has {share(left[-1])}.", floor(), *bars)


def say(setting: Setting) -> str:
    trees = int(setting.beside["trees"])
    half = max(1, math.ceil(math.log(0.5) / math.log(1 - setting.value)))
    left = (1 - setting.value) ** trees
    return (f"Each tree mends {share(setting.value)} of what is left in {setting.who}: {plural(half, 'tree')} mend "
            f"half. After all {trees:,} {share(left) if left >= 0.001 else 'next to nothing'} is left.")


registry.add("belief", Card(draw, say))
