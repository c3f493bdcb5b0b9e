"""Twenty people at once: `python -m bench.load [--people 20] [--minutes 3] [--think 5]`, while a training runs.

They have signed in on a ward, each with an account; one group shares the finished model. Each person makes a project of
the example data, scans it, walks through Preview, Cleanup and Configure, changes a switch and a slider, hands in a
training, watches it, opens a finished model, its evaluation, the jobs, and begins again; between two clicks they think
(uniform, 0.5 to 1.5 times --think seconds). Before and after, the same people press the button of a bare Streamlit page
with the same pauses, on the same machine, beside the same training; in the end, that of a page with as many elements
as MedML's have on average, with nothing behind them.

Prints, by click: how many, median and 95th percentile from the click to the end of the run that it brought about; the
same until the first element of that run is there, which is when a person sees that the screen answers; the errors; and
the ratio of the 95th percentiles to the end. To hold: 0 errors, at most 3 x the bare page.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from bench.people import Broken, Person
from tests.e2e.scenes import queued, scanned
from tests.e2e.served import ROOT, Served, end, free_port, served, wait_until_up
from tests.ward import PASSWORD, SETTINGS, Client

MOST = 3.0  # times the bare page's 95th percentile
ENDLESS = 100_000  # epochs: longer than any bench


@dataclass
class Measured:
    """Seconds of every click by its name, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waited: list[float] = field(default_factory=list)  # until something of the answer is there
    errors: list[str] = field(default_factory=list)
    polls: int = 0
    drawn: list[int] = field(default_factory=list)  # elements on the page after each click

    @property
    def all(self) -> list[float]:
        return [each for found in self.seconds.values() for each in found]


Walk = Callable[["Visitor"], Awaitable[None]]


class Visitor:
    """A person with a clock: thinks, clicks, and notes how long it took."""

    def __init__(self, person: Person, think: float, until: float, measured: Measured) -> None:
        self.person, self.think, self.until, self.measured = person, think, until, measured
        self.chance = random.Random(person.name)

    async def click(self, name: str, act: Callable[[], Awaitable[float]], there: Callable[[], object]) -> bool:
        """Think, wait until the page shows what is clicked on, click; False once the time is over."""
        await asyncio.sleep(self.think * self.chance.uniform(0.5, 1.5))
        if time.monotonic() > self.until:
            return False
        await self.person.until(there)
        self.measured.seconds[name].append(await act())
        self.measured.waited.append(self.person.waited)
        self.measured.drawn.append(len(self.person.shown))
        return True

    async def press(self, name: str, label: str) -> bool:
        return await self.click(name, lambda: self.person.press(label), lambda: self.person.find("button", label))

    async def follow(self, page: str) -> bool:
        return await self.click(f"to {page}", lambda: self.person.follow(page),
                                lambda: self.person.find("page_link", page))

    async def set(self, name: str, kind: str, label: str, **value: object) -> bool:
        return await self.click(name, lambda: self.person.set(kind, label, **value),
                                lambda: self.person.find(kind, label))

    async def slide(self, name: str, label: str, to: int) -> bool:
        return await self.click(name, lambda: self.person.slide(label, to), lambda: self.person.find("slider", label))


async def walk(visitor: Visitor) -> None:
    """Through the whole line, again and again until the time is over."""
    turn = 0
    while True:
        turn += 1
        steps = [
            lambda: visitor.press("example data", "Try it on example data"),
            lambda: visitor.press("scan: on to preview", "Continue to preview"),
            lambda: visitor.press("preview: on to cleanup", "Continue to cleanup"),
            lambda turn=turn: visitor.set("cleanup: a switch", "checkbox", "Extreme values", bool_value=turn % 2 == 0),
            lambda: visitor.press("cleanup: on to configure", "Continue to configure"),
            lambda turn=turn: visitor.slide("configure: a slider", "Trees in a forest", turn),
            lambda: visitor.press("configure: start", "Start now"),
            lambda: visitor.follow("Jobs"), lambda: visitor.follow("Gallery"),
            lambda: visitor.press("gallery: open", "Open"), lambda: visitor.follow("Projects")]
        for step in steps:
            if not await step():
                return


async def press_on(visitor: Visitor) -> None:
    while await visitor.press("press", "Press"):
        pass


async def crowd(address: str, people: int, think: float, seconds: float, what: Walk,
                cookies: Sequence[str] = ()) -> Measured:
    """That many people for that long; cookies: of those who have signed in, one each."""
    measured = Measured()
    until = time.monotonic() + seconds

    async def one(number: int) -> None:
        person = Person(address, f"person {number}", cookies[number] if cookies else "")
        await asyncio.sleep(think * number / people)  # they do not come through the door as one
        try:
            measured.seconds["first drawing"].append(await person.open())
            await what(Visitor(person, think, until, measured))
        except (Broken, OSError) as wrong:
            measured.errors.append(str(wrong))
        finally:
            measured.polls += person.polls
            measured.errors.extend(person.errors)
            await person.close()

    await asyncio.gather(*(one(number) for number in range(people)))
    measured.first = measured.seconds.pop("first drawing")
    return measured


