"""Dropout: units that are silent in one step."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting, plural
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, dot, svg
from medml.vision.names import WIDTH

ACROSS, DOWN = 16, 4
STRIDE = 27  # deals the silent ones: no factor in common with their number


def draw(setting: Setting) -> str:
    n = ACROSS * DOWN
    silent = {(place * STRIDE + 5) % n for place in range(round(n * setting.value))}
    dots = [dot(LEFT + (RIGHT - LEFT) * (place % ACROSS + 0.5) / ACROSS,
                TOP + (FOOT - TOP) * (place // ACROSS + 0.5) / DOWN, 5.5,
                "quiet" if place in silent else setting.tone, hollow=place in silent) for place in range(n)]
    return svg(f"{n} units of which {len(silent)} are silent.", *dots)


def say(setting: Setting) -> str:
    beside = setting.beside
    units = int(beside["width"]) if "width" in beside else WIDTH[beside["backbone"]]
    steps = setting.facts.steps(int(beside["batch"]))
    silent = round(units * setting.value)
    if silent == 0:
        return f"All {units:,} units always speak: with {setting.who} they may learn them by heart."
    return (f"About {silent:,} of {units:,} units are silent in each of the {plural(steps, 'step')} of a round, others "
            f"each time, so that none learns {setting.who} by heart.")


registry.add("silenced", Card(draw, say))
