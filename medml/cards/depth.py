"""The depth of a tree: questions in a row, and the groups at its ends."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting, plural
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, dot, lines, svg


def draw(setting: Setting) -> str:
    depth = int(setting.value)
    thin = 1.2 if depth < 6 else 0.5
    parts = lines([(_at(level, place, depth), _at(level + 1, 2 * place + side, depth))
                   for level in range(depth) for place in range(2**level) for side in (0, 1)], "quiet", thin)
    dots = [dot(*_at(level, place, depth), max(1.2, 5.0 - 0.5 * level), setting.tone if level == depth else "text",
                hollow=level < depth and depth < 6)
            for level in range(depth + 1) for place in range(2**level)]
    return svg(f"A tree of {plural(depth, 'question')} in a row with {2**depth} ends.", parts, *dots)


def say(setting: Setting) -> str:
    depth = int(setting.value)
    rows = setting.facts.n_rows * float(setting.beside.get("rows", 1.0))
    together = "no column can speak with another" if depth == 1 else f"{depth} columns can speak together"
    return (f"{plural(depth, 'question').capitalize()} in a row: {together}. Up to {2**depth} groups of about "
            f"{max(1, round(rows / 2**depth)):,} of {setting.who}.")


def _at(level: int, place: int, depth: int) -> tuple[float, float]:
    return LEFT + (RIGHT - LEFT) * (place + 0.5) / 2**level, TOP + 2 + (FOOT - TOP - 4) * level / max(1, depth)


registry.add("depth", Card(draw, say))