@contextlib.contextmanager
def bare(elements: int = 0) -> Iterator[str]:
    """The bare page on a port of its own, with so many elements that nothing is behind."""
    port = free_port()
    log = Path(tempfile.mkstemp(suffix=".log")[1])
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "bench/bare.py", "--server.port", str(port), "--",
             str(elements)], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        yield f"127.0.0.1:{port}"
    finally:
        end(process)
        log.unlink()


def finished(home: Path) -> str:
    """A project with a finished model in the gallery; its id."""
    os.environ["MEDML_HOME"] = str(home)
    from medml import project, train
    from medml.example import example_source

    source = example_source()
    made = scanned(source, "Finished")
    profile, choice = project.profile(made), project.choice(made)
    recipe, config = planned(profile, choice, "logistic", {})
    for value in (recipe, config):
        project.write(made, value)
    project.add_run(made, train.train(source, profile, recipe, config))
    return made


def prepare(home: Path, people: int) -> None:
    """Accounts, such a project of the first of them that all see, and a training that outlasts everybody."""
    made = finished(home)
    from medml import accounts, project
    from medml.store import accounts as rows

    ids = [accounts.add(f"Person {number}", "clinician", PASSWORD, teams=["ward"]).id for number in range(people)]
    for sort, thing in (("project", made), *(("run", run) for run in project.runs_of(made))):
        rows.give(sort, thing, rows.Owner(ids[0], "ward"))
    queued(made, *planned(project.profile(made), project.choice(made), "mlp",
                          {"epochs": ENDLESS, "patience": ENDLESS}))


def signed_in(app: Served, people: int) -> list[str]:
    """The cookie of each of them."""
    return [f"medml={Client(app).sign_in(f'Person {number}').token}" for number in range(people)]


def studies(place: str) -> Path:
    """The folder that people of the ward may use: an empty one, since all take the example."""
    made = Path(place) / "studies"
    made.mkdir()
    return made


def planned(profile, choice, family: str, changes: dict):
    """A recipe and a configuration as proposed, with those parameters."""
    from medml import home as places
    from medml.config import propose_config
    from medml.recipe import propose_recipe

    table, sha = profile.table(choice.table), places.sha256_of(profile)
    recipe = propose_recipe(table, choice, sha)
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family=family,
                            name=family)
    return recipe, config.model_copy(update={"params": config.params | changes})


def p95(found: list[float]) -> float:
    return float(np.percentile(found, 95)) if found else float("nan")


def told(name: str, found: list[float]) -> str:
    return f"{name:<28}{len(found):>7}{np.median(found):>10.3f}{p95(found):>10.3f}"


def report(ours: Measured, bares: list[Measured], empty: Measured, options: argparse.Namespace) -> int:
    """Print what was measured; 1 where something went wrong or took too long.

    empty  of a page with as many elements as ours have, and nothing behind them
    """
    plain = [each for found in bares for each in found.all]
    errors = [each for found in (ours, *bares, empty) for each in found.errors]
    print(f"{options.people} people, {options.think:g} s between clicks, {os.cpu_count()} cores, load "
          f"{psutil.getloadavg()[0]:.1f}, a training at work; {ours.polls:,} polls beside the clicks")
    print(f"{'click':<28}{'n':>7}{'median s':>10}{'p95 s':>10}")
    for name, found in ours.seconds.items():
        print(told(name, found))
    print(told("first drawing (no click)", ours.first))
    print(told("all clicks", ours.all))
    print(told("- until something is seen", ours.waited))
    print(told("a bare page", plain))
    print(told("- until something is seen", [each for found in bares for each in found.waited]))
    print(told(f"one of {np.mean(ours.drawn):.0f} empty elements", empty.all))
    for each in errors[:20]:
        print(f"error: {each}")
    ratio = p95(ours.all) / p95(plain)
    print(f"errors {len(errors)}, p95 {ratio:.2f} x the bare page's (at most {MOST:g}); of as many empty elements "
          f"{p95(empty.all) / p95(plain):.2f} x")
    return int(bool(errors) or ratio > MOST)


def main(arguments: list[str]) -> int:
    asked = argparse.ArgumentParser(prog="bench.load")
    asked.add_argument("--people", type=int, default=20)
    asked.add_argument("--minutes", type=float, default=3.0)
    asked.add_argument("--think", type=float, default=5.0)
    options = asked.parse_args(arguments)
    seconds, who = 60 * options.minutes, (options.people, options.think)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, bare() as plain:
        home = Path(place) / "home"
        prepare(home, options.people)
        with served(home, **SETTINGS | {"MEDML_ROOTS": str(studies(place))}) as app:
            address, cookies = app.url.removeprefix("http://"), signed_in(app, options.people)
            asyncio.run(crowd(address, 1, 0.2, 10, walk, cookies))  # the first pays for imports, as after every start
            bares = [asyncio.run(crowd(plain, *who, seconds / 3, press_on))]
            ours = asyncio.run(crowd(address, *who, seconds, walk, cookies))
            bares.append(asyncio.run(crowd(plain, *who, seconds / 3, press_on)))
            with bare(round(np.mean(ours.drawn))) as as_many:
                empty = asyncio.run(crowd(as_many, *who, seconds / 3, press_on))
    return report(ours, bares, empty, options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
