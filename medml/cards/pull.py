"""Weight decay: what is left of a weight that the data does not ask for."""

from __future__ import annotations

from medml.cards import registry
from medml.cards._bars import FREE, bars
from medml.cards.card import Card, Setting, number, plural, share
from medml.cards.ink import svg


def draw(setting: Setting) -> str:
    # The larger a weight, the more the data holds it: a bar's share grows with its size.
    strength = 0.0 if setting.value == 0 else 0.35 * 2.0 ** setting.reach
    return svg(f"Ten weights as bars; {share(strength / (1 + strength))} of a middling one is taken away.",
               *bars([1 / (1 + strength * 0.5 / abs(free)) for free in FREE], setting.tone))


def say(setting: Setting) -> str:
    steps = setting.facts.steps(int(setting.beside["batch"])) * int(setting.beside["epochs"])
    left = (1 - setting.beside["rate"] * setting.value) ** steps  # AdamW (Loshchilov and Hutter 2019)
    return (f"At {number(setting.value)} a weight that the data does not ask for keeps {share(left)} of itself over "
            f"the {plural(steps, 'step')} that {setting.who} make.")


registry.add("pull", Card(draw, say))
