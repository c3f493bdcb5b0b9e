"""Write a run or a checkpoint whole or not at all: a folder with a dotted name, then one rename."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medml import device, fitting, gallery, home, provenance, saved_split, seals
from medml.errors import UserError
from medml.evaluate import headline
from medml.folds import FittedFold, facts_of, gather, learned_from, name_of
from medml.pipeline import Pipeline
from medml.saved_split import SavedSplit
from medml.types import Chain, Checkpoint, Label, Manifest, Point, Profile, Recipe, Report, TrainConfig
from medml.watch import Watch, breathe

if TYPE_CHECKING:
    from medml.train import Ground

SPLIT = "private/split.npz"


def run_of_job(job: str | None, config: TrainConfig) -> str | None:
    """The run that this job has published already, if it has: a restarted job publishes nothing twice."""
    name = home.run_name(job, config.family)
    return name if job and (home.runs_folder() / name).is_dir() else None


@contextlib.contextmanager
def begun(job: str | None, profile: Profile, recipe: Recipe, config: TrainConfig, ground: Ground,
          watch: Watch) -> Iterator[Path]:
    """The hidden folder of a run to be, with what it is made from: the checks read it back from there. If anything
    goes wrong inside, it is gone again."""
    name = home.run_name(job, config.family)
    watch.fence()  # one that lost its job must not clear away what the other is making
    for left in home.runs_folder().glob(f".{name}.*part"):  # of an attempt that was killed
        shutil.rmtree(left, ignore_errors=True)
    part = home.runs_folder() / f".{name}.{secrets.token_hex(4)}.part"  # one that sleeps elsewhere writes into its own
    try:
        for name, value in (("profile", profile), ("recipe", recipe), ("config", config)):
            home.write_model(home.ensure(part) / f"{name}.json", value)
        saved_split.write(home.ensure(part / "private") / "split.npz", ground.cases, config.data_sha256, ground.folds,
                          ground.held_out)
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)  # nothing is there any more once the run was published


def new_run(part: Path, *, watch: Watch, job: str | None, config: TrainConfig, ground: Ground, folds: list[FittedFold],
            final: Pipeline, report: Report, keys: dict[str, float], seconds: float, history: list[Point]) -> str:
    """Complete the folder of a run and let it appear in the gallery by one rename; return its name.

    Where another attempt at the same job was first (see `Watch.fence`), its run stays and this one is dropped.
    """
    files = seals.sums(part)
    run = part.name.split(".")[1]
    sealed = _write_checkpoint(gallery.checkpoint_folder(part, 0), ground, config, folds, final, report, keys, history)
    manifest = _manifest(run, ground, config, report, final, seconds=seconds, job=job, files=files)
    chain = Chain(current=0, checkpoints=[_checkpoint(0, None, final, report, job, sealed)])
    for name, value in (("manifest", manifest), ("label", Label(name=config.name)), ("chain", chain)):
        home.write_model(part / f"{name}.json", value)
    watch.fence()
    _appear(part, home.runs_folder() / run)
    return run


def _appear(part: Path, place: Path) -> None:
    try:
        os.replace(part, place)
    except OSError:
        if not (place / "manifest.json").is_file():
            raise
    home.sync_folder(place.parent)


def new_checkpoint(opened: gallery.Run, *, watch: Watch, ground: Ground, folds: list[FittedFold], final: Pipeline,
                   report: Report, keys: dict[str, float], history: list[Point], job: str | None) -> Checkpoint:
    """Add a link to a run's chain; the chain names it only once its folder is in place."""
    part = opened.folder / "checkpoints" / f".{job or 'none'}.{secrets.token_hex(4)}.part"
    if not part.parent.is_dir():
        raise UserError(what="This run was deleted while it was being trained further.", code="no_run",
                        fix="Nothing else was changed. Train again if you want it back.")
    watch.fence()  # as in `begun`
    for left in part.parent.glob(f".{job}.*part"):
        shutil.rmtree(left, ignore_errors=True)  # of an attempt that was killed
    try:
        sealed = _write_checkpoint(part, ground, opened.config, folds, final, report, keys, history)
        watch.fence()
        link = _checkpoint(0, opened.chain.current, final, report, job, sealed)
        return gallery.add_checkpoint(opened.run, part, link)
    finally:
        shutil.rmtree(part, ignore_errors=True)  # nothing is there any more once it has its place


def checkpoint_of_job(opened: gallery.Run, job: str | None) -> Checkpoint | None:
    """The checkpoint that this job has added already, if it has."""
    found = [each for each in opened.chain.checkpoints if job is not None and each.job == job]
    return found[0] if found else None


