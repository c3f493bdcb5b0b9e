"""`python -m bench.torture`: 40 real small trainings under 200 kill -9, 50 freezes and 4 full disks, in homes of their
own, and what came of them: finished, equal to uninterrupted ones, work done again, orphans, time until work went on.

    --short     2 trainings or more, until 3 kills, 1 freeze and 1 full disk were done; seconds are told, not judged
    --beside N  so many homes at a time (2)
    --minutes N after so long nothing more is done to them, and they may end in peace (none)
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from bench import tortured
from tests.at_work import of_home
from tests.machine import fill

ROOT = Path(__file__).resolve().parents[1]
GOAL_START = 15.0  # seconds from a fault to work that goes on
GOAL_AGAIN = 2.0  # seconds of work done again after a fault, or one epoch where that is longer
PATIENCE = 300.0  # seconds in which no training got any further, then it has hung


@dataclass
class Figures:
    """What happened in one home, or in all of them."""

    trainings: int = 0
    finished: int = 0
    equal: int = 0
    orphans: int = 0
    done: dict[str, int] = field(default_factory=dict)
    again: list[float] = field(default_factory=list)  # seconds of epochs done twice, one an attempt
    over: int = 0  # attempts that did more than one epoch, and more than GOAL_AGAIN, again
    epochs: list[float] = field(default_factory=list)  # the longest epoch of each training
    starts: list[float] = field(default_factory=list)  # seconds until work went on
    undone: int = 0  # faults that were to be done and were not
    no_disk: int = 0  # full disks left out, since no file system can be mounted here
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: Figures) -> None:
        for name in ("trainings", "finished", "equal", "orphans", "over", "undone", "no_disk"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("again", "epochs", "starts", "failed"):
            getattr(self, name).extend(getattr(other, name))
        self.done = dict(Counter(self.done) + Counter(other.done))
        self.seconds = max(self.seconds, other.seconds)

    def not_met(self, *, judges_times: bool) -> list[str]:
        """What was asked for and is not so, a sentence each. Seconds are judged on a quiet machine alone."""
        late = sum(each > GOAL_START for each in self.starts)
        found = {
            f"{self.trainings - self.finished} of {self.trainings} trainings did not finish":
                self.finished < self.trainings,
            f"{self.finished - self.equal} of {self.finished} finished trainings are not as the uninterrupted ones":
                self.equal < self.finished,
            f"{self.orphans} processes were left behind": self.orphans,
            f"{self.over} of {len(self.again)} attempts did more than an epoch and {GOAL_AGAIN:.0f} s again":
                judges_times and self.over,
            f"{self.undone} faults were never done: no training got any further for {PATIENCE:.0f} s": self.undone,
            f"work went on later than {GOAL_START:.0f} s after {late} of {len(self.starts)} faults":
                judges_times and late}
        return [sentence for sentence, is_so in found.items() if is_so]


@dataclass(frozen=True)
class Deck:
    """What is done to one home."""

    trainings: int
    kills: int
    freezes: int
    full_disks: int
    seed: int
    minutes: float

    def acts(self) -> list[str]:
        """In a random order; a full disk not first."""
        drawn = random.Random(self.seed)
        kinds = drawn.choices(["child", "worker", "app", "all"], weights=[50, 30, 12, 8], k=self.kills)
        stops = drawn.choices(["freeze child", "freeze worker", "freeze all"], weights=[3, 1, 1], k=self.freezes)
        acts = [*kinds, *stops, *["full disk"] * self.full_disks]
        drawn.shuffle(acts)
        return acts


def main(arguments: list[str] | None = None) -> int:
    """Torture, print, 0 where all came out as the goals say; what did not is told last."""
    parser = argparse.ArgumentParser(prog="python -m bench.torture", description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--beside", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", metavar="JSON", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.one:
        place, deck = json.loads(args.one)
        print(json.dumps(asdict(torture(Path(place), Deck(**deck)))))
        return 0
    decks = [Deck(2, 3, 1, 1, args.seed, args.minutes)] if args.short else shares(args)
    with tempfile.TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as place:
        figures = beside(Path(place), decks)
    tell(figures)
    missed = figures.not_met(judges_times=not args.short)
    for each in missed:
        print(f"NOT MET: {each}")
    return 1 if missed else 0


def shares(args: argparse.Namespace) -> list[Deck]:
    """The whole of it, divided over the homes."""
    each = [-(-n // args.beside) for n in (40, 200, 50, 4)]
    return [Deck(*each, args.seed + number, args.minutes) for number in range(args.beside)]


def beside(place: Path, decks: list[Deck]) -> Figures:
    """Every home in a process of its own, since a process has one home."""
    started = []
    for number, deck in enumerate(decks):
        order = json.dumps([str(place / str(number)), asdict(deck)])
        started.append(subprocess.Popen([sys.executable, "-m", "bench.torture", "--one", order], cwd=ROOT,
                                        stdout=subprocess.PIPE, text=True))
    whole = Figures()
    for each in started:
        told, _ = each.communicate()
        whole.add(Figures(**json.loads(told.splitlines()[-1])))
    return whole


def tell(found: Figures) -> None:
    acts = ", ".join(f"{n} x {name}" for name, n in sorted(found.done.items()))
    kills = sum(found.done.get(name, 0) for name in ("child", "worker", "app", "all"))
    freezes = sum(n for name, n in found.done.items() if name.startswith("freeze"))
    longest = max(found.epochs, default=0.0)
    print(f"finished              {found.finished} of {found.trainings}")
    print(f"equal to uninterrupted {found.equal} of {found.trainings}")
    print(f"kill -9               {kills}; freezes {freezes}; full disks {found.done.get('full disk', 0)}  ({acts})")
    if found.no_disk:
        print(f"  left out: {found.no_disk} full disks, since no file system can be mounted here")
    print(f"most work done again  {max(found.again, default=0.0):.2f} s after a fault (goal: one epoch, here up to "
          f"{longest:.2f} s, or {GOAL_AGAIN:.0f} s); over the goal {found.over} of {len(found.again)} attempts")
    print(f"work went on after    {max(found.starts, default=0):.1f} s at most, {median(found.starts):.1f} s in the "
          f"middle (goal: {GOAL_START:.0f} s)")
    print(f"orphans               {found.orphans}")
    for each in found.failed:
        print(f"  not finished: {each}")
    print(f"took                  {found.seconds / 60:.1f} min")


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


# ---- one home --------------------------------------------------------------------------------------------------

def torture(place: Path, deck: Deck) -> Figures:
    """Trainings in one home until all have ended and everything on the deck was done."""
    began = time.monotonic()
    place.mkdir(parents=True)
    lines = place / "epochs.txt"
    os.environ |= {"MEDML_JOBS": str(ROOT / "bench" / "kinds"), "MEDML_TORTURE_TOLD": str(lines), "MEDML_LEASE": "4",
                   "MEDML_LEAST_FREE_GB": "0", "MEDML_IDLE": "600", "MEDML_THREADS": "1", "OMP_NUM_THREADS": "1",
                   "PYTHONPATH": str(ROOT)}
    plans = tortured.plans(place / "own", place / "plain", seeds=min(2, deck.trainings // 2))
    with tortured.disk(place / "home", f"{64 + 8 * deck.trainings}m") as is_small:  # a run is 5 MB
        os.environ["MEDML_HOME"] = str(place / "home")
        tortured.same_machine(place / "plain", place / "home")
        victim = Victim(place / "home", lines, plans, is_small)
        for _ in range(deck.trainings):
            victim.train_another()
        try:
            victim.suffer(deck)
            figures = victim.figures()
        finally:
            victim.end()
        figures.orphans += len(of_home(str(place / "home")))
    again_and_epochs(lines, figures)
    figures.seconds = time.monotonic() - began
    return figures


def again_and_epochs(lines: Path, figures: Figures) -> None:
    """What each attempt did although one before it had done it; the longest epoch of a job. An epoch that is done twice
    counts with the shorter of both times: a freeze makes one as long as it lasts."""
    done: dict[tuple[str, ...], tuple[str, float]] = {}
    longest, again = defaultdict(float), defaultdict(list)
    for line in lines.read_text().splitlines():
        job, attempt, fit, epoch, seconds = line.split()
        longest[job] = max(longest[job], float(seconds))
        first, before = done.setdefault((job, fit, epoch), (attempt, float(seconds)))
        again[job, attempt] += [] if first == attempt else [min(before, float(seconds))]
    twice = [each for (_, attempt), each in again.items() if attempt != "1"]
    figures.again = [sum(each) for each in twice]
    figures.over = sum(len(each) > 1 and sum(each) > GOAL_AGAIN for each in twice)
    figures.epochs = list(longest.values())


class Victim:
    """One home with its app, its worker and its jobs, and what is done to them."""

    def __init__(self, home: Path, lines: Path, plans: list[tortured.Plan], is_small: bool) -> None:
        import worker
        from medml import store

        self.home, self.lines, self.plans, self.is_small = home, lines, plans, is_small
        self.worker, self.store = worker, store
        self.jobs: list[str] = []
        self.figure = Figures()
        self.app: subprocess.Popen | None = None

    def train_another(self) -> None:
        """One more training in the queue."""
        number = len(self.jobs)
        self.jobs.append(tortured.submit(self.plans[number % len(self.plans)], number))
        self.figure.trainings += 1

    def suffer(self, deck: Deck) -> None:
        """The deck, paced over the trainings, and over more of them where those end before it does; then until all
        have ended."""
        drawn, acts, at = random.Random(deck.seed), deck.acts(), 0
        hope = began = time.monotonic()
        stood: tuple = ()
        while (ended := self.ended()) < len(self.jobs) or at < len(acts):
            self.revive()
            if stood != (now := self.stand()):
                hope, stood = time.monotonic(), now
            if time.monotonic() - hope > PATIENCE:
                self.figure.undone = len(acts) - at
                return
            acts = acts if time.monotonic() - began < deck.minutes * 60 else acts[:at]
            if ended == len(self.jobs) and at < len(acts):
                self.train_another()
            if at < min(len(acts), len(acts) * (ended + 0.9) / deck.trainings) and self.may(acts[at]):
                self.let_it_learn(drawn)
                at += self.may(acts[at]) and self.strike(acts[at], drawn)
                print(f"{ended} of {len(self.jobs)} ended, {at} of {len(acts)} faults", file=sys.stderr, flush=True)
            time.sleep(0.05)

    def ended(self) -> int:
        """How many trainings have ended."""
        return sum(self.store.get(each).ended_for_good for each in self.jobs)

    def stand(self) -> tuple:
        """Changes with every training that gets further, begins again or ends."""
        return self.told(), [(job.state, job.attempt, job.fraction) for job in map(self.store.get, self.jobs)]

    def let_it_learn(self, drawn: random.Random) -> None:
        """Three faults of four come while epochs are done, the fourth while all is being read and prepared. Nobody
        waits for more of a training that has ended."""
        told, epochs, longer = self.told(), drawn.random() < 0.75, drawn.uniform(0.0, 2.0)
        if epochs:
            self.wait(20.0, lambda: self.told() > told)
        self.wait(longer)

    def wait(self, seconds: float, over: Callable[[], bool] = lambda: False) -> None:
        """As long as a training runs."""
        deadline = time.monotonic() + seconds
        while self.running() is not None and time.monotonic() < deadline and not over():
            time.sleep(0.02)

    def told(self) -> int:
        """Grows with every epoch that is done."""
        return self.lines.stat().st_size if self.lines.exists() else 0

    def running(self):
        """The training under way; None between two."""
        found = [each for each in map(self.store.get, self.jobs) if each.state == "running" and each.pid]
        return found[0] if found else None

    def may(self, act: str) -> bool:
        """A child is struck where its job has got further since, or may still afford it: three in a row without
        getting any further are a reason to give up, and MedML does."""
        job = self.running()
        if act in ("child", "freeze child"):
            return job is not None and (job.fruitless < 1 or bool(job.gained))
        return job is not None

    def strike(self, act: str, drawn: random.Random) -> bool:
        """One fault, and the time until work goes on; False where whom it was meant for had ended just now."""
        before = self.beats()
        victims = self.victims(act)
        if act == "full disk" and not self.is_small:
            self.figure.no_disk += 1
            return True
        if act == "full disk":
            self.fill(drawn.uniform(1.0, 3.0))
        elif not victims:
            return False
        elif act.startswith("freeze"):
            freeze(victims, drawn.uniform(0.5, 6.0))
        else:
            for each in victims:
                with contextlib.suppress(psutil.Error):
                    each.kill()
        self.figure.done[act] = self.figure.done.get(act, 0) + 1
        if act in ("worker", "all"):
            self.none_left()
        began = time.monotonic()
        while not self.goes_on(before) and time.monotonic() - began < 120:
            self.revive()
            time.sleep(0.05)
        self.figure.starts.append(time.monotonic() - began)
        return True

    def victims(self, act: str) -> list[psutil.Process]:
        name, found = act.removeprefix("freeze "), []
        everybody = of_home(str(self.home))
        job = self.running()
        if name == "child" and job is not None:
            found = [each for each in everybody if each.pid == job.pid]
        if name == "worker":
            found = [each for each in everybody if tortured.is_worker(each)]
        if name == "app":
            found = [each for each in everybody if self.app is not None and each.pid == self.app.pid]
        return everybody if name == "all" else found

    def none_left(self) -> None:
        """Whoever a killed worker had started is gone within seconds."""
        old = [each for each in of_home(str(self.home)) if tortured.is_left(each)]
        _, left = psutil.wait_procs(old, timeout=GOAL_START)
        self.figure.orphans += sum(tortured.is_at_work(each) for each in left)

    def beats(self) -> dict[str, tuple]:
        return {each: (job.attempt, job.beat) for each in self.jobs if (job := self.store.get(each)).state == "running"}

    def goes_on(self, before: dict[str, tuple]) -> bool:
        """A child is at work and has said so since, or nothing is left to do."""
        job = self.running()
        if job is None:
            return all(self.store.get(each).ended_for_good for each in self.jobs)
        alive = self.worker.processes.alive(job.pid, job.pid_started)
        return alive and before.get(job.id) != (job.attempt, job.beat)

    def revive(self) -> None:
        """What a person does who finds the app closed: start it again."""
        if self.app is None or self.app.poll() is not None:
            self.app = tortured.start_app()
        self.worker.ensure_running()

    def fill(self, seconds: float) -> None:
        """Leave not one byte free for some seconds."""
        ballast = self.home / "ballast"
        fill(ballast)
        time.sleep(seconds)
        ballast.unlink()

    def figures(self) -> Figures:
        """What came of every training, with all that was counted on the way."""
        for number, each in enumerate(self.jobs):
            job = self.store.get(each)
            if job.state == "done":
                self.figure.finished += 1
                self.figure.equal += tortured.told_of(job.result["run"]) == self.plans[number % len(self.plans)].told
            else:
                self.figure.failed.append(f"{job.state}: {(job.error or {}).get('what', job.message)}")
        return self.figure

    def end(self) -> None:
        """Close app and worker as a machine does that is shut down; what is left after that is an orphan."""
        for each in of_home(str(self.home)):
            if tortured.is_worker(each) or (self.app is not None and each.pid == self.app.pid):
                with contextlib.suppress(psutil.Error):
                    each.terminate()
        deadline = time.monotonic() + GOAL_START
        while of_home(str(self.home)) and time.monotonic() < deadline:
            if self.app is not None:
                self.app.poll()
            time.sleep(0.1)


def freeze(victims: list[psutil.Process], seconds: float) -> None:
    """SIGSTOP, a while, SIGCONT."""
    for each in victims:
        with contextlib.suppress(psutil.Error):
            each.suspend()
    time.sleep(seconds)
    for each in victims:
        with contextlib.suppress(psutil.Error):
            each.resume()


if __name__ == "__main__":
    if shutil.which("umount") is None:
        sys.stderr.write("No file system can be mounted here: full disks are left out.\n")
    sys.exit(main())
