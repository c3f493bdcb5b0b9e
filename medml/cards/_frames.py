"""Six frames side by side, each with the same drawn film: what cards of changed pictures share."""

from __future__ import annotations

from medml.cards.card import Setting, plural
from medml.cards.ink import LEFT, RIGHT, box, dot, group, line

SIX = (-1.0, -0.6, -0.2, 0.3, 0.65, 1.0)  # of the largest change, as the six are drawn
WIDE = (RIGHT - LEFT) / len(SIX)
SIDE, MIDDLE = 44.0, 56.0


def middle(place: int) -> tuple[float, float]:
    """The middle of a frame."""
    return LEFT + WIDE * (place + 0.5), MIDDLE


def frame(place: int) -> str:
    """The edge of a picture, which does not move."""
    x, y = middle(place)
    return box(x - SIDE / 2, y - SIDE / 2, SIDE, SIDE, "quiet", hollow=True, round_=3)


def film(colour: str) -> str:
    """Around (0, 0): a chest with its heart on one side."""
    outline = [(-12, 13), (-13, 0), (-9, -11), (0, -14), (9, -11), (13, 0), (12, 13), (-12, 13)]
    return group(line(outline, colour, 2), line([(0, -14), (0, 13)], colour, 1), dot(4.5, 3.5, 5, colour))


def six(colour: str, *, turn: float = 0.0, move: float = 0.0, light: float = 0.0) -> list[str]:
    """Frames with the film changed by SIX parts of the largest changes: degrees, share of the side, share of light."""
    parts = []
    for place, part in enumerate(SIX):
        x, y = middle(place)
        at = (x + part * move * SIDE, y + part * move * SIDE * (0.6 if place % 2 else -0.6))
        parts += [frame(place), group(film(colour), turned=part * turn, at=at, shade=1 - light * (1 - part) / 1.25)]
    return parts


def looks(setting: Setting) -> str:
    """How many changed pictures the network will be shown in all."""
    rounds = int(setting.beside["epochs"])
    shown = setting.facts.learned * rounds
    return f"{setting.facts.learned:,} training pictures over {plural(rounds, 'round')}: {shown:,} looks"
