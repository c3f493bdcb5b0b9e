"""The size of a network: its two layers as columns of units between the columns of the table and the answer."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting, number
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, dot, lines, svg


def draw(setting: Setting) -> str:
    sizes = [shown(setting.facts.n_columns), shown(setting.value), shown(setting.value / 2), 1]
    layers = [[(LEFT + 14 + (RIGHT - LEFT - 28) * place / 3, _height(at, n)) for at in range(n)]
              for place, n in enumerate(sizes)]
    threads = lines([(a, b) for left, right in zip(layers, layers[1:], strict=False) for a in left for b in right],
                    "line", 0.7)
    tones = ("quiet", setting.tone, setting.tone, "text")
    units = [dot(x, y, min(5.0, 38 / len(layer)), tone) for layer, tone in zip(layers, tones, strict=True)
             for x, y in layer]
    return svg(f"A network: columns, {int(setting.value)} units, {max(2, int(setting.value) // 2)} units, the answer.",
               threads, *units)


def shown(units: float) -> int:
    """How many dots stand for so many units: three for each doubling."""
    return max(1, round(2.2 * math.log2(max(1.0, units)) - 1))


def say(setting: Setting) -> str:
    width, columns = int(setting.value), setting.facts.n_columns
    half = max(2, width // 2)
    weights = (columns + 1) * width + (width + 1) * half + half + 1
    return (f"{width:,} units, then {half:,}, on about {columns:,} columns: {weights:,} weights, "
            f"{number(weights / setting.facts.n_rows)} for each of {setting.who}.")


def _height(at: int, n: int) -> float:
    return (TOP + FOOT) / 2 + (at - (n - 1) / 2) * min(14.0, (FOOT - TOP) / n)


registry.add("network", Card(draw, say))
