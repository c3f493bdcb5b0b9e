"""sqlite-utils without pandas, which it imports where it is there, for a type of column that no table of ours has.

That is 0.3 s and 60 MB in the worker, in each of its children and in the shortest command. Where pandas is there
already, or another thread might be asking for it (the app draws in threads), nothing is held back.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def _without(name: str) -> Iterator[None]:
    """Have a module look as if it were not installed; None in sys.modules says so (Python's reference, 5.3.1)."""
    if name in sys.modules or threading.active_count() > 1:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


with _without("pandas"):
    from sqlite_utils import Database

__all__ = ["Database"]
