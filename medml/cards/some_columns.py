"""The share of columns that a tree, or a cut, looks at: a table with those columns filled."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting, plural, share
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, box, svg

MOST, DOWN = 24, 5
STRIDE = 7


def draw(setting: Setting) -> str:
    columns, seen = setting.facts.n_columns, looked_at(setting)
    shown = min(MOST, columns)
    filled = max(1, round(shown * seen / columns))
    stride = STRIDE if shown % STRIDE else STRIDE + 4
    chosen = {(place * stride) % shown for place in range(filled)}
    wide, high = (RIGHT - LEFT) / shown, (FOOT - TOP) / DOWN
    cells = [box(LEFT + wide * column + 1, TOP + high * row + 1, wide - 2, high - 3,
                 setting.tone if column in chosen else "line", hollow=column not in chosen)
             for column in range(shown) for row in range(DOWN)]
    return svg(f"A table of {shown} columns of which {filled} are filled.", *cells)


def looked_at(setting: Setting) -> int:
    """How many columns: 0 takes the square root of their number, of a number to predict all of them (forests)."""
    columns = setting.facts.n_columns
    if setting.value > 0:
        return max(1, round(columns * setting.value))
    return columns if setting.facts.task == "regression" else max(1, round(columns ** 0.5))


def say(setting: Setting) -> str:
    seen, columns = looked_at(setting), setting.facts.n_columns
    unit = "cut" if setting.family.name == "forest" else "tree"
    looks = f"each {unit} looks at {plural(seen, 'column')} of about {columns:,}"
    if setting.value > 0:
        return f"At {share(setting.value)} {looks}."
    how = "takes them all" if setting.facts.task == "regression" else "takes the square root of their number"
    return f"0 {how}: {looks}."


registry.add("some_columns", Card(draw, say))
