"""Which network looks: the work that each does for one picture."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting, number
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, box, svg
from medml.vision.names import BACKBONES, WORK

AT = 224  # pixels a side for which work was counted


def draw(setting: Setting) -> str:
    names = sorted(setting.param.choices, key=WORK.get)
    least, most = math.log(min(WORK.values()) / 2), math.log(max(WORK.values()))
    high = (FOOT - TOP) / len(names)
    bars = [box(LEFT, TOP + high * place + 1.5, (RIGHT - LEFT) * (math.log(WORK[name]) - least) / (most - least),
                high - 3, "accent" if name == setting.value else "quiet", hollow=name != setting.value)
            for place, name in enumerate(names)]
    place = names.index(setting.value) + 1
    return svg(f"Networks as bars by their work; this one is number {place} of {len(names)}.", *bars)


def say(setting: Setting) -> str:
    facts = setting.facts
    each = WORK[setting.value] * (facts.n_columns / AT) ** 2
    title = BACKBONES[setting.value].split(" (")[0]
    return (f"{title} does about {number(each)} billion multiplications for a picture of {facts.n_columns} pixels a "
            f"side; one look at {setting.who} is {_large(each * facts.n_rows)}.")


def _large(billions: float) -> str:
    return f"{number(billions)} billion" if billions < 1_000 else f"{number(billions / 1_000)} thousand billion"


registry.add("backbone", Card(draw, say))
