"""On what a fit runs: threads for the size of the data, and the processor or graphics card that is there."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import os
import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING

from medml import environment

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)
SMALL = 20_000  # rows under which a second thread costs more than it gives on a small or shared machine (measured)


def threads(n_cases: int) -> int:
    """Threads for a fit on so many rows; MEDML_THREADS sets another number for large ones, else all that there are."""
    if n_cases < SMALL:
        return 1
    return int(environment.number("MEDML_THREADS"))


def cores() -> int:
    """How many threads work that is worth them may use."""
    return threads(SMALL)


@contextlib.contextmanager
def few_threads(n_cases: int) -> Iterator[None]:
    """Inside, linear algebra uses as many threads as `threads` says."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads(n_cases)):
        yield


@functools.cache
def graphics() -> bool:
    """Whether networks will likely be computed by a graphics card, told without loading torch: a page asks."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    return os.path.exists("/dev/nvidiactl") and importlib.util.find_spec("nvidia") is not None


_gone = False  # a graphics card that failed is asked for nothing again by this process


def give_up() -> None:
    """From now on compute on the processor: the graphics card has failed."""
    global _gone
    _gone = True
    log.warning("the graphics card failed; the processor goes on")


def is_given_up() -> bool:
    """Whether the graphics card failed in this process."""
    return _gone


def pick(wanted: str = "auto") -> torch.device:
    """The device of a network: "auto" takes CUDA, then Apple's MPS, then the processor; or one of them by name.

    A name that this machine does not have falls back to the processor, so a run made elsewhere still opens here.
    """
    import torch

    if _gone:
        return torch.device("cpu")
    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        # cuBLAS reads this when it starts; without it equal seeds do not give equal numbers
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        return torch.device("cuda")
    if wanted in ("auto", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


@contextlib.contextmanager
def repeatable(device: torch.device, seed: int, n_cases: int) -> Iterator[None]:
    """Inside, torch draws from `seed`, computes the same numbers every time, and on `threads` threads.

    Everything is put back on leaving: another fit in this process sees nothing of it.
    """
    import torch

    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        torch.set_num_threads(threads(n_cases))
        torch.use_deterministic_algorithms(device.type == "cuda")
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
