"""A text table in blocks of whole rows, so that each can be read, and read again, on its own.

Polars' streaming reader is not used for this: when one cell of a later row does not fit its type, it hands out batches
with holes before it raises (2.1, tried: the first batch of 100,000 rows held rows 0 to 278,782).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

_LF, _QUOTE = np.uint8(10), np.uint8(34)


def blocks(file: BinaryIO, size: int, *, quoted: bool) -> Iterator[bytes]:
    """Consecutive blocks of about `size` bytes, each ending at the end of a row; longer where a row is longer.

    file    can be sought in
    quoted  rows may hold line ends inside quotes; quotes are known to be balanced
    """
    if not quoted:
        yield from _up_to_a_line_end(file, size)
        return
    rest = b""
    while piece := file.read(size):
        block = rest + piece if rest else piece
        end = _last_end(block)
        rest = block[end:]
        if end:
            yield block[:end]
    if rest:
        yield rest


def _up_to_a_line_end(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The end of the row is found first, so that a block is read in one go and copied nowhere."""
    while True:
        start = file.tell()
        file.seek(start + size - 1)
        end = size - 1 + len(file.readline())
        file.seek(start)
        block = file.read(end)
        if not block:
            return
        yield block


def count_rows(block: bytes, *, quoted: bool) -> int:
    """How many rows a block of whole rows holds; a last one may lack its line end."""
    ends = int(np.count_nonzero(_ends(block))) if quoted and b'"' in block else block.count(b"\n")
    return ends + (not block.endswith(b"\n"))


def _last_end(block: bytes) -> int:
    """Where the last whole row of a block ends, counted from its start; 0 where none does."""
    if b'"' not in block:
        return block.rfind(b"\n") + 1
    places = np.flatnonzero(_ends(block))
    return int(places[-1]) + 1 if len(places) else 0


def _ends(block: bytes) -> np.ndarray:
    """(len(block),) bool: line ends that are not inside quotes."""
    cells = np.frombuffer(block, dtype=np.uint8)
    outside = (np.cumsum(cells == _QUOTE, dtype=np.uint8) & 1) == 0
    return (cells == _LF) & outside
