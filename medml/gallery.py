"""Finished runs under home()/runs: list, open, rename, revert, delete. Files alone, so it works anywhere.

    runs/<run>/ manifest.json profile.json recipe.json config.json      what it was made from; never changed
                label.json chain.json                                   its name; which checkpoint is current
                private/split.npz                                       folds by keyed hash of case and patient
                checkpoints/<n>/ report.json history.json keys.json     figures of this link of the chain
                                 final/ folds/<repeat>-<fold>/          the models: matrices and weights
                                 private/oof.npz                        out-of-fold probabilities, no label, no input
                                 files.json                             sha256 of every file of the link

manifest.json has the hashes of the files beside it that never change, chain.json those of each link's files.json.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from pydantic import TypeAdapter, ValidationError

from medml import brought, exported, external, forecast, home, picked, rights, seals, store, tried, vault
from medml.errors import UserError
from medml.evaluate import headline
from medml.recipe.target import ABOVE_ZERO
from medml.types import Chain, Checkpoint, Label, Manifest, Metric, Point, Profile, Recipe, Report, Task, TrainConfig

DIVIDED = ("They were judged on different divisions of the same patients, so a small difference may come from that "
           "alone.")
HISTORY = TypeAdapter(list[Point])


@dataclass(frozen=True, slots=True)
class Summary:
    """One card of the gallery. `unusable` says in plain words why a run cannot be opened, else it is empty."""

    run: str
    name: str
    notes: str = ""
    family: str = ""
    task: Task | None = None
    target: str = ""
    source_file: str = ""
    made: str = ""
    seconds: float = 0.0
    n_cases: int = 0
    n_patients: int = 0
    headline_name: str = ""
    headline: Metric | None = None
    checkpoints: int = 0
    stamps: tuple[str, ...] = ()
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run as it stands at its current checkpoint."""

    run: str
    folder: Path
    manifest: Manifest
    profile: Profile
    recipe: Recipe
    config: TrainConfig
    chain: Chain
    label: Label
    report: Report
    history: list[Point]

    @property
    def checkpoint(self) -> Checkpoint:
        """The link of the chain that is current."""
        return next(each for each in self.chain.checkpoints if each.number == self.chain.current)

    @property
    def checkpoint_folder(self) -> Path:
        return checkpoint_folder(self.folder, self.chain.current)

    @property
    def came_in_a_file(self) -> bool:
        """Whether it was made in another Gallery: such a run names its folder without saying where it lies."""
        return not any(kind(self.profile.source).is_absolute() for kind in (PurePosixPath, PureWindowsPath))

    @property
    def source(self) -> Path:
        """The folder or file that it was made from. UserError where the run came in a file: that says the name alone,
        and what is called so here is another's."""
        place = Path(self.profile.source)
        if self.came_in_a_file:
            raise UserError(what="This model came in a file, which does not say where its own data lie.",
                            fix="Do this where the model was made.", code="missing")
        return place

    def sealed(self, part: str) -> Path:
        """A file or folder of the current checkpoint, every byte of it compared with the hashes of the day it was
        saved. UserError if one changed or is gone."""
        with _in_words():
            seals.check(self.checkpoint_folder, self.checkpoint.files_sha256, part)
        return self.checkpoint_folder / part


def checkpoint_folder(run_folder: Path, number: int) -> Path:
    return run_folder / "checkpoints" / str(number)


def runs() -> list[Summary]:
    """Every finished run that one may see, newest first; half-written folders (names that start with a dot) are not
    listed."""
    seen = rights.seen("run")
    found = [_summary(folder) for folder in home.runs_folder().iterdir()
             if folder.is_dir() and not folder.name.startswith(".") and seen(folder.name)]
    return sorted(found, key=lambda each: each.made, reverse=True)


def is_there(run: str) -> bool:
    """Whether a run of that id is in the gallery, whole or not, for one to see."""
    return bool(run) and Path(run).name == run and (home.runs_folder() / run).is_dir() and rights.sees("run", run)


