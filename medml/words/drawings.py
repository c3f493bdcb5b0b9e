"""The pictures of the glossary: small SVG in currentColor, so that one drawing serves light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 160, 72
FAINT, HALF = 0.28, 0.55  # shades
LEFT, RIGHT = 6, 96  # edges of a chart
SPAN = RIGHT - LEFT


def drawing(*parts: str) -> str:
    """The parts as one SVG."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" fill="none" stroke="currentColor" '
            f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{"".join(parts)}</svg>')


def path(points: Iterable[tuple[float, float]], shade: float = 1.0, *, dashed: bool = False,
         closed: bool = False) -> str:
    """A line through the points, y downward; closed ones are filled."""
    place = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    fill = ' fill="currentColor" stroke="none"' if closed else ""
    return (f'<path d="M{place}{"Z" if closed else ""}" opacity="{shade}"{fill}'
            f'{" stroke-dasharray=" + chr(34) + "3 5" + chr(34) if dashed else ""}/>')


def dot(x: float, y: float, radius: float = 3.5, shade: float = 1.0) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" opacity="{shade}" fill="currentColor" stroke="none"/>'


def box(x: float, y: float, width: float, height: float, shade: float = 1.0, *, hollow: bool = False) -> str:
    how = "" if hollow else ' fill="currentColor" stroke="none"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" opacity="{shade}"{how}/>'


def axes() -> str:
    """The left and lower edge of a chart."""
    return path([(LEFT, 6), (LEFT, 66), (RIGHT, 66)], HALF)


def bow(rise: float) -> list[tuple[float, float]]:
    """A curve from the lower left to the upper right of the axes; rise 1 is the diagonal, smaller bends up."""
    return [(LEFT + SPAN * x, 66 - 60 * x**rise) for x in ((i / 24) ** 2 for i in range(25))]  # densest where it rises


def roc() -> str:
    return drawing(axes(), path([(LEFT, 66), (RIGHT, 6)], HALF, dashed=True), path(bow(0.28)))


def roc_area() -> str:
    return drawing(axes(), path([*bow(0.28), (RIGHT, 66)], FAINT, closed=True), path(bow(0.28)))


def precision_recall() -> str:
    curve = [(LEFT + SPAN * x, 12 + 42 * x**3) for x in (i / 20 for i in range(21))]
    return drawing(axes(), path([(LEFT, 54), (RIGHT, 54)], HALF, dashed=True), path(curve))


def calibration(bend: float = 1.0) -> str:
    """Predicted against observed; bend 1 lies on the dashes, below 1 too extreme."""
    middle = [(LEFT + SPAN * x, 66 - 60 * (0.5 + bend * (x - 0.5))) for x in (0.06, 0.25, 0.5, 0.75, 0.94)]
    agree = path([(LEFT, 66), (RIGHT, 6)], HALF, dashed=True)
    return drawing(axes(), agree, path(middle), *(dot(*at, 3) for at in middle))


def shifted() -> str:
    """Every probability too low by the same amount."""
    return drawing(axes(), path([(LEFT, 66), (RIGHT, 6)], HALF, dashed=True), path([(LEFT, 52), (RIGHT - 21, 6)]))


