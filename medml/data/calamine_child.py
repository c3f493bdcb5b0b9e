"""Read an .xls from standard input, write its sheets as JSON to standard output; run alone as a child process.

The library behind it (calamine, Rust) panics on some damaged files and may ask for any amount of memory: here that ends
this process and nothing else. It imports nothing of MedML.
"""

from __future__ import annotations

import contextlib
import json
import sys

MOST_MEMORY = 2 << 30  # bytes of address space


def main() -> int:
    """0 and {"sheets": {name: [column, ...] or null}}; 3 where a password is needed; 4 where the file is damaged."""
    _limit_memory()
    sys.addaudithook(_no_network)
    import fastexcel
    try:
        book = fastexcel.read_excel(sys.stdin.buffer.read())
    except fastexcel.FastExcelError as error:
        return 3 if "assword" in str(error) else 4
    sheets: dict[str, list[list[str | None]] | None] = {}
    for name in book.sheet_names:
        try:
            cells = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
            sheets[name] = [cells[column].to_list() for column in cells.columns]
        except fastexcel.FastExcelError:
            sheets[name] = None
    json.dump({"sheets": sheets}, sys.stdout)
    return 0


def _no_network(event: str, arguments: tuple) -> None:
    """Nothing here needs a socket, this machine's own neither; the tripwire of the other processes is medml.egress."""
    if event.startswith("socket."):
        raise ConnectionError("a reader of files has no network")


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # there is no such limit on Windows
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


if __name__ == "__main__":
    sys.exit(main())
