"""Shapley values of any model by antithetic permutations, all of them asked in a few large batches.

Every background row walks to the row in hand, one column after the other; of each two neighbours one goes along a
random order of the columns, the other along its reverse (Mitchell et al. 2022, JMLR 23:43). So the values add up to
f(row) - mean f(background) exactly, and a model is asked (p - 1) m times a row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Ask = Callable[[np.ndarray], np.ndarray]  # (m, encoded) -> (m, n_outputs)

AT_ONCE = 1_000_000  # cells of one batch


def values(ask: Ask, X: np.ndarray, background: np.ndarray, groups: np.ndarray, *, seed: int = 0,
           watch: Callable[[float], None] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(n, n_outputs, n_groups) and (n_outputs,): what each group adds, and the mean answer of the background.

    X, background  (n, e), (m, e) encoded rows;   groups  (e,) int, 0 .. n_groups - 1: columns that change together
    watch          is told the share that is done; may raise Stopped
    """
    ranks = _orders(len(background), int(groups.max()) + 1, seed)
    known = _known(ranks)[:, :, groups]                  # (m, stops, e)
    at_base = ask(background)                            # (m, n_outputs)
    size = max(1, AT_ONCE // known.size)
    found = []
    for first in range(0, len(X), size):
        if watch is not None:
            watch(first / len(X))
        found.append(_of_some(ask, X[first:first + size], background, known, ranks, at_base))
    return np.concatenate(found), at_base.mean(axis=0)


def _orders(m: int, n_groups: int, seed: int) -> np.ndarray:
    """(m, n_groups) place of each group in the walk of each background row."""
    rng = np.random.default_rng(seed)
    ranks = np.argsort(rng.random((-(-m // 2), n_groups)), axis=1).argsort(axis=1)
    return np.stack([ranks, n_groups - 1 - ranks], axis=1).reshape(-1, n_groups)[:m]


def _known(ranks: np.ndarray) -> np.ndarray:
    """(m, n_groups - 1, n_groups) bool: which groups are already those of the row, at each stop on the way."""
    return ranks[:, None, :] < np.arange(1, ranks.shape[1])[:, None]


def _of_some(ask: Ask, X: np.ndarray, background: np.ndarray, known: np.ndarray, ranks: np.ndarray,
             at_base: np.ndarray) -> np.ndarray:
    """(rows, n_outputs, n_groups) of a few rows, in one batch."""
    rows, (m, stops, width) = len(X), known.shape
    mixed = np.where(known, X[:, None, None, :], background[:, None, :])
    between = ask(mixed.reshape(-1, width)) if stops else np.empty((0, at_base.shape[1]))
    between = between.reshape(rows, m, stops, -1)
    start = np.broadcast_to(at_base[:, None], (rows, m, 1, at_base.shape[1]))
    end = np.broadcast_to(ask(X)[:, None, None], start.shape)
    steps = np.diff(np.concatenate([start, between, end], axis=2), axis=2)  # (rows, m, n_groups, n_outputs)
    return np.take_along_axis(steps, ranks[None, :, :, None], axis=2).mean(axis=1).transpose(0, 2, 1)
