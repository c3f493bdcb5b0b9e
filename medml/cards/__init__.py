"""Parameter cards: each setting as a picture and a sentence, drawn from its value and from the size of the data.

    setting = Setting(family, param, value, facts, beside)   # family: medml.families, facts: medml.families.Facts
    registry.get(param.picture).draw(setting)                # SVG
    registry.get(param.picture).say(setting)                 # one or two sentences

One file is one picture; a family's parameter names the one that suits it. Numbers alone go in: no text of the data.
"""

from medml.cards.alone import alone, can_move
from medml.cards.card import Card, Setting, for_setting
from medml.cards.ladder import rungs, segments
from medml.registry import Registry

registry: Registry[Card] = Registry("medml.cards")

__all__ = ["Card", "Setting", "alone", "can_move", "for_setting", "registry", "rungs", "segments"]
