"""Run alone: scan and load each named file, and print what became of it, with its CPU seconds and its peak of memory.

    python corpus_child.py FOLDER FILE...      one line of JSON a file, on standard output
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

from medml.data import open_table
from medml.profile import scan

SECONDS = 10.0  # of CPU, own and children's; on the tick after that the system ends this process
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def look_at(path: Path) -> dict:
    """Scan one file as the Scan page does, and load its tables as a training does."""
    profile = scan(path)
    for table in profile.tables:
        frame = open_table(path, table.ref).frame()
        assert frame.shape == (table.rows, len(table.columns)), path.name
    entry = profile.files[0]
    return {"action": entry.action, "reason_code": entry.reason_code, "message": entry.message, "rows": entry.rows,
            "cols": entry.cols}


def cpu() -> float:
    """CPU seconds of this process with all its threads, and of its children that have ended."""
    import resource

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak() -> int:
    """Bytes of resident memory at the most since the last reset; of the largest child too, since the start."""
    import resource

    own = next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def main(folder: Path, names: list[str]) -> None:
    import resource

    for name in names:
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + SECONDS) + 1, hard))
        CLEAR.write_text("5")  # the peak starts anew (proc(5))
        before = cpu()
        found = look_at(folder / name)
        sys.stdout.write(json.dumps({"file": name, **found, "seconds": cpu() - before, "peak": peak()}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
