"""A queue that several machines share: `python -m bench.shared [--seconds 15]`, with a redis-server of its own.

Five attempts write 200 rows of progress a second between them, 20 screens ask for what is new twice a second, all in
this one process. Prints rows lost and errors, and how long a write and a read took. To hold: 0 lost, 0 errors.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from medml import store
from medml.errors import UserError
from medml.store import Job, Progress
from tests import redis_server

WRITERS, ROWS, SCREENS, LOOK = 5, 200, 20, 0.5  # attempts; rows a second in all; screens; seconds between two looks
PAYLOAD = {"config": {"notes": "x" * 5_000}}  # as long as a real configuration


@dataclass
class Seen:
    """Seconds of every write and read, rows written, and errors by name."""

    writes: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def timed(self, kept: list[float], act: Callable[[], object]) -> object:
        begun = time.perf_counter()
        try:
            return act()
        except (UserError, store.DatabaseError) as error:
            self.errors.append(type(error).__name__)
            return []
        finally:
            kept.append(time.perf_counter() - begun)


def write(job: Job, seen: Seen, until: float) -> None:
    """Rows at an even pace."""
    begun, n = time.monotonic(), 0
    while time.monotonic() < until:
        row = Progress(0, 0.0, 0, "fit", min(1.0, n / 1e5), f"round {n}")
        seen.timed(seen.writes, lambda row=row: store.pulse(job.id, job.token, row))
        n += 1
        time.sleep(max(0.0, begun + n * WRITERS / ROWS - time.monotonic()))


def watch(job: Job, seen: Seen, until: float) -> None:
    """A screen that asks for what is newer than what it has."""
    last = 0
    while time.monotonic() < until:
        rows = seen.timed(seen.reads, lambda last=last: store.progress_since(job.id, last))
        last = rows[-1].seq if rows else last
        time.sleep(LOOK)


def measure(seconds: float) -> int:
    """Print what was seen; 1 where a row was lost or anything failed."""
    for number in range(WRITERS):
        store.submit(f"job-{number:05d}", "train", "train", PAYLOAD)
    jobs = [store.claim("train", "bench", 30.0) for _ in range(WRITERS)]
    seen, until = Seen(), time.monotonic() + seconds
    threads = [threading.Thread(target=write, args=(each, seen, until)) for each in jobs]
    threads += [threading.Thread(target=watch, args=(jobs[each % WRITERS], seen, until)) for each in range(SCREENS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    lost = len(seen.writes) - sum(len(store.progress_since(each.id)) for each in jobs)
    n = len(seen.writes)
    print(f"{n:,} rows, {n / seconds:.0f} a second: {lost} lost, {len(seen.errors)} errors")
    for name, found in (("write", seen.writes), ("read", seen.reads)):
        p50, p99 = 1000 * np.percentile(found, [50, 99])
        print(f"{name:<6} p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    return int(bool(lost or seen.errors))


def main(arguments: list[str]) -> int:
    asked = argparse.ArgumentParser(prog="bench.shared")
    asked.add_argument("--seconds", type=float, default=15.0)
    options = asked.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place, \
            redis_server.serving("--appendonly", "yes", "--dir", place) as server:
        os.environ |= {"MEDML_QUEUE": server.url, "MEDML_HOME": place, "MEDML_STATE": place}
        return measure(options.seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
