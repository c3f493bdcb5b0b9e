"""Keep the words of foreign libraries to themselves: their warnings and logs quote the values that they find odd."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet(library: str) -> Iterator[None]:
    """No warning, and for good no log record, of a library such as "pydicom" or "PIL" goes on to ours."""
    logging.getLogger(library).setLevel(logging.CRITICAL + 1)  # its modules' loggers inherit it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
