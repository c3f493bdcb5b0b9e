"""Path-dependent SHAP values of a scikit-learn forest, exact to float32 and stable, in numpy alone.

The game is that of Lundberg et al. 2020 (Nature Machine Intelligence 2:56): a column that is not known follows both
branches, in the proportion of the training rows. A leaf adds v * (o_j - z_j) * integral over t in 0..1 of the product
over the other columns i of its path of z_i (1 - t) + o_i t, where o says whether the row goes that way at every split
of the column and z is the share of training rows that do. The integrand is a polynomial, so Gauss-Legendre quadrature
with half as many points as the path has columns is exact; the sums over leaves are shared on the way up (as in Linear
TreeSHAP, Yu et al. 2022), so the cost is rows x nodes x points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

AT_ONCE = 1_000_000  # numbers in one block of a few trees
ROWS = 256  # rows in one block
MOST = 8  # points: exact for paths of 16 columns; for longer ones the error stays below 1e-6 of a leaf's value


@dataclass(frozen=True, slots=True)
class Grove:
    """Nodes of some trees, sorted by depth; every array (n_nodes, ...).

    parent, twin  places in these arrays, -1 where there is none; twin is the next node above that was split off by
                  the same column
    column        of the split that leads to the node;   threshold, left  of that split: left rows are <= threshold
    z             share of training rows that go this way at every split of the column on the path
    leaf          value of a leaf (n_nodes, n_outputs), 0 elsewhere
    levels        where each depth begins, and the end;   points  quadrature points that make it exact
    """

    parent: np.ndarray
    twin: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    z: np.ndarray
    leaf: np.ndarray
    levels: np.ndarray
    points: int


def values(model: Any, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, n_outputs, p) float64 and (n_outputs,): what each column adds to the forest's answer, and the answer of an
    average training row. They add up to `predict_proba` (or `predict`) of the row.

    X  (n, p) finite; compared with thresholds as float32, as scikit-learn does
    """
    X = np.asarray(X, dtype=np.float32)
    n_trees, n_outputs = len(model.estimators_), model.estimators_[0].tree_.value.shape[2]
    if n_outputs == 2:  # what speaks for the one class speaks against the other
        found, base = _sums(model, X, slice(1, 2))
        found, base = np.concatenate([-found, found]), np.array([n_trees - base[0], base[0]])
    else:
        found, base = _sums(model, X, slice(None))
    return found.transpose(2, 0, 1) / n_trees, base / n_trees


def _sums(model: Any, X: np.ndarray, outputs: slice) -> tuple[np.ndarray, np.ndarray]:
    """(n_outputs, p, n) and (n_outputs,): sums over all trees of some outputs."""
    n_outputs = len(range(model.estimators_[0].tree_.value.shape[2])[outputs])
    total, base = np.zeros((n_outputs, X.shape[1], len(X))), np.zeros(n_outputs)
    for grove in groves(model, min(len(X), ROWS), outputs):
        base += _base(grove)
        for first in range(0, len(X), ROWS):
            total[:, :, first:first + ROWS] += _of_grove(grove, X[first:first + ROWS])
    return total, base


def groves(model: Any, n_rows: int, outputs: slice = slice(None)) -> Iterator[Grove]:
    """The forest in parts that are worked on at once."""
    together: list[Any] = []
    size = 0
    for each in model.estimators_:
        tree = each.tree_
        if together and (size + tree.node_count) * n_rows * 8 > AT_ONCE:
            yield _grove(together, outputs)
            together, size = [], 0
        together.append(tree)
        size += tree.node_count
    yield _grove(together, outputs)


def _grove(trees: list[Any], outputs: slice) -> Grove:
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])
    left, right, split, threshold, weight, value = (
        np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("children_left", "children_right", "feature", "threshold", "weighted_n_node_samples", "value"))
    offset = np.repeat(starts[:-1], np.diff(starts))
    inner = np.flatnonzero(left >= 0)
    parent = np.full(len(left), -1)
    is_left = np.zeros(len(left), dtype=bool)
    for children in (left, right):
        parent[children[inner] + offset[inner]] = inner
    is_left[left[inner] + offset[inner]] = True
    order, levels, place = _by_depth(parent)
    parent = np.where(parent >= 0, place[parent], -1)[order]
    above = np.where(parent >= 0, order[parent], 0)  # the parent, as numbered by the trees
    column = np.where(parent >= 0, split[above], -1)
    twin = _twins(parent, column)
    z = np.where(parent >= 0, weight[order] / weight[above], 1.0)
    for first, end in zip(levels[1:-1], levels[2:], strict=True):
        some = np.arange(first, end)[twin[first:end] >= 0]
        z[some] *= z[twin[some]]
    leaf = np.where((left < 0)[order][:, None], value[order][:, 0, outputs], 0.0)
    return Grove(parent, twin, column, threshold[above], is_left[order], z, leaf, levels,
                 _points(parent, twin, levels))


