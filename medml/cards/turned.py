"""Training pictures turned at random."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards._frames import looks, six
from medml.cards.card import Card, Setting
from medml.cards.ink import svg


def draw(setting: Setting) -> str:
    return svg(f"Six films turned by up to {setting.value:g} degrees to either side.", *six(setting.tone,
                                                                                            turn=setting.value))


def say(setting: Setting) -> str:
    if setting.value == 0:
        return f"Never turned: {looks(setting)} at the same angle."
    edge = setting.facts.n_columns / 2 * math.sin(math.radians(setting.value))
    return (f"By up to {setting.value:g}° either way: at {setting.facts.n_columns} pixels a side the edge moves by up "
            f"to {edge:.0f} pixels. {looks(setting)}, no two alike.")


registry.add("turned", Card(draw, say))
