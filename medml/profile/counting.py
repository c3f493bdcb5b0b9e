"""How often each number of a batch occurs, by its place between the smallest and the largest: no table of hashes."""

from __future__ import annotations

import numpy as np
import polars as pl

SPAN = 1 << 16  # steps between the smallest and the largest number; beyond, a table of hashes is cheaper
SCALES = (1, 10, 100)  # numbers of no, one or two decimals
FIRST = 64  # numbers that decide the scale to try


def count_close(cells: pl.Series) -> tuple[list, list[int]] | None:
    """The distinct numbers of a column with how often each occurs, nulls left out; exact.

    returns None where the column holds other things, more decimals, or numbers that lie far apart
    """
    if not (cells.dtype.is_signed_integer() or cells.dtype == pl.Float64):
        return None
    numbers = cells.drop_nulls().to_numpy()
    if not len(numbers):
        return [], []
    steps, scale = (numbers.astype(np.int64, copy=False), 1) if cells.dtype.is_integer() else _in_steps(numbers)
    if steps is None:
        return None
    low, high = steps.min().item(), steps.max().item()
    if not high - low < SPAN:  # infinite ones are not near either
        return None
    counts = np.bincount((steps - low).astype(np.int64, copy=False))
    places = np.flatnonzero(counts)
    values = places + low
    return (values if cells.dtype.is_integer() else values / scale).tolist(), counts[places].tolist()


def _in_steps(numbers: np.ndarray) -> tuple[np.ndarray | None, int]:
    """(n,) whole float64 and the scale that gives every number back to its last bit; None where there is none."""
    for scale in SCALES:
        if _fits(np.rint(numbers[:FIRST] * scale), numbers[:FIRST], scale):
            steps = np.rint(numbers * scale)
            return (steps, scale) if _fits(steps, numbers, scale) else (None, 1)
    return None, 1


def _fits(steps: np.ndarray, numbers: np.ndarray, scale: int) -> bool:
    return bool((steps / scale == numbers).all())
