"""How long a real training takes to end once somebody asks it to: `python -m bench.stops [--rows N] [--times N]`.

Trainings of a table, by a worker and its child as in a hospital, are stopped in the queue, while the table is read and
prepared, while rounds are learned, while what was learned is judged, and while it is saved. Printed are the seconds
from the stop until the job has ended and its process is gone, the longest of each stage, and what was kept. Goal: 5 s.
A stop that comes while rounds are learned keeps the best so far, and its seconds hold the judging of it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
GOAL = 5.0  # seconds
LONG, SHORT = {"epochs": 5_000, "patience": 5_000}, {"epochs": 2}
FAMILIES = {"mlp": {"queue": LONG, "read": LONG, "prepare": LONG, "learn": LONG, "judge": SHORT, "save": SHORT},
            "auto": {"prepare": {}, "learn": {}, "judge": {}, "save": {}}}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 0 where every stop was within the goal."""
    asked = argparse.ArgumentParser(prog="python -m bench.stops", description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=int, default=10_000)
    asked.add_argument("--times", type=int, default=3)
    options = asked.parse_args(arguments)
    found: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="stops-", ignore_cleanup_errors=True) as place:
        os.environ |= {"MEDML_HOME": f"{place}/home", "PYTHONPATH": str(ROOT)}
        import worker
        from tests.tables import clinic, saved

        source = saved(clinic(options.rows), Path(place) / "study")
        worker.ensure_running(wait=60)
        try:
            for family, stages in FAMILIES.items():
                made = {stage: project_of(source, family, params) for stage, params in stages.items()}
                for _ in range(options.times):
                    for stage, project in made.items():
                        found[family, stage].append(stopped(project, stage))
        finally:
            end()
    tell(found, options.rows)
    return 0 if all(seconds <= GOAL for each in found.values() for seconds, _ in each) else 1


def project_of(source: Path, family: str, params: dict) -> str:
    """A project that has been walked up to its configuration."""
    from medml import project
    from tests.tables import planned

    profile, recipe, config = planned(source.parent, family=family, params=params)
    made = project.create(source.parent).id
    for value in (profile, config.choice, recipe, config):
        project.write(made, value)
    return made


def stopped(project: str, stage: str) -> tuple[float, str]:
    """Seconds from the stop to the end of it all, and what was kept."""
    import worker

    job = worker.enqueue("train", {"project": project}, not_before=time.time() + 3600 if stage == "queue" else None)
    child = wait_for(job, stage)
    began = time.monotonic()
    worker.stop(job)
    while worker.get(job).state in ("queued", "running") or (child and psutil.pid_exists(child)):
        time.sleep(0.01)
    seconds, left = time.monotonic() - began, worker.get(job)
    if left.is_paused:
        worker.stop(job)  # nobody wants it judged
    kept = "a run" if left.result else "what was learned" if left.is_paused else "nothing"
    return seconds, "had ended before" if left.state == "done" and not left.result else kept


def wait_for(job: str, stage: str) -> int | None:
    """The process of that job, once it is at that stage; None where it waits in the queue."""
    import worker

    of_stage = {"read": ("read",), "prepare": ("train",), "learn": ("train",), "judge": ("evaluate",),
                "save": ("save", "done")}
    while stage != "queue":
        row = worker.get(job)
        learning = stage != "learn" or row.fraction > 0.3 or any(each.points for each in worker.progress_since(job))
        if row.ended_for_good or (row.pid and row.stage in of_stage[stage] and learning):
            return row.pid
        time.sleep(0.01)
    return None


def end() -> None:
    """The worker and all of its children."""
    from tests.at_work import of_home

    for each in of_home(os.environ["MEDML_HOME"]):
        with contextlib.suppress(psutil.Error):
            each.kill()


def tell(found: dict[tuple[str, str], list[tuple[float, str]]], rows: int) -> None:
    times = max(map(len, found.values()))
    print(f"seconds from a stop to its end, {rows:,} rows, longest of {times} (goal: {GOAL:.0f} s)")
    for (family, stage), each in found.items():
        kept = ", ".join(dict.fromkeys(what for _, what in each))
        print(f"  {family:<5} {stage:<8} {max(seconds for seconds, _ in each):5.1f} s   kept: {kept}")


if __name__ == "__main__":
    sys.exit(main())
