"""Does a session's memory grow? `python -m bench.soak [--minutes 60]` opens and closes sessions and looks at the app.

Six people at a time open the app, walk over its screens, press and slide, and leave; others come. Streamlit keeps who
has left for two minutes, in case they come back, so figures of the first three minutes are left out of the slope.

Prints the app's memory (resident, MiB) with nobody there at the start and once all have been let go at the end, what
one session takes at the start and at the end, and the slope in MiB an hour with its 95 % interval. To hold: an interval
that reaches 0, or less than 1 MiB an hour for each hundred sessions.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from bench.load import finished
from bench.people import Person
from tests.e2e.served import served

AT_ONCE, KEPT = 6, 130.0  # people at a time; seconds until Streamlit lets go of who has left
SETTLED = 180.0  # seconds that are left out of the slope
MIB = 1 << 20


async def visit(address: str, name: str, project: str) -> list[str]:
    """One person: in, over the screens, some clicks, out. Returns what went wrong."""
    person = Person(address, name)
    await person.open("scan", f"project={project}")
    try:
        for page in ("Preview", "Cleanup", "Configure", "Evaluate", "Gallery", "Jobs", "Projects"):
            await person.follow(page)
            await person.until(lambda: True)
            if page == "Configure":
                for turn in range(3):
                    await person.slide("", turn)
    finally:
        await person.close()
    return person.errors


async def held(address: str, project: str, memory) -> float:
    """MiB that one session takes while it is open: ten of them, over what was there before."""
    before = memory()
    people = [Person(address, f"held {each}") for each in range(10)]
    for each in people:
        await each.open("preview", f"project={project}")
    taken = (memory() - before) / len(people)
    for each in people:
        await each.close()
    return taken


async def soak(address: str, project: str, memory, seconds: float) -> dict:
    """Come and go for that long; everything that was measured."""
    await visit(address, "the first", project)  # pays for imports
    at_rest, first = memory(), await held(address, project, memory)
    begun, seen, errors, sessions = time.monotonic(), [], [], 11
    while time.monotonic() - begun < seconds:
        for found in await asyncio.gather(*(visit(address, f"{sessions}-{each}", project) for each in range(AT_ONCE))):
            errors += found
        sessions += AT_ONCE
        seen.append((time.monotonic() - begun, memory()))
    last = await held(address, project, memory)
    await asyncio.sleep(KEPT)
    await visit(address, "the last", project)  # Streamlit looks for who is over when somebody comes
    return {"at rest": at_rest, "first": first, "last": last, "end": memory(), "seen": seen, "sessions": sessions,
            "errors": errors}


def slope(seen: list[tuple[float, float]], settled: float) -> tuple[float, float, float] | None:
    """MiB an hour with its 95 % interval (least squares, normal); None where too little was seen after `settled` s."""
    at, mib = (np.array(each) for each in zip(*seen, strict=True))
    at, mib = at[at > settled] / 3600, mib[at > settled]
    if len(at) < 10:
        return None
    x = at - at.mean()
    rise = float((x * mib).sum() / (x * x).sum())
    spread = 1.96 * float(np.sqrt(((mib - mib.mean() - rise * x) ** 2).sum() / (len(at) - 2) / (x * x).sum()))
    return rise, rise - spread, rise + spread


def report(found: dict, seconds: float) -> int:
    each_hour = found["sessions"] / max(seconds, 1) * 3600
    print(f"{found['sessions']} sessions in {seconds / 60:.0f} min, {len(found['errors'])} errors")
    print(f"app with nobody there: {found['at rest']:.0f} MiB at the start, {found['end']:.0f} MiB at the end")
    print(f"one open session: {found['first']:.2f} MiB at the start, {found['last']:.2f} MiB at the end")
    rise = slope(found["seen"], SETTLED)
    if rise is None:
        print("slope: could not tell, --minutes was too short")
        return int(bool(found["errors"]))
    print(f"slope {rise[0]:.1f} MiB an hour ({rise[1]:.1f} to {rise[2]:.1f}) at {each_hour:,.0f} sessions an hour")
    return int(bool(found["errors"]) or rise[1] > each_hour / 100)


def main(arguments: list[str]) -> int:
    asked = argparse.ArgumentParser(prog="bench.soak")
    asked.add_argument("--minutes", type=float, default=60.0)
    seconds = 60 * asked.parse_args(arguments).minutes
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        home = Path(place) / "home"
        project = finished(home)
        with served(home) as app:
            process = psutil.Process(app.process.pid)
            found = asyncio.run(soak(app.url.removeprefix("http://"), project,
                                     lambda: process.memory_info().rss / MIB, seconds))
    return report(found, seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
