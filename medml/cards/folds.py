"""How a model is judged, as strips: in each row the part that is judged is filled, the rest is learned from."""

from __future__ import annotations

from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, box, svg
from medml.types import SplitPlan

GAP = 3.0


def draw(plan: SplitPlan) -> str:
    """The SVG of a plan: a row a fold, and at the right the part that stays closed."""
    closed = plan.test_fraction if plan.scheme == "held_out" else 0.0
    end = RIGHT - (RIGHT - LEFT) * closed
    wide, high = (end - LEFT) / plan.folds, (FOOT - TOP) / plan.folds
    cells = [box(LEFT + wide * part + GAP / 2, TOP + high * row + 1, max(1.5, wide - GAP), max(1.5, high - 2),
                 "accent" if row == part else "quiet", hollow=row != part)
             for row in range(plan.folds) for part in range(plan.folds)]
    if closed:
        cells.append(box(end + GAP, TOP, RIGHT - end - GAP, FOOT - TOP, "amber"))
    kept = f", and {round(100 * closed)} % kept closed" if closed else ""
    return svg(f"{plan.folds} parts in {plan.folds} rows, each judged once by a model of the others{kept}.", *cells)
