"""Memory that a pass over a large file frees and needs again a moment later is kept in between.

Handing every batch's memory back to the system and asking for it again cost 250,000 page faults and about a sixth of
the processor time of a scan of 1.1 GB (Linux, glibc 2.41, Polars 2.1).
"""

from __future__ import annotations

import ctypes
import gc
import os

KEPT_BY_POLARS = "dirty_decay_ms:10000,muzzy_decay_ms:10000"  # jemalloc's own default; Polars asks for 500 ms
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's <malloc.h>
_ARENA_MAX = -8
_KEPT = 128 << 20  # bytes at the end of the heap
_ON_THE_HEAP = 32 << 20  # bytes; larger pieces are mapped, and handed back, one by one (glibc's upper limit)


def share_few_heaps() -> None:
    """For a process of many short threads: two heaps for all, not one for every few of them, each of which would keep
    what was freed in it. Only before the threads begin; where the system has another allocator, nothing."""
    tune = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if tune is not None:
        tune(_ARENA_MAX, 2)


def collect_seldom() -> None:
    """Take what is here out of what a collection of garbage looks through, as it stays for good, and leave collections
    of all the rest to `give_back`: Python's own stopped every page for 60 to 100 ms, at each thirtieth click."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)  # objects made, collections of the youngest, and of the next older


def give_back() -> None:
    """Collect what nobody can reach any more, and hand free pages back to the system: what sessions that have ended
    leave behind. Takes some 10 ms; for a quiet thread, now and then."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def keep_freed() -> None:
    """Keep freed memory for some seconds; call before Polars is imported, in a process of its own for the work.

    Where the system has another allocator (macOS, Windows, musl) its own ways are left alone.
    """
    os.environ.setdefault("_RJEM_MALLOC_CONF", KEPT_BY_POLARS)
    tune = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if tune is not None:
        tune(_TRIM_THRESHOLD, _KEPT)
        tune(_MMAP_THRESHOLD, _ON_THE_HEAP)
