"""From what a network of pictures begins: two curves, one that starts low and one that starts from nothing."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, floor, line, svg
from medml.config import FEW_PICTURES


def draw(setting: Setting) -> str:
    ready = setting.value == setting.param.choices[0]
    lacking = 0.3 * min(1.0, FEW_PICTURES / setting.facts.n_rows / 10)
    known = _curve(0.55, 0.12, 7)
    blank = _curve(0.95, 0.14 + lacking, 3)
    words = "weights that have seen pictures before" if ready else "nothing"
    return svg(f"The loss over the rounds; the strong line begins from {words}.", floor(),
               line(blank if ready else known, "quiet", 1.5, dashed=True),
               line(known if ready else blank, "accent", 3))


def say(setting: Setting) -> str:
    n = setting.facts.n_rows
    if setting.value == setting.param.choices[0]:
        return ("Where its weights lie on this machine, the network knows edges and textures already, so "
                f"{setting.who} teach it only what is new; without them it begins from nothing.")
    enough = "enough to try it" if n >= FEW_PICTURES else f"few for that: {FEW_PICTURES:,} and more are better"
    return f"The network learns to see from {setting.who} alone, which is {enough}."


def _curve(start: float, end: float, speed: float) -> list[tuple[float, float]]:
    return [(LEFT + (RIGHT - LEFT) * x, FOOT - (FOOT - TOP) * (end + (start - end) * math.exp(-speed * x)))
            for x in (place / 40 for place in range(41))]


registry.add("begins", Card(draw, say))
