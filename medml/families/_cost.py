"""What work costs on this machine: three small kernels, timed once a process (about 60 ms); no typed seconds.

Costs of families are operations x these units. Torch, scikit-learn and XGBoost are not imported: a page asks.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Literal

import numpy as np

from medml import device


def unit(name: Literal["call", "product", "sort"]) -> float:
    """Seconds of one small array call, of one multiply-add in a matrix product, of one value in a sort."""
    return _units()[name]


@functools.cache
def _units() -> dict[str, float]:
    random = np.random.default_rng(0)
    small, wide, long = random.random(64), random.random((600, 60)), random.random(40_000)
    with device.few_threads(len(wide)):  # as a fit on few rows: all cores at once would promise too much
        return {"call": _seconds(lambda: [np.add(small, small) for _ in range(200)]) / 200,
                "product": _seconds(lambda: wide.T @ wide) / (600 * 60 * 60),
                "sort": _seconds(lambda: np.argsort(long)) / len(long)}


def _seconds(kernel: Callable[[], object], times: int = 5) -> float:
    """The fastest of a few runs: what the machine can do, not what else it happened to be doing."""
    kernel()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        kernel()
        taken.append(time.perf_counter() - started)
    return min(taken)
