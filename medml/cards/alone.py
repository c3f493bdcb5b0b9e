"""A card's picture as a file of its own, with the colours of both themes in it; for a screen, a notebook, a report."""

from __future__ import annotations

from functools import cache

from medml.cards.ink import COLOURS, GROUND, TURN

MOVES = (f".{TURN}{{animation:appear .35s ease-out both;animation-delay:calc(var(--at)*.18s)}}"
         "@keyframes appear{from{opacity:0}to{opacity:1}}")


def alone(picture: str, *, moving: bool = False) -> str:
    """The SVG with a style in it: light or dark as the element is that shows it (CSS color-scheme).

    moving  parts appear in turn, once. Browsers do not tell a picture whether motion is wanted: the page must ask.
    """
    style = _colours() + (MOVES if moving else "")
    opened, rest = picture.split(">", 1)
    return f"{opened}><style>{style}</style>{rest}"


def can_move(picture: str) -> bool:
    """Whether anything in it appears in turn."""
    return f'class="{TURN}"' in picture


@cache
def _colours() -> str:
    from medml.plots.theme import DARK, LIGHT

    each = (f"--chart-{name}:light-dark({getattr(LIGHT, name)},{getattr(DARK, name)})" for name in COLOURS + GROUND)
    return f":root{{color-scheme:light dark;{';'.join(each)}}}"
