"""Fewest patients in a leaf: how fine the stairs are that a tree lays through the patients."""

from __future__ import annotations

import math

from medml.cards import registry
from medml.cards.card import Card, Setting, share
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, dot, line, svg

SHOWN = 72  # patients, in order of one column


def draw(setting: Setting) -> str:
    seen = [_risk(place) for place in range(SHOWN)]
    size = max(2, min(SHOWN // 2, round(2 + 4 * (setting.value / setting.usual) ** 0.8)))
    parts = [seen[first:first + size] for first in range(0, SHOWN, size)]
    stairs = [(_x(place), _y(sum(part) / len(part)))
              for at, part in enumerate(parts) for place in (at * size, at * size + len(part))]
    return svg(f"Patients as dots, and stairs of {len(parts)} steps through them.",
               *[dot(_x(place + 0.5), _y(risk), 2, "quiet") for place, risk in enumerate(seen)],
               line(stairs, setting.tone, 2.5))


def say(setting: Setting) -> str:
    leaf, n = int(setting.value), setting.facts.n_rows
    return (f"A rule must hold for at least {leaf:,} of {setting.who} ({share(leaf / n)}): a tree has at most "
            f"{max(1, n // leaf):,} ends.")


def _risk(place: int) -> float:
    """A smooth rise with the same scatter every time."""
    smooth = 1 / (1 + math.exp(-(place - SHOWN / 2) / 8))
    return min(1.0, max(0.0, smooth + 0.16 * math.sin(7.3 * place) * math.cos(3.1 * place + 1)))


def _x(place: float) -> float:
    return LEFT + (RIGHT - LEFT) * place / SHOWN


def _y(risk: float) -> float:
    return FOOT - (FOOT - TOP) * risk


registry.add("leaf", Card(draw, say))
