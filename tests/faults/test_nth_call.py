"""open, replace, fsync or SQLite fail at the Nth call, N = 1 to 60, on every way in which MedML writes: the old state
or the new one, nothing half, nothing left lying about, and the next call works."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packed import twin
from tables import clinic, planned, saved

from medml import (
    accounts,
    audit,
    backup,
    copilot,
    gallery,
    home,
    leftovers,
    one_file,
    project,
    publish,
    quiet,
    store,
    train,
    tried,
    vault,
)
from medml.errors import UserError
from medml.export import kept
from medml.export import record as exporting
from medml.exported import Parity
from medml.loop import Checkpoints, unpack
from medml.store import database, whole
from medml.types import SplitPlan
from tests.faults.failing import Nth, refusing
from tests.faults.test_upgrade import FIRST, STEP

MOST = 60
JOB = "job-of-the-test"


@dataclass
class Way:
    """One way of writing: what is there before, the act, and what anybody can see of it."""

    act: Callable[[], Any]
    seen: Callable[[], Any]
    before: Callable[[], Any] = lambda: None
    also: Callable[[Any, Any], list[Any]] = lambda old, new: []  # where the disk takes nothing more from there on


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with a project, a network with two checkpoints, and what a training hands over when it ends."""
    place = tmp_path_factory.mktemp("nth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(place / "home"))
        source = saved(clinic(60), place / "own")
        profile, recipe, config = planned(source, family="mlp", params={"epochs": 2, "patience": 5}, split=SplitPlan(
            by="patient", scheme="cross_validation", folds=2))
        kept = SimpleNamespace(profile=profile, recipe=recipe, config=config)
        catch(patch, kept)
        kept.run = train.train(source, profile, recipe, config)
        train.continue_run(kept.run, 1)
        kept.project = project.create(source).id
        for value in (profile, config.choice, recipe, config):
            project.write(kept.project, value)
        kept.template, kept.place = place / "home", place
        yield kept


def catch(patch: pytest.MonkeyPatch, kept: SimpleNamespace) -> None:
    """Keep what `publish` is given."""
    for name in ("new_run", "new_checkpoint", "begun"):
        patch.setattr(publish, name, caught(kept, name, getattr(publish, name)))


def caught(kept: SimpleNamespace, name: str, plain: Callable) -> Callable:
    def call(*given: Any, **more: Any) -> Any:
        setattr(kept, name, (given, more))
        return plain(*given, **more)
    return call


@pytest.fixture
def afresh(made, tmp_path, monkeypatch):
    """A function that sets MEDML_HOME to the module's home as it was made."""
    place = tmp_path / "home"
    monkeypatch.setenv("MEDML_HOME", str(place))

    def set_up() -> Path:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(made.template, place, copy_function=near)
        return place
    return set_up


def near(source: str, to: str) -> None:
    """Files that are only ever replaced are linked: copying them for every N took most of the time."""
    if Path(source).name.startswith(("medml.db", "queue.db")):
        shutil.copyfile(source, to)
    else:
        os.link(source, to)


# ---- the ways --------------------------------------------------------------------------------------------------

def of_projects(made) -> dict[str, Way]:
    known = lambda: [str(project.read(made.project, each)) for each in project.FILES]  # noqa: E731
    other = made.recipe.model_copy(update={"steps": made.recipe.steps[:-1]})
    rescanned = made.profile.model_copy(update={"tables": []})
    return {
        "recipe": Way(lambda: project.write(made.project, other), known, also=earlier(2)),
        "profile": Way(lambda: project.write(made.project, rescanned), known, also=earlier(0)),
        "config": Way(lambda: project.write(made.project, made.config.model_copy(update={"seed": 5})), known),
        "rename": Way(lambda: project.rename(made.project, "Another"), lambda: project.get(made.project).name),
        "create": Way(lambda: project.create(made.place / "own", "Second"), lambda: len(project.all_projects())),
        "add run": Way(lambda: project.add_run(made.project, made.run), lambda: project.runs_of(made.project)),
        "delete": Way(lambda: project.delete(made.project), lambda: len(project.all_projects())),
    }


def earlier(place: int) -> Callable[[Any, Any], list[Any]]:
    """States in which what comes after file number `place` of the line is missing: an earlier stage, nothing half."""
    def states(old: list[str], new: list[str]) -> list[list[str]]:
        return [[*side[:place + 1], *later] for side in (old, new)
                for later in product(*((each, "None") for each in side[place + 1:]))]
    return states


def of_runs(made) -> dict[str, Way]:
    listed = lambda: sorted((each.run, each.name, each.unusable, each.checkpoints) for each in gallery.runs())  # noqa: E731
    current = lambda: gallery.open_run(made.run).chain  # noqa: E731
    return {
        "publish": Way(lambda: published(made), listed),
        "checkpoint": Way(lambda: linked(made), lambda: [each.run for each in gallery.runs()] +
                          [len(current().checkpoints), current().current]),
        "revert": Way(lambda: gallery.revert(made.run, 0), lambda: current().current),
        "rename run": Way(lambda: gallery.rename(made.run, name="New"), listed),
        "delete run": Way(lambda: gallery.delete(made.run), listed),
        "pack": Way(lambda: one_file.pack(made.run), listed),
        "bring": Way(lambda: one_file.bring(io.BytesIO(twin(made.run))), listed),
    }


def published(made) -> str:
    """What a training does when it ends."""
    given, _ = made.begun
    with publish.begun(JOB, *given[1:]) as part:
        return publish.new_run(part, **(made.new_run[1] | {"job": JOB}))


def linked(made) -> None:
    """What a continued training does when it ends."""
    opened = gallery.open_run(made.run)
    if publish.checkpoint_of_job(opened, JOB) is None:
        publish.new_checkpoint(opened, **(made.new_checkpoint[1] | {"job": JOB}))


def of_the_database(made) -> dict[str, Way]:
    def state():
        found = store.jobs()
        return [(each.id, each.state, each.attempt, each.fraction, each.result) for each in found]

    def worked():
        job = store.get(JOB) if JOB in {each.id for each in store.jobs()} else None
        return None if job is None else (job.state, job.token, job.beat, len(store.progress_since(JOB)))

    claimed = lambda: store.claim("train", "me", 30)  # noqa: E731
    submitted = lambda: store.submit(JOB, "train", "train", {})  # noqa: E731
    answer = copilot.Answer(text="- a", tier="adviser")
    spoken = store.Progress(0, 0.0, 0, "fit", 0.5, "half")
    return {
        "submit": Way(submitted, state),
        "claim": Way(claimed, state, submitted),
        "pulse": Way(lambda: store.pulse(JOB, 1, spoken), worked, lambda: (submitted(), claimed())),
        "finish": Way(lambda: store.finish(JOB, 1, "done", result={"run": "r"}), state,
                      lambda: (submitted(), claimed())),
        "give back": Way(lambda: store.give_back(JOB, 1), state, lambda: (submitted(), claimed())),
        "stop": Way(lambda: store.ask_stop(JOB), state, submitted),
        "turn": Way(lambda: copilot.remember(made.project, "scan", "Enough?", answer),
                    lambda: [each.question for each in copilot.turns(made.project)]),
        "audit": Way(lambda: audit.add(person="p1", name="Eva", act="opened"),
                     lambda: len(audit.entries()), lambda: audit.add(person="p1", name="Eva", act="began")),
    }


def of_copies(made) -> dict[str, Way]:
    def laid_older():
        for each in home.home().glob("medml.db*"):
            each.unlink()
        with closing(sqlite3.connect(store.path())) as db:
            db.executescript(FIRST.read_text())

    def damaged():
        whole.keep_copy()
        store.path().write_bytes(b"no database" * 500)

    def empty():
        if not (made.place / "kept.backup").exists():
            backup.backup(made.place / "kept.backup")
        shutil.rmtree(home.home())
        home.home()

    version = lambda: sqlite3.connect(store.path()).execute("PRAGMA user_version").fetchone()[0]  # noqa: E731
    return {
        "steps": Way(store.jobs, version, laid_older),
        "nightly copy": Way(whole.keep_copy, lambda: [whole.is_sound(each) for each in database.copies()]),
        "mend": Way(whole.see_to_it, lambda: bool(whole.is_whole() and store.jobs() is not None), damaged),
        "backup": Way(lambda: backup.backup(home.home().parent / "a.backup"),
                      lambda: (home.home().parent / "a.backup").exists(), lambda: cleared(made)),
        "restore": Way(lambda: backup.restore(made.place / "kept.backup"),
                       lambda: sorted(each.name for each in home.home().iterdir() if each.suffix not in
                                      (".lock", ".part") and not each.name.startswith("medml.db")), empty),
    }


def cleared(made) -> None:
    (home.home().parent / "a.backup").unlink(missing_ok=True)


def of_keys(made) -> dict[str, Way]:
    made.session = SimpleNamespace(finished=True)
    return {"key": Way(lambda: home.secret("fresh"), lambda: sorted(os.listdir(home.home() / "keys"))),
            "epoch": Way(lambda: written(made, 2), lambda: unpack(place_of().read_bytes())[0]["epoch"],
                         lambda: written(made, 1))}


def of_the_ward(made) -> dict[str, Way]:
    """What is noted beside a project: accounts, quiet hours, what was tried, a look at the part kept closed."""
    listed = lambda: [(each.name, each.role) for each in accounts.everybody()]  # noqa: E731
    added = lambda: accounts.add("eva", "clinician", None, subject="s-1") if not listed() else None  # noqa: E731
    sha, target = made.config.data_sha256, made.config.choice.target
    return {
        "account": Way(added, listed),
        "quiet hours": Way(lambda: quiet.keep(quiet.parsed("08:00-18:00")), quiet.hours),
        "stop by hand": Way(lambda: tried.count_stop(sha, target, JOB), lambda: tried.stops(sha, target)),
        "look": Way(lambda: vault.record(made.config, made.run, 0, {}, job=JOB), lambda: len(
            vault.read(made.config).looks)),
    }


def of_files(made) -> dict[str, Way]:
    """What is handed out, and what is brought in."""
    from medml.vision import weights

    def exported() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kept, "package", lambda run, watch: as_converted(run))
            patch.setattr(kept, "capsule", lambda found: b"a capsule")
            kept.make(made.run)

    def brought(scaling: str) -> None:
        import torch

        (made.place / "own.pt").write_bytes(scaling.encode())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(weights, "body", lambda found: {"w": torch.full((3,), float(len(scaling)))})
            weights.bring(made.place / "own.pt", "resnet18", scaling=scaling)

    def there() -> Any:
        found = weights.find("resnet18")
        return None if found is None else (found.mean, found.sha256)
    none = lambda old, new: [None]  # noqa: E731 - where nothing can be written any more they are taken away
    return {
        "export": Way(exported, lambda: sorted(kept.ready(gallery.open_run(made.run)))),
        "weights": Way(lambda: brought("minus one to one"), there),
        "other weights": Way(lambda: brought("minus one to one"), there, lambda: brought("imagenet"), also=none),
    }


