"""How fast the queue is, and what it holds: `python -m bench.queue [--jobs N] [--longest SECONDS] [--flood SECONDS]`.

    picked up   a job that comes after an idle time, until it is claimed; beside huey as it comes (SqliteHuey and its
                consumer with default settings), which is given a task at the very same moments
    running     until the code of the job runs in its child process: quick jobs and trainings, with a warm child
    idle        share of one core that the worker and its warm children take while nothing is to do, and their memory
    flood       200 progress rows a second written while 20 readers look twice a second each: rows lost, errors because
                the file was locked, and how long a write and a look take

Medians and 99th percentiles, of one run on one machine. To beat: 120 ms (p99) and 1 % of a core; 0.5 s (median); none
lost and none locked.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]
IDLE = (0.2, 3.0)  # seconds between two jobs, drawn evenly
LONG_EVERY = 8  # one idle time in so many is the longest
ROWS, READERS, EVERY = 200, 20, 0.5  # rows a second; screens; seconds between two looks of one

HUEY = """
import sys, time
from huey import SqliteHuey
huey = SqliteHuey("plain", filename=sys.argv[1])

@huey.task()
def tell(number):
    with open(sys.argv[2], "a") as file:
        file.write(f"{number} {time.time()}\\n")

if sys.argv[3] == "serve":
    huey.create_consumer().run()
else:
    for line in sys.stdin:
        tell(int(line))