def _by_depth(parent: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes from the roots down, where each depth begins, and the place of each node in that order."""
    depth, above = np.zeros(len(parent), dtype=np.int64), parent
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    order = np.argsort(depth, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return order, np.searchsorted(depth[order], np.arange(depth.max() + 2)), place


def _twins(parent: np.ndarray, column: np.ndarray) -> np.ndarray:
    """For each node the next one above it that was split off by the same column; -1 where there is none."""
    twin, above = np.full(len(parent), -1), parent.copy()
    looking = np.flatnonzero(above >= 0)
    while len(looking):
        at = above[looking]
        found = column[at] == column[looking]
        twin[looking[found]] = at[found]
        above[looking] = parent[at]
        looking = looking[~found & (parent[at] >= 0)]
    return twin


def _points(parent: np.ndarray, twin: np.ndarray, levels: np.ndarray) -> int:
    """Enough points for the longest path: a polynomial of degree d - 1 needs d / 2 of them. Never more than MOST."""
    n_columns = np.zeros(len(parent), dtype=np.int64)
    for first, end in zip(levels[1:-1], levels[2:], strict=True):
        n_columns[first:end] = n_columns[parent[first:end]] + (twin[first:end] < 0)
    return min(MOST, max(1, (int(n_columns.max()) + 1) // 2))


def _base(grove: Grove) -> np.ndarray:
    """(n_outputs,) sum over the trees of the answer when nothing is known."""
    share = np.ones(len(grove.parent))
    for first, end in zip(grove.levels[1:-1], grove.levels[2:], strict=True):
        twin = grove.twin[first:end]
        own = grove.z[first:end] / np.where(twin >= 0, grove.z[twin], 1.0)
        share[first:end] = share[grove.parent[first:end]] * own
    return share @ grove.leaf


def _of_grove(grove: Grove, X: np.ndarray) -> np.ndarray:
    """(n_outputs, p, n): the sum over the trees, not yet divided by their number."""
    from scipy.sparse import csr_array

    at, weights = np.polynomial.legendre.leggauss(grove.points)
    at, weights = (at + 1) / 2, weights / 2
    state = _states(grove, X)
    product = _down(grove, state, at)
    gains = _gains(grove, at, weights)
    below = np.flatnonzero(grove.parent >= 0)
    onto = csr_array((np.ones(len(below)), (grove.column[below], below)), shape=(X.shape[1], len(grove.parent)))
    found = []
    for leaf in grove.leaf.T:
        each = _up(grove, product, leaf) @ gains.transpose(0, 2, 1)  # (nodes, n, 3)
        found.append(onto @ np.take_along_axis(each, state[:, :, None], axis=2)[:, :, 0])
    return np.stack(found)


def _states(grove: Grove, X: np.ndarray) -> np.ndarray:
    """(nodes, n): 2 where the row goes this way at every split of the column on the path, 1 where it did so down to
    the twin above and does not here, 0 where it did not even there."""
    goes = (X.T[grove.column] <= grove.threshold[:, None]) == grove.left[:, None]
    goes[:grove.levels[1]] = True
    state = 1 + goes.astype(np.int64)
    for first, end in zip(grove.levels[1:-1], grove.levels[2:], strict=True):
        some = np.arange(first, end)[grove.twin[first:end] >= 0]
        state[some] *= state[grove.twin[some]] == 2
    return state


def _down(grove: Grove, state: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(nodes, n, points): for each node the product of the factors of all columns on its path.

    A factor that a twin above has put in is taken out again.
    """
    n_nodes, n = state.shape
    with_it, without = _factors(grove, at)
    twin = np.where(grove.twin[:, None] >= 0, with_it[grove.twin], 1.0)
    off = np.where(grove.twin[:, None] >= 0, without[grove.twin], 1.0)
    table = np.stack([without / off, without / twin, with_it / twin], axis=1, dtype=np.float32).reshape(3 * n_nodes, -1)
    product = np.ones((n_nodes, n, len(at)), dtype=np.float32)
    for first, end in zip(grove.levels[1:-1], grove.levels[2:], strict=True):
        place = state[first:end] + 3 * np.arange(first, end)[:, None]
        np.multiply(np.take(product, grove.parent[first:end], axis=0), np.take(table, place, axis=0),
                    out=product[first:end])
    return product


def _factors(grove: Grove, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(nodes, points) twice: where the row goes this way, and where it does not."""
    without = grove.z[:, None] * (1 - at)
    return without + at, without


def _gains(grove: Grove, at: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(nodes, 3, points): by what the leaves below a node are weighed in each state, with what the twin above has
    said of them taken off."""
    with_it = weights * (1 - grove.z[:, None]) / _factors(grove, at)[0]
    without = np.broadcast_to(-weights / (1 - at), with_it.shape)
    twin = np.where(grove.twin[:, None] >= 0, with_it[grove.twin], 0.0)
    off = np.where(grove.twin[:, None] >= 0, without, 0.0)
    return np.stack([without - off, without - twin, with_it - twin], axis=1, dtype=np.float32)


def _up(grove: Grove, product: np.ndarray, leaf: np.ndarray) -> np.ndarray:
    """(nodes, n, points): the sum over the leaves below each node of value times product."""
    total = product * leaf.astype(np.float32)[:, None, None]
    for first, end in reversed(list(zip(grove.levels[1:-1], grove.levels[2:], strict=True))):
        children = first + np.argsort(grove.parent[first:end], kind="stable")  # two a parent
        total[grove.parent[children[::2]]] = np.take(total, children[::2], axis=0) \
            + np.take(total, children[1::2], axis=0)
    return total