def as_converted(run: str) -> SimpleNamespace:
    """What `package` hands on, its comparison written down: converting takes long and writes nothing."""
    opened = gallery.open_run(run)
    compared = exporting.keep(SimpleNamespace(run=opened, steps=None), Parity(n_rows=500, n_missing=0, n_unseen=0,
                                                                              difference=0.0), b"onnx", "a hash")
    return SimpleNamespace(run=opened, record=compared, files=lambda: {"model.onnx": b"onnx"})


def place_of() -> Path:
    return home.work_folder(JOB) / "checkpoint.medml"


def written(made, epoch: int) -> None:
    """A checkpoint of a network in training."""
    import numpy as np

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medml.loop.snapshot", lambda session: ({"epoch": epoch}, {"last.w": np.ones(3)}))
        Checkpoints(home.work_folder(JOB), "p").maybe(made.session)


def ways(made) -> dict[str, Way]:
    return of_projects(made) | of_runs(made) | of_the_database(made) | of_copies(made) | of_keys(made) | \
        of_the_ward(made) | of_files(made)


NAMES = ("recipe", "profile", "config", "rename", "create", "add run", "delete", "publish", "checkpoint", "revert",
         "rename run", "delete run", "pack", "bring", "submit", "claim", "pulse", "finish", "give back", "stop", "turn",
         "audit", "steps", "nightly copy", "mend", "backup", "restore", "key", "epoch", "account",
         "quiet hours", "stop by hand", "look", "export", "weights", "other weights")