def same_split(opened: gallery.Run, ground: Ground) -> None:
    """Refuse to go on where the folds would not be those of the run: its figures would come from fitted rows."""
    if ground.split_sha256 != opened.manifest.split_sha256:
        raise UserError(what="The patients cannot be divided as they were when this run was trained.",
                        fix="Train again; this run stays as it is.", code="split_changed")


def split_of(opened: gallery.Run) -> SavedSplit:
    """The split of a run as it lies on disk. UserError where its file is gone or one bit of it changed."""
    try:
        seals.compare(opened.folder, opened.manifest.files, SPLIT)
        return saved_split.read(opened.folder / SPLIT)
    except FileNotFoundError as absent:
        raise seals.damaged(SPLIT) from absent


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What the current checkpoint said of cases that a fold had not seen; NaN where it was in none.

    cases        (n,) names, as `saved_split.case_names` gives them
    p, baseline  (repeats, n, n_classes), or (repeats, n) of a number
    """

    cases: np.ndarray
    p: np.ndarray
    baseline: np.ndarray


def out_of_fold(opened: gallery.Run) -> OutOfFold:
    """Read them back. UserError where they are gone or damaged."""
    with np.load(opened.sealed("private/oof.npz"), allow_pickle=False) as stored:
        return OutOfFold(stored["cases"], stored["p"], stored["baseline"])


def folds_of(opened: gallery.Run, ground: Ground) -> list[FittedFold]:
    """Every fold of the current checkpoint with its model, in the order of the folds."""
    kept = json.loads(opened.sealed("folds.json").read_text())
    kept_out, found = out_of_fold(opened), []
    for fold in ground.folds:
        name = name_of(fold)
        pipe = Pipeline.load(opened.sealed(f"folds/{name}"), opened.config.family)
        found.append(FittedFold(fold=fold, pipeline=pipe, p=kept_out.p[fold.repeat, fold.test], points=[],
                                baseline=kept_out.baseline[fold.repeat, fold.test],
                                learned=learned_from(kept[name], pipe.matrix),
                                train_figure=kept[name]["train_figure"]))
    return found


def _write_checkpoint(folder: Path, ground: Ground, config: TrainConfig, folds: list[FittedFold], final: Pipeline,
                      report: Report, keys: dict[str, float], history: list[Point]) -> str:
    """All files of one link; returns the hash of the list of their hashes."""
    home.write_model(home.ensure(folder) / "report.json", report)
    home.write_bytes(folder / "history.json", gallery.HISTORY.dump_json(history))
    home.write_bytes(folder / "keys.json", json.dumps(keys, indent=2).encode())
    facts = {name_of(each.fold): facts_of(each.learned) | {"train_figure": each.train_figure} for each in folds}
    home.write_bytes(folder / "folds.json", json.dumps(facts, indent=2).encode())
    breathe()
    final.save(folder / "final")
    for fold in folds:
        breathe()
        fold.pipeline.save(folder / "folds" / name_of(fold.fold))
    private = home.ensure(folder / "private")
    p, baseline = gather(folds, len(ground.cases.y))
    home.write_arrays(private / "oof.npz", cases=saved_split.case_names(ground.cases, config.data_sha256), p=p,
                      baseline=baseline)
    return seals.seal(folder)


def _checkpoint(number: int, parent: int | None, final: Pipeline, report: Report, job: str | None,
                sealed: str) -> Checkpoint:
    return Checkpoint(number=number, parent=parent, made=_now(), rounds=final.family.rounds_done(final.fitted),
                      headline=report.metrics.get(headline(report)), job=job, files_sha256=sealed)


def _manifest(run: str, ground: Ground, config: TrainConfig, report: Report, final: Pipeline, *, seconds: float,
              job: str | None, files: dict[str, str]) -> Manifest:
    n_closed = len(ground.held_out)
    tested = np.unique(np.concatenate([fold.test for fold in ground.folds]))
    return Manifest(run=run, made=_now(), seconds=round(seconds, 2), family=config.family, task=report.task,
                    target=config.choice.target, source_file=config.choice.table.label, job=job,
                    data_sha256=config.data_sha256, n_rows=ground.cases.flow[0].n_before if ground.cases.flow else 0,
                    n_cases=report.n_cases, n_patients=report.n_patients, n_train=len(ground.development),
                    n_test=n_closed or len(tested), split_sha256=ground.split_sha256,
                    code_version=provenance.code_version(), packages=provenance.packages(), device=device_of(final),
                    seeds={"configuration": config.seed}, files=files,
                    threads=device.threads(len(ground.cases.y)),
                    settings=fitting.settings_of(config, ground.cases, len(ground.development)))


def device_of(final: Pipeline) -> str:
    """Where the final model was fitted: "cpu", or the accelerator on which a network learned."""
    return device.pick().type if final.family.round == "epoch" else "cpu"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
