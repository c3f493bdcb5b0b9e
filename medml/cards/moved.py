"""Training pictures moved at random."""

from __future__ import annotations

from medml.cards import registry
from medml.cards._frames import looks, six
from medml.cards.card import Card, Setting, share
from medml.cards.ink import svg


def draw(setting: Setting) -> str:
    return svg(f"Six films moved by up to {share(setting.value)} of their side.", *six(setting.tone,
                                                                                       move=setting.value))


def say(setting: Setting) -> str:
    if setting.value == 0:
        return f"Never moved: {looks(setting)} at the same place."
    pixels = setting.facts.n_columns * setting.value
    return (f"By up to {pixels:.0f} of {setting.facts.n_columns} pixels, and nearer or farther by up to "
            f"{share(1.5 * setting.value)}. {looks(setting)}.")


registry.add("moved", Card(draw, say))