@pytest.mark.parametrize("name", NAMES)
def test_a_call_that_fails_leaves_the_old_state_or_the_new_one(made, afresh, monkeypatch, name):
    way = ways(made)[name]
    monkeypatch.setattr(database, "LOCKED_AFTER", 2.0)
    monkeypatch.setattr(leftovers, "OLD", -1.0)
    if name == "steps":
        monkeypatch.setattr(database, "STEPS", [*database.STEPS, STEP])
    old, new, calls = both_states(way, afresh)
    assert calls and (old != new or name in ("pack", "mend"))
    for n in numbers(min(calls, MOST)):
        suffer(way, afresh, n, old, new, code=errno.ENOSPC if n % 3 == 0 else errno.EIO)
    suffer(way, afresh, 1 + calls // 2, old, new, on=True)


def numbers(most: int) -> list[int]:
    """Every call; of ways with many, which write many files alike, every third from the twentieth on, unless
    MEDML_EVERY_CALL says all."""
    every = most <= 30 or os.environ.get("MEDML_EVERY_CALL")
    return list(range(1, most + 1)) if every else [*range(1, 20), *range(20, most - 4, 3), *range(most - 4, most + 1)]


def both_states(way: Way, afresh) -> tuple[Any, Any, int]:
    """(state before, state after, calls in between) where nothing fails."""
    place = afresh()
    way.before()
    old = seen(way)
    with refusing(Nth(place.parent, 10**9)) as nth:
        way.act()
    return old, seen(way), nth.asked


def seen(way: Way) -> Any:
    try:
        return way.seen()
    except (UserError, FileNotFoundError) as error:
        return type(error).__name__


def suffer(way: Way, afresh, n: int, old: Any, new: Any, *, code: int = errno.EIO, on: bool = False) -> None:
    place = afresh()
    way.before()
    with ExitStack() as stack:
        stack.enter_context(refusing(Nth(place.parent, n, code, on=on)))
        try:
            way.act()
        except (UserError, OSError, sqlite3.Error):
            pass  # told; what matters is what is left
    after = seen(way)
    assert after in (old, new, *(way.also(old, new) if on else ())), f"half after call {n}: {after}"
    if after != new:
        way.act()
        assert seen(way) in (new, *(way.also(new, new) if on else ())), f"the call after failed call {n} does nothing"
    leftovers.sweep()
    left = [each.name for each in place.parent.rglob(".*")]
    assert not left, f"left after call {n}: {left}"
