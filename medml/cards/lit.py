"""Training pictures made lighter or darker at random."""

from __future__ import annotations

from medml.cards import registry
from medml.cards._frames import looks, six
from medml.cards.card import Card, Setting, share
from medml.cards.ink import svg


def draw(setting: Setting) -> str:
    return svg(f"Six films, light and contrast changed by up to {share(setting.value)}.",
               *six(setting.tone, light=setting.value))


def say(setting: Setting) -> str:
    if setting.value == 0:
        return f"Always as they are: {looks(setting)} in the same light."
    low, high = 1 - setting.value, 1 + setting.value
    return (f"Brightness and contrast go from {low:.2g} to {high:.3g} times. {looks(setting)}: a network that has seen "
            "every light depends less on one machine.")


registry.add("lit", Card(draw, say))
