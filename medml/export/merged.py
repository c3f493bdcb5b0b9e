"""Many small trees as fewer larger ones that add up to the same: a row enters and leaves each tree once, which costs as
much as several rules. Boosted trees ask few different questions, so much of what a neighbour asks is answered already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from medml.export.trees import Grown

LEAVES = 64  # most of a merged tree: twice as many make it half as large again, and a row hardly quicker


class Rule(NamedTuple):
    """A row goes left where its column is not above the threshold; seen: how many training rows went left, and right.
    """

    column: int
    threshold: float
    left: Rule | Leaf
    right: Rule | Leaf
    seen: tuple[float, float]


class Leaf(NamedTuple):
    """What is added to each result."""

    adds: tuple[float, ...]


class _Large(Exception):
    """More than LEAVES."""


def fewer(grown: Grown) -> Grown:
    """The same sums, but for how they are rounded; as it is where trees are large."""
    if grown.sizes.mean() > LEAVES:
        return grown
    merged: list[Rule | Leaf] = []
    for tree in sorted(_trees(grown), key=lambda each: [*_questions(each)]):
        try:
            merged[-1:] = [_both(merged[-1], tree, [LEAVES], {}, {}) if merged else tree]
        except _Large:
            merged.append(tree)
    return _grown(grown, merged)


def _both(one: Rule | Leaf, other: Rule | Leaf, room: list[int], above: dict[int, float],
          up_to: dict[int, float]) -> Rule | Leaf:
    """One tree that adds what two add, for rows whose columns are known to lie above and up to some thresholds."""
    if isinstance(one, Leaf):
        if isinstance(other, Leaf):
            room[0] -= 1
            if room[0] < 0:
                raise _Large
            return Leaf(tuple(map(sum, zip(one.adds, other.adds, strict=True))))
        one, other = other, one
    at, threshold = one.column, one.threshold
    if above.get(at, -np.inf) >= threshold:
        return _both(one.right, other, room, above, up_to)
    if up_to.get(at, np.inf) <= threshold:
        return _both(one.left, other, room, above, up_to)
    return one._replace(left=_both(one.left, other, room, above, up_to | {at: threshold}),
                        right=_both(one.right, other, room, above | {at: threshold}, up_to))


def _questions(tree: Rule | Leaf) -> Iterator[tuple[int, float]]:
    if isinstance(tree, Rule):
        yield tree.column, tree.threshold
        yield from _questions(tree.left)
        yield from _questions(tree.right)


def _trees(grown: Grown) -> Iterator[Rule | Leaf]:
    left, right, columns, thresholds, seen = (each.tolist() for each in (
        grown.left, grown.right, grown.features, grown.thresholds, grown.seen))
    adds = np.zeros((len(left), len(grown.begin)))
    np.add.at(adds, (np.arange(len(left))[:, None], grown.targets), grown.weights)
    leaves = [Leaf(tuple(each)) for each in adds.tolist()]

    def at(first: int, node: int) -> Rule | Leaf:
        here = first + node
        if left[here] < 0:
            return leaves[here]
        sides = left[here], right[here]
        return Rule(columns[here], thresholds[here], *(at(first, side) for side in sides),
                    tuple(seen[first + side] for side in sides))
    return (at(first, 0) for first in (np.cumsum(grown.sizes) - grown.sizes).tolist())


def _grown(grown: Grown, trees: list[Rule | Leaf]) -> Grown:
    """As arrays, end to end."""
    rows: list[list] = []   # [left, right, column, threshold, seen, what it adds]
    nothing = (0.0,) * len(grown.begin)

    def put(tree: Rule | Leaf, first: int, seen: float) -> int:
        rows.append(row := [-1, -1, 0, 0.0, seen, tree.adds if isinstance(tree, Leaf) else nothing])
        here = len(rows) - 1 - first
        if isinstance(tree, Rule):
            row[:4] = [put(tree.left, first, tree.seen[0]), put(tree.right, first, tree.seen[1]), tree.column,
                       tree.threshold]
        return here
    ends = [len(rows) for tree in trees if put(tree, len(rows), 0.0) == 0]
    left, right, columns, thresholds, seen, adds = (np.array(each) for each in zip(*rows, strict=True))
    return replace(grown, sizes=np.diff(ends, prepend=0), left=left, right=right, features=columns,
                   thresholds=thresholds.astype(np.float32), seen=seen, weights=adds,
                   targets=np.tile(np.arange(adds.shape[1]), (len(adds), 1)))