def open_run(run: str, checkpoint: int | None = None) -> Run:
    """A run at its current checkpoint (or at the one given). UserError if it is gone or not whole."""
    folder = folder_of(run)
    with _in_words():
        chain = home.read_model(folder / "chain.json", Chain)
        if checkpoint is not None:
            chain = chain.model_copy(update={"current": checkpoint})
        at = checkpoint_folder(folder, chain.current)
        manifest = home.read_model(folder / "manifest.json", Manifest)
        config = home.read_model(folder / "config.json", TrainConfig)
        report = external.with_external(home.read_model(at / "report.json", Report), folder, chain.current)
        report = picked.with_picked(report, folder, chain.current)
        report = forecast.with_forecast(report, folder, chain.current)
        report = brought.with_brought(exported.with_export(report, folder, chain.current), folder,
                                      kept_closed=config.split.scheme == "held_out")
        opened = Run(run=run, folder=folder, manifest=manifest, config=config.judged_by(report.positive), chain=chain,
                   profile=home.read_model(folder / "profile.json", Profile),
                   recipe=home.read_model(folder / "recipe.json", Recipe),
                   label=home.read_model(folder / "label.json", Label),
                   report=report if brought.is_brought(folder) else vault.with_looks(report, run, config,
                                                                                     chain.current),
                   history=HISTORY.validate_json((at / "history.json").read_bytes()))
        seals.compare(folder, manifest.files, "profile.json", "recipe.json", "config.json")
        seals.check(at, opened.checkpoint.files_sha256, "report.json", "history.json")
    return opened


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """A file that is not there, or not as this version writes it, as a UserError."""
    try:
        yield
    except FileNotFoundError as absent:
        if {Path(absent.filename or "").parent.name, Path(absent.filename or "").name} & {"private"}:
            raise brought.no_private_part() from absent
        raise UserError(what="Files of this model are missing: it was not saved completely, or they were removed.",
                        fix="Bring them back from a backup, or delete it in the Gallery and train again.",
                        code="incomplete_artefact", detail=Path(absent.filename or "").name) from absent
    except ValidationError as damaged:
        raise UserError(what="This model was saved by another version of MedML, or its files are damaged.",
                        fix="Open it with the version that made it, or train again; your data is unchanged.",
                        code="newer_format", detail=f"{damaged.title}: {damaged.error_count()} fields") from damaged


def _chain_of(folder: Path) -> Chain:
    with _in_words():
        return home.read_model(folder / "chain.json", Chain)


@contextlib.contextmanager
def changing(run: str) -> Iterator[Path]:
    """Around whatever changes a run: one process at a time, and only while the run is there; yields its folder.

    raises  UserError if the run is gone, or held by another program for 30 seconds
    """
    with store.only_one("runs", wait=30.0, everywhere=True) as free:
        if not free:
            raise store.locked()
        folder = folder_of(run)
        rights.require("change", "run", run)
        yield folder


def revert(run: str, to: int | None = None) -> Checkpoint:
    """Make an earlier checkpoint the current one: final model, fold states and figures together. Nothing is lost.

    to  its number; None: the one that the current checkpoint went on from
    """
    with changing(run) as folder:
        return _revert(folder, to)


def _revert(folder: Path, to: int | None) -> Checkpoint:
    chain = _chain_of(folder)
    current = next(each for each in chain.checkpoints if each.number == chain.current)
    wanted = current.parent if to is None else to
    found = [each for each in chain.checkpoints if each.number == wanted]
    if not found:
        numbers = ", ".join(str(each.number) for each in chain.checkpoints)
        raise UserError(what=f"This run has no checkpoint {'before this one' if to is None else to}.",
                        fix=f"Choose one of: {numbers}.", code="no_checkpoint")
    home.write_model(folder / "chain.json", chain.model_copy(update={"current": found[0].number}))
    return found[0]


