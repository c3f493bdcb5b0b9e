"""What cards are drawn with: SVG of 320 x 112 in the colours of the page, so that one drawing serves light and dark.

What carries meaning is drawn in COLOURS that have 4.5:1 against a card in both themes; "line" and "faint" are ground.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

WIDTH, HEIGHT = 320, 112
LEFT, RIGHT, TOP, FOOT = 12, 308, 10, 100
COLOURS = ("accent", "amber", "text", "quiet")
GROUND = ("line", "faint")
TURN = "turn"
Points = Iterable[tuple[float, float]]


def svg(words: str, *parts: str) -> str:
    """The parts as one picture; `words` are for those who do not see it."""
    how = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(words, quote=True)}" {how}>{"".join(parts)}</svg>')


def ink(name: str) -> str:
    """A colour of the page by name; ValueError on any other."""
    if name not in COLOURS + GROUND:
        raise ValueError(f"{name} is no colour of a card; it has {COLOURS + GROUND}")
    return f"var(--chart-{name}, currentColor)"


def line(points: Points, colour: str = "accent", width: float = 2.0, *, dashed: bool = False) -> str:
    place = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="3 5"' if dashed else ""
    return f'<path d="M{place}" stroke="{ink(colour)}" stroke-width="{width:g}"{dashes}/>'


def lines(pairs: Iterable[tuple[tuple[float, float], tuple[float, float]]], colour: str, width: float) -> str:
    """Many straight lines as one."""
    place = "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for (a, b), (c, d) in pairs)
    return f'<path d="{place}" stroke="{ink(colour)}" stroke-width="{width:g}"/>'


def area(points: Points, colour: str = "faint") -> str:
    place = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{place}Z" fill="{ink(colour)}"/>'


def dot(x: float, y: float, radius: float = 4.0, colour: str = "accent", *, hollow: bool = False) -> str:
    how = f'fill="none" stroke="{ink(colour)}" stroke-width="1.5"' if hollow else f'fill="{ink(colour)}"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {how}/>'


def box(x: float, y: float, width: float, height: float, colour: str = "accent", *, hollow: bool = False,
        round_: float = 2.0) -> str:
    how = f'fill="none" stroke="{ink(colour)}" stroke-width="1.5"' if hollow else f'fill="{ink(colour)}"'
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{max(0.0, height):.1f}" '
            f'rx="{round_:g}" {how}/>')


def group(*parts: str, turned: float = 0.0, at: tuple[float, float] = (0.0, 0.0), mirrored: tuple[int, int] = (1, 1),
          shade: float = 1.0) -> str:
    """Parts around (0, 0) put at a place, turned by degrees, mirrored by -1."""
    there = f"translate({at[0]:.1f} {at[1]:.1f}) rotate({turned:.1f}) scale({mirrored[0]} {mirrored[1]})"
    return (f'<g transform="{there}" '
            f'opacity="{shade:.2f}">{"".join(parts)}</g>')


def in_turn(place: int, *parts: str) -> str:
    """Parts that appear one after the other, once, in a picture that moves (see medml.cards.alone)."""
    return f'<g class="{TURN}" style="--at:{place}">{"".join(parts)}</g>'


def marker(x: float, colour: str = "text") -> str:
    """An upright line over the whole height: here one stands."""
    return line([(x, TOP - 4), (x, FOOT)], colour, 1.5) + dot(x, TOP - 4, 3, colour)


def floor() -> str:
    return line([(LEFT, FOOT), (RIGHT, FOOT)], "line", 1.5)


def between(low: float, high: float, fraction: float) -> float:
    return low + (high - low) * min(1.0, max(0.0, fraction))
