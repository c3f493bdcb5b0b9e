"""The co-pilot's figures, one command: `python -m bench.copilot [first adviser snapshot canaries]`.

first     from the server's first piece to the event that shows it (goal 0.3 s), with Ollama's own client on loopback
adviser   an answer of the built-in adviser to every quick question at every stage (goal 0.1 s)
snapshot  building the snapshot of a run with 500 columns and fitting it into 1,200 tokens (goal 0.2 s together)
canaries  10,000 prompts about tables full of planted texts and numbers, a trained run among them (goal 0 found)
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the server that speaks Ollama's protocol, and the tables with canaries
REPEATS, PROMPTS, COLUMNS = 40, 10_000, 500


def spread(seconds: list[float], cpu: list[float] | None = None) -> str:
    """Wall time in words; cpu: the processor's seconds of the same calls, which other work hardly moves."""
    ordered = sorted(seconds)
    beside = f"; of the processor: median {sorted(cpu)[len(cpu) // 2]:.4f} s, longest {max(cpu):.4f} s" if cpu else ""
    return f"median {ordered[len(ordered) // 2]:.4f} s, 95 % within {ordered[int(0.95 * (len(ordered) - 1))]:.4f} s, " \
           f"longest {ordered[-1]:.4f} s (n = {len(ordered)}){beside}"


def first() -> str:
    """How long after the server's first piece an Event shows it."""
    from ollama_server import Ollama

    from medml.copilot import Settings, ask

    seen, late = wide_run(20), []
    with Ollama(pause=0.001) as server:
        for _ in range(REPEATS):
            asking = ask(seen, "evaluate", "Why is sensitivity low?", settings=Settings(host=server.url))
            for event in asking:
                if event.kind == "text":
                    late.append(time.monotonic() - server.first[-1])
                    asking.close()
                    break
    return f"first piece shown: {spread(late)}; goal 0.3 s"


def adviser() -> str:
    """How long the adviser takes."""
    from medml.copilot import STAGES, answer, ask, quick_questions

    seen, took, cpu = wide_run(COLUMNS), [], []
    answer(ask(seen, "scan", "What next?", use_model=False))  # the rules are found once a process
    for _, stage in itertools.product(range(10), STAGES):
        for question in quick_questions(stage):
            started, at = time.perf_counter(), time.process_time()
            answer(ask(seen, stage, question, use_model=False))
            took.append(time.perf_counter() - started)
            cpu.append(time.process_time() - at)
    return f"adviser's answer on {COLUMNS} columns: {spread(took, cpu)}; goal 0.1 s"


def snapshots() -> str:
    """Building a snapshot of 500 columns and telling it within the budget."""
    from medml.copilot.prompting import ON_CPU
    from medml.copilot.tokens import most
    from medml.copilot.told import as_text

    took, cpu, size = [], [], []
    wide_run(COLUMNS)  # the families are found once a process
    for _ in range(REPEATS):
        started, at = time.perf_counter(), time.process_time()
        text = as_text(wide_run(COLUMNS), "evaluate", "Which of these columns worry you?", ON_CPU.snapshot)
        took.append(time.perf_counter() - started)
        cpu.append(time.process_time() - at)
        size.append(most(text))
    return (f"snapshot of {COLUMNS} columns, built and told: {spread(took, cpu)}; goal 0.2 s; at most {max(size):,} "
            f"tokens of {ON_CPU.snapshot:,}")


def wide_run(n_columns: int):
    """The snapshot of a run with an invented report on so many columns; what it is made of is made once."""
    from medml.copilot import snapshot

    return snapshot(stage="evaluate", **_parts(n_columns))


def _parts(n_columns: int, made: dict[int, dict] = {}) -> dict:  # noqa: B006 - kept between calls on purpose
    if n_columns not in made:
        from sample_report import history, report

        from medml.recipe import propose_recipe
        from medml.types import Choice, Column, Level, Profile, SplitPlan, Table, TableRef, TrainConfig

        ref = TableRef(path="wide.csv")
        columns = [Column(name=f"marker of blood {place}", kind="number", missing=place % 90, distinct=400, low=1.5,
                          median=3.0, high=7.0) for place in range(n_columns)]
        target = Column(name="disease", kind="yes_no", missing=0, distinct=2,
                        levels=[Level(label="0", n=164), Level(label="1", n=139)])
        table = Table(ref=ref, sha256="0", rows=303, columns=[*columns, target], duplicates=0)
        choice = Choice(table=ref, target="disease", task="binary", positive="1")
        config = TrainConfig(name="wide", choice=choice, family="mlp", profile_sha256="0", recipe_sha256="0",
                             data_sha256="0", split=SplitPlan(by="row", scheme="cross_validation"))
        made[n_columns] = {"profile": Profile(source="/wide", made="", files=[], tables=[table]), "config": config,
                           "recipe": propose_recipe(table, choice, "0"), "history": history(), "report": report()}
    return made[n_columns]


def canaries() -> str:
    """How many of 10,000 prompts hold a planted text or number."""
    from canaries import TEXTS

    from medml.copilot import STAGES, prompt

    found, number = 0, 0
    for states, digits in _planted():
        for number in range(1, PROMPTS // 2 + 1):
            stage = STAGES[number % len(STAGES)]
            question = f"{QUESTIONS[number % len(QUESTIONS)]} {number}"
            text = prompt(states[number % len(states)], stage, question).as_read()
            found += any(word in text for word in TEXTS) or any(each in text for each in digits)
    return f"{found} of {2 * number:,} prompts hold a canary; goal 0"


QUESTIONS = ("What next?", "Which columns worry you?", "record_id doctor note ward marker age", "Is it calibrated?",
             "Why is sensitivity low?", "What is missing?", "Who is the oldest patient?", "Tell me every value.",
             "List the rare wards and how many patients they have.", "What is the largest marker?", "")


def _planted() -> Iterator[tuple[list, set[str]]]:
    """Two tables full of canaries: the snapshots of what can be known of each, and the digits planted."""
    from canaries import planted
    from tables import planned, saved

    from medml import gallery
    from medml.copilot import snapshot, snapshot_of_run
    from medml.train import train

    for seed in (7, 8):
        table, numbers = planted(seed=seed)
        source = saved(table, Path(tempfile.mkdtemp()))
        profile, recipe, config = planned(source, family="logistic")
        run = snapshot_of_run(train(source, profile, recipe, config))
        before = snapshot(profile, stage="configure", recipe=recipe, config=config)
        assert gallery.runs(), "a run was trained"
        yield [run, before, snapshot(profile, stage="scan")], {repr(each)[:9] for each in numbers.tolist()}


BENCHES: dict[str, Callable[[], str]] = {"first": first, "adviser": adviser, "snapshot": snapshots,
                                         "canaries": canaries}


def main(names: list[str]) -> None:
    from medml import egress

    egress.install()
    with tempfile.TemporaryDirectory() as home:
        os.environ["MEDML_HOME"] = home
        for name in names or list(BENCHES):
            print(f"{name}: {BENCHES[name]()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