def add_checkpoint(run: str, part: Path, checkpoint: Checkpoint) -> Checkpoint:
    """Put a finished folder in place as the next link of a run's chain and make it current; return it, numbered.

    The number is taken from the chain as it is now: two that go on from the same run both keep what they made. Of two
    attempts at one job the first is kept.
    """
    with changing(run) as folder:
        chain = _chain_of(folder)
        ours = [each for each in chain.checkpoints if checkpoint.job is not None and each.job == checkpoint.job]
        if ours:
            shutil.rmtree(part)
            return ours[0]
        numbered = checkpoint.model_copy(update={"number": 1 + max(each.number for each in chain.checkpoints)})
        place = checkpoint_folder(folder, numbered.number)
        shutil.rmtree(place, ignore_errors=True)  # in place but not in the chain: a kill between rename and chain
        os.replace(part, place)
        home.sync_folder(place.parent)
        try:
            home.write_model(folder / "chain.json",
                             Chain(current=numbered.number, checkpoints=[*chain.checkpoints, numbered]))
        except OSError:
            shutil.rmtree(place, ignore_errors=True)
            raise
    return numbered


def rename(run: str, *, name: str | None = None, notes: str | None = None) -> Label:
    """Change what a person calls a run, or their notes on it."""
    path = folder_of(run) / "label.json"
    rights.require("change", "run", run)
    label = home.read_model(path, Label)
    changes = {key: value for key, value in (("name", name), ("notes", notes)) if value is not None}
    if not (changes.get("name", label.name)).strip():
        raise UserError(what="A run needs a name.", fix="Type a name of at least one letter.", code="no_name")
    label = label.model_copy(update=changes)
    home.write_model(path, label)
    return label


def delete(run: str) -> None:
    """Remove a run for good: its jobs are stopped, it leaves the list at once, by one rename, and then the disk.

    That it was tried is not forgotten (E3).
    """
    folder = folder_of(run)
    rights.require("delete", "run", run)
    for job in store.jobs(state=store.GOING):
        if job.payload.get("run") == run:
            store.ask_stop(job.id)
    with store.only_one("runs", wait=30.0, everywhere=True) as free:
        if not free:
            raise store.locked()
        going = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.deleted")
        folder.rename(going)
        try:
            _count(going)
        except OSError:
            going.rename(folder)  # what was tried must be counted, else it stays
            raise
    shutil.rmtree(going, ignore_errors=True)  # what cannot be removed now is swept up later
    store.forget_owner(run)
    rights.disown("run", run)