def crowd(filled: int, ringed: Sequence[int] = (), total: int = 20) -> str:
    """Patients as dots in two rows: the first are with the outcome (dark), those in `ringed` are flagged."""
    parts = []
    for place in range(total):
        x, y = 17 + 14 * (place % 10), 22 + 28 * (place // 10)
        parts.append(dot(x, y, 4.5, 1.0 if place < filled else FAINT))
        if place in ringed:
            parts.append(f'<circle cx="{x}" cy="{y}" r="8" stroke-width="1.5"/>')
    return drawing(*parts)


def folds(row_of_test: Sequence[int] = (0, 1, 2)) -> str:
    """Three divisions of the same patients; the dark part judges."""
    return drawing(*(box(12 + 46 * part, 8 + 21 * row, 42, 14, 1.0 if part == judged else FAINT)
                     for row, judged in enumerate(row_of_test) for part in range(3)))


def held_out() -> str:
    return drawing(box(12, 26, 98, 20, FAINT), box(116, 26, 32, 20), path([(112, 14), (112, 58)], dashed=True))


def interval() -> str:
    return drawing(path([(24, 36), (136, 36)]), path([(24, 28), (24, 44)]), path([(136, 28), (136, 44)]),
                   dot(74, 36, 5))


def crossed() -> str:
    """Four fields, right answers dark."""
    return drawing(box(52, 8, 26, 26), box(82, 8, 26, 26, FAINT), box(52, 38, 26, 26, FAINT), box(82, 38, 26, 26))


def threshold() -> str:
    """Two heaps of patients by probability, cut in two."""
    heap = [[(x, 60 - 40 * math.exp(-((x - middle) / 22) ** 2)) for x in range(12, 150, 6)] for middle in (54, 104)]
    return drawing(path(heap[0], HALF), path(heap[1]), path([(80, 8), (80, 64)], dashed=True),
                   path([(12, 64), (148, 64)], HALF))


def decision() -> str:
    model = [(LEFT + SPAN * x, 18 + 40 * x**1.4) for x in (i / 12 for i in range(13))]
    return drawing(axes(), path([(LEFT, 60), (RIGHT, 60)], HALF, dashed=True), path([(LEFT, 18), (56, 66)], HALF),
                   path(model))


def tree() -> str:
    lines = [[(80, 12), (44, 36)], [(80, 12), (116, 36)], [(44, 36), (26, 60)], [(44, 36), (62, 60)],
             [(116, 36), (98, 60)], [(116, 36), (134, 60)]]
    spots = {spot for line in lines for spot in line}
    return drawing(*(path(line, HALF) for line in lines), *(dot(x, y, 5) for x, y in sorted(spots)))


def forest() -> str:
    return drawing(*(part for x in (34, 80, 126) for part in (
        path([(x, 16), (x - 14, 36)], HALF), path([(x, 16), (x + 14, 36)], HALF), dot(x, 16, 4), dot(x - 14, 36, 4),
        dot(x + 14, 36, 4), path([(x, 44), (80, 62)], FAINT))), dot(80, 62, 6))


def boosting() -> str:
    """What is left to explain shrinks from tree to tree."""
    tall = [48 * 0.66**step for step in range(5)]
    return drawing(*(box(20 + 26 * step, 60 - high, 18, high, 1 - 0.16 * step) for step, high in enumerate(tall)),
                   path([(14, 64), (146, 64)], HALF))


def network() -> str:
    layers = [(30, (16, 36, 56)), (80, (10, 27, 45, 62)), (130, (36,))]
    lines = [path([(x, y), (to, at)], FAINT) for (x, ys), (to, ats) in zip(layers, layers[1:], strict=False)
             for y in ys for at in ats]
    return drawing(*lines, *(dot(x, y, 5) for x, ys in layers for y in ys))


def valley() -> str:
    """Steps down a valley."""
    slope = [(x, 60 - 0.0245 * (x - 80) ** 2) for x in range(32, 130, 6)]
    steps = [(x, 60 - 0.0245 * (x - 80) ** 2) for x in (36, 54, 68, 78)]
    return drawing(path(slope, HALF), *(dot(x, y - 5, 4.5) for x, y in steps))


def learning(stop: bool = False) -> str:
    """Training falls on, validation turns up; where to stop."""
    training = [(LEFT + SPAN * x, 16 + 46 * (1 - math.exp(-3 * x))) for x in (i / 16 for i in range(17))]
    validation = [(LEFT + SPAN * x, 16 + 34 * (1 - math.exp(-5 * x)) - 22 * max(0, x - 0.45))
                  for x in (i / 16 for i in range(17))]
    best = LEFT + 0.45 * SPAN
    ended = path([(best, 8), (best, 64)], dashed=True) if stop else ""
    return drawing(axes(), path(training, HALF), path(validation), ended)


def learning_curve() -> str:
    """What is known, and how it would go on."""
    bent = LEFT + 0.6 * SPAN
    known = [(LEFT + (bent - LEFT) * x, 56 - 40 * (1 - math.exp(-3 * x))) for x in (i / 10 for i in range(11))]
    return drawing(axes(), path(known), path([known[-1], (RIGHT, 12)], dashed=True))


def weights() -> str:
    """Bars to the left and right of nothing."""
    return drawing(path([(80, 6), (80, 66)], HALF), box(80, 12, 54, 9), box(80, 27, 30, 9, HALF),
                   box(52, 42, 28, 9, HALF), box(66, 57, 14, 7, FAINT))


def swarm() -> str:
    at = [(52, 20), (60, 16), (66, 22), (92, 18), (104, 22), (112, 16), (122, 20), (70, 48), (76, 52), (82, 46),
          (88, 52), (94, 48)]
    return drawing(path([(80, 6), (80, 66)], HALF), *(dot(x, y, 3.5, FAINT + 0.7 * (x - 50) / 75) for x, y in at))


def heatmap() -> str:
    return drawing(box(50, 6, 60, 60, 0.9, hollow=True), dot(86, 44, 18, 0.18), dot(86, 44, 12, 0.3),
                   dot(86, 44, 6, 0.7))


def gaps() -> str:
    """A column with holes that were filled."""
    return drawing(*(box(18 + 25 * place, 22, 20, 28, 1.0 if place not in (2, 4) else FAINT, hollow=place in (2, 4))
                     for place in range(5)))


def cap() -> str:
    """One value far out is drawn in to the others."""
    return drawing(path([(12, 56), (148, 56)], HALF), *(dot(x, 50, 4) for x in (24, 36, 44, 52, 60, 70)),
                   dot(140, 50, 4, FAINT), path([(132, 50), (92, 50)], dashed=True), dot(84, 50, 4),
                   path([(90, 40), (90, 62)]))


def one_hot() -> str:
    return drawing(*(box(40 + 28 * column, 10 + 18 * row, 22, 13, 1.0 if row == column else FAINT, hollow=row != column)
                     for row in range(3) for column in range(3)))


def window() -> str:
    """A ramp from black to white between two densities."""
    return drawing(path([(12, 60), (58, 60), (102, 12), (148, 12)]), path([(58, 8), (58, 66)], FAINT, dashed=True),
                   path([(102, 8), (102, 66)], FAINT, dashed=True))


def nomogram() -> str:
    scales = {16: 5, 38: 3, 60: 8}  # height of each scale, and its marks
    marks = [(16 + 128 * mark / (many - 1), y) for y, many in scales.items() for mark in range(many)]
    return drawing(*(path([(16, y), (144, y)], HALF) for y in scales), *(path([(x, y - 5), (x, y)]) for x, y in marks))