"""


def main(arguments: list[str]) -> int:
    """Measure and print."""
    asked = argparse.ArgumentParser(prog="bench.queue")
    asked.add_argument("--jobs", type=int, default=60)
    asked.add_argument("--longest", type=float, default=15.0)
    asked.add_argument("--flood", type=float, default=20.0)
    asked.add_argument("--read", metavar="JOB", help=argparse.SUPPRESS)
    options = asked.parse_args(arguments)
    if options.read:
        read(options.read)
        return 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        os.environ |= {"MEDML_HOME": place, "MEDML_JOBS": str(ROOT / "bench" / "kinds"), "PYTHONPATH": str(ROOT)}
        import worker

        worker.ensure_running(wait=60)
        try:
            idle(worker_pids(place))
            ours, running, plain = waits(worker, options, Path(place))
            print_waits(ours, running, plain)
        finally:
            for each in worker_pids(place):
                psutil.Process(each).kill()
        flood(options.flood)  # no worker is about: it would take the job for one that was left
    return 0


def worker_pids(place: str) -> list[int]:
    """The worker of that home and its children."""
    from medml import store
    from worker import processes

    found = []
    for each in store.processes("worker"):
        if processes.alive(each.pid, each.started):
            found += [each.pid, *(child.pid for child in psutil.Process(each.pid).children(recursive=True))]
    return found


def idle(pids: list[int], settle: float = 15.0, seconds: float = 15.0) -> None:
    """Share of a core, and memory, once the children are warm."""
    time.sleep(settle)
    pids = worker_pids(os.environ["MEDML_HOME"]) or pids
    spent = -sum(map(cpu, pids))
    time.sleep(seconds)
    share = (spent + sum(map(cpu, pids))) / seconds
    sizes = ", ".join(f"{psutil.Process(each).memory_full_info().uss / 2**20:.0f} MB" for each in pids)
    say(f"idle: {100 * share:.2f} % of a core; worker and warm children hold {sizes} of their own")


def cpu(pid: int) -> float:
    spent = psutil.Process(pid).cpu_times()
    return spent.user + spent.system


def waits(worker, options: argparse.Namespace, place: Path) -> tuple[list[float], dict[str, list[float]], list[float]]:
    """Seconds until a job is claimed; until it runs, by queue; and until huey as it comes has begun the task."""
    script, told = place / "plain.py", place / "plain.txt"
    script.write_text(HUEY)
    command = [sys.executable, str(script), str(place / "plain.db"), str(told)]
    consumer = subprocess.Popen([*command, "serve"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sender = subprocess.Popen([*command, "send"], stdin=subprocess.PIPE, text=True)
    draw, picked, running, sent = random.Random(0), [], {"quick": [], "train": []}, {}
    try:
        for number in range(options.jobs):
            time.sleep(options.longest if number % LONG_EVERY == LONG_EVERY - 1 else draw.uniform(*IDLE))
            sent[number] = time.time()
            sender.stdin.write(f"{number}\n")
            sender.stdin.flush()
            name = "train" if number % 4 == 3 else "quick"
            job = ended(worker, worker.enqueue(f"moment_{name}", {}))
            picked.append(job.started - job.made)
            running[name].append(job.result["at"] - job.made)
        time.sleep(10.0)  # the longest that huey's default may take
    finally:
        for each in (sender, consumer):
            each.kill()
            each.wait()
    begun = dict(line.split() for line in told.read_text().splitlines())
    return picked, running, [float(begun[str(number)]) - at for number, at in sent.items() if str(number) in begun]


def ended(worker, job: str):
    """The job, once it is done."""
    while not (found := worker.get(job)).ended_for_good:
        time.sleep(0.02)
    return found


def print_waits(ours: list[float], running: dict[str, list[float]], plain: list[float]) -> None:
    """Figures beside each other, and by how many times huey as it comes takes longer."""
    say(f"picked up, MedML:              {spread(ours)}")
    say(f"picked up, huey as it comes:   {spread(plain)}")
    ratios = [np.percentile(plain, at) / np.percentile(ours, at) for at in (50, 99)]
    say(f"huey as it comes takes {ratios[0]:.1f} times as long (median), {ratios[1]:.0f} times (99th percentile)")
    for name, seconds in running.items():
        say(f"running, {name + ':':23}{spread(seconds)}")


def spread(seconds: list[float]) -> str:
    at = [1000 * np.percentile(seconds, each) for each in (50, 99, 100)]
    return f"median {at[0]:6.0f} ms, 99th percentile {at[1]:6.0f} ms, longest {at[2]:6.0f} ms (n = {len(seconds)})"


def flood(seconds: float) -> None:
    """Rows written at a fixed rate while readers poll."""
    from medml import store

    store.submit("flood-0001", "flood", "flood", {})
    job = store.claim("flood", "bench", 30)
    screens = subprocess.Popen([sys.executable, "-m", "bench.queue", "--read", job.id], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, cwd=ROOT)
    screens.stdout.readline()  # they look
    writes: list[float] = []
    errors: list[str] = []
    begin = time.monotonic()
    for number in range(int(ROWS * seconds)):
        time.sleep(max(0.0, begin + number / ROWS - time.monotonic()))
        row = store.Progress(0, 0.0, 0, "flood", 0.5, f"row {number}")
        guarded(partial(store.pulse, job.id, job.token, row), writes, errors)
    took = time.monotonic() - begin
    reads, refused = json.loads(screens.communicate()[0])
    lost = int(ROWS * seconds) - len({each.message for each in store.progress_since(job.id)})
    say(f"flood: {len(writes)} rows in {took:.0f} s ({ROWS} a second asked for), {len(reads)} looks of {READERS} "
        f"screens; {lost} lost, {len(errors) + len(refused)} refused as locked")
    say(f"       a write {spread(writes)}")
    say(f"       a look  {spread(reads)}")


def read(job: str) -> None:
    """The screens of one app: a thread each, which asks for what is newer than what it has, until the input ends."""
    over, reads, errors = threading.Event(), [], []
    threads = [threading.Thread(target=look_again_and_again, args=(job, over, reads, errors)) for _ in range(READERS)]
    for each in threads:
        each.start()
    say("")
    sys.stdin.read()
    over.set()
    for each in threads:
        each.join()
    say(json.dumps([reads, errors]))


def look_again_and_again(job: str, over: threading.Event, reads: list[float], errors: list[str]) -> None:
    """One screen."""
    from medml import store

    seq = 0

    def look() -> None:
        nonlocal seq
        store.get(job)
        rows = store.progress_since(job, seq)
        seq = rows[-1].seq if rows else seq
    while not over.wait(EVERY):
        guarded(look, reads, errors)


def guarded(act: Callable[[], object], took: list[float], errors: list[str]) -> None:
    from medml.errors import UserError

    begin = time.perf_counter()
    try:
        act()
    except UserError as error:
        errors.append(error.code)
    else:
        took.append(time.perf_counter() - begin)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