def _count(folder: Path) -> None:
    """Note that the run was tried; one too damaged to be read could not be chosen, and counts for nothing."""
    try:
        manifest = home.read_model(folder / "manifest.json", Manifest)
        chain = home.read_model(folder / "chain.json", Chain)
    except (ValidationError, FileNotFoundError):
        return
    tried.count(manifest.data_sha256, manifest.target, len(chain.checkpoints))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side: what was measured and may be shown, where from, and of their settings what differs.

    reasons  why a difference between their figures says nothing about which is better; nothing where it does
    caution  a sentence on what else a small difference may come from, or ""
    """

    runs: tuple[Run, Run]
    metrics: dict[str, tuple[Metric | None, Metric | None]]
    settings: dict[str, tuple[object, object]]
    facts: dict[str, tuple[object, object]]
    reasons: list[str]
    caution: str


def compare(left: str, right: str) -> Comparison:
    """Two runs of the gallery side by side. UserError where one cannot be opened."""
    a, b = open_run(left), open_run(right)
    hidden = {*a.report.hidden, *b.report.hidden}
    names = [name for name in dict.fromkeys([*a.report.metrics, *b.report.metrics]) if name not in hidden]
    mine, theirs = settings_of(a), settings_of(b)
    settings = {key: (mine.get(key), theirs.get(key)) for key in dict.fromkeys([*mine, *theirs])
                if mine.get(key) != theirs.get(key)}
    facts = {"cases": (a.report.n_cases, b.report.n_cases), "patients": (a.report.n_patients, b.report.n_patients),
             "file": (a.manifest.source_file, b.manifest.source_file),
             "data sha256": (a.manifest.data_sha256, b.manifest.data_sha256),
             "measured on": (a.report.measured_on, b.report.measured_on)}
    reasons = why_not_comparable(a, b)
    divided = not reasons and a.manifest.split_sha256 != b.manifest.split_sha256
    return Comparison(runs=(a, b), settings=settings, facts=facts, reasons=reasons, caution=DIVIDED if divided else "",
                      metrics={name: (a.report.metrics.get(name), b.report.metrics.get(name)) for name in names})


def why_not_comparable(a: Run, b: Run) -> list[str]:
    """Why a difference between two runs' figures says nothing about which is better; empty where it does.

    Another outcome, another class that counts as yes, or another table: the figures then answer different questions.
    """
    asked, reasons = [_outcome_words(each) for each in (a, b)], []
    if asked[0] != asked[1]:
        reasons.append(f"They predict different outcomes: {asked[0]} and {asked[1]}.")
    if a.manifest.data_sha256 != b.manifest.data_sha256:
        files = [each.manifest.source_file for each in (a, b)]
        told = f"{files[0]} and {files[1]}" if files[0] != files[1] else f"two versions of {files[0]}"
        reasons.append(f"They were made from different tables: {told}.")
    return reasons


def _outcome_words(run: Run) -> str:
    """“died” (yes), “grade” (above 0), “grade” (each of its classes), “stay” (the number)."""
    yes = "above 0" if run.report.positive == ABOVE_ZERO else run.report.positive
    how = {"binary": yes, "multiclass": "each of its classes", "regression": "the number"}[run.report.task]
    return f"“{run.config.choice.target}” ({how})"


def settings_of(run: Run) -> dict[str, object]:
    """How a run was made, flat: {"family": ..., "split: folds": 5, "pictures: size": 128, "cleanup: impute": "on",
    "parameter: trees": 9}."""
    config = run.config
    flat: dict[str, object] = {"family": config.family, "seed": config.seed, "target": config.choice.target,
                               "feature selection": "on" if config.selection.on else "off",
                               "columns left out": ", ".join(sorted(config.choice.leave_out))}
    flat |= {f"split: {key}": value for key, value in config.split.model_dump().items()
             if key != "test_fraction" or config.split.scheme == "held_out"}
    if config.choice.pictures is not None:
        flat |= {f"pictures: {key}": value for key, value in config.choice.pictures if key != "column"}
    flat |= {f"cleanup: {step.name}": "on" if step.on else "off" for step in run.recipe.steps}
    return flat | {f"parameter: {key}": value for key, value in config.params.items()}


def folder_of(run: str) -> Path:
    """Where a run lies. UserError where there is none of that id for one to see."""
    if not run or run.startswith(".") or Path(run).name != run:
        raise UserError(what=f"“{run}” is not the name of a run.", fix="`python -m medml runs` lists them.",
                        code="no_run")
    folder = home.runs_folder() / run
    if not (folder.is_dir() and rights.sees("run", run)):
        raise UserError(what=f"There is no run {run} (any more).",
                        fix="Choose one on the Gallery page; in a terminal `python -m medml runs` lists them.",
                        code="no_run")
    return folder


def _summary(folder: Path) -> Summary:
    try:
        run = open_run(folder.name)
    except UserError as error:
        return Summary(run=folder.name, name=folder.name, unusable=error.what)
    name = headline(run.report)
    return Summary(run=run.run, name=run.label.name, notes=run.label.notes, family=run.config.family,
                   task=run.report.task, target=run.config.choice.target, source_file=run.manifest.source_file,
                   made=run.manifest.made, seconds=run.manifest.seconds, n_cases=run.report.n_cases,
                   n_patients=run.report.n_patients, headline_name=name, headline=run.report.metrics.get(name),
                   checkpoints=len(run.chain.checkpoints), stamps=tuple(run.report.stamps))
