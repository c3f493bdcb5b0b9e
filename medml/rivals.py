"""What else was tried on the same table, outcome and folds: the out-of-fold predictions that the winner's curse (E3)
is corrected by (BBC-CV, Tsamardinos 2018)."""

from __future__ import annotations

import numpy as np
from pydantic import ValidationError

from medml import gallery, home, seals
from medml import tried as gone
from medml.cases import Cases, Predictions
from medml.errors import UserError
from medml.types import Chain, Manifest, TrainConfig

MOST = 20  # configurations, newest runs first


def tried(data_sha256: str, target: str) -> list[Manifest]:
    """Finished runs that learned this target from this very table, newest first."""
    found = []
    for path in home.runs_folder().glob("[!.]*/manifest.json"):
        try:
            manifest = home.read_model(path, Manifest)
        except (ValidationError, FileNotFoundError):
            continue  # listed as unusable by the gallery; it says nothing about what was tried
        if manifest.data_sha256 == data_sha256 and manifest.target == target:
            found.append(manifest)
    return sorted(found, key=lambda each: each.made, reverse=True)


def configurations(data_sha256: str, target: str) -> int:
    """How many were tried: every checkpoint of every run on this table and outcome, those deleted since included, and
    one more for every training that was stopped by hand."""
    return sum(len(_chain(manifest).checkpoints) for manifest in tried(data_sha256, target)) + \
        gone.deleted(data_sha256, target) + gone.stops(data_sha256, target)


def predictions(config: TrainConfig, split_sha256: str, cases: Cases) -> dict[str, Predictions]:
    """Out-of-fold predictions of every earlier checkpoint on the very same folds, by run and checkpoint."""
    others: dict[str, Predictions] = {}
    for manifest in tried(config.data_sha256, config.choice.target):
        folder = home.runs_folder() / manifest.run
        for checkpoint in _chain(manifest).checkpoints:
            try:
                theirs = home.read_model(folder / "config.json", TrainConfig)
                at = gallery.checkpoint_folder(folder, checkpoint.number)
                seals.check(at, checkpoint.files_sha256, "private/oof.npz")
                with np.load(at / "private" / "oof.npz", allow_pickle=False) as stored:
                    p = stored["p"]
            except (ValidationError, FileNotFoundError, UserError):
                continue  # deleted meanwhile, damaged, or a download without its private part
            # with other predictors it answers the same question: leaving columns out is a way of choosing too
            asked = theirs.choice.model_copy(update={"leave_out": config.choice.leave_out})
            same = manifest.split_sha256 == split_sha256 and asked == config.choice
            if same and p.shape[1] == len(cases.y) and len(others) < MOST:
                others[f"{manifest.run} {checkpoint.number}"] = Predictions(
                    y=cases.y, p=p, patients=cases.patients, task=cases.task, classes=cases.classes, train=np.empty(0))
    return others


def _chain(manifest: Manifest) -> Chain:
    try:
        return home.read_model(home.runs_folder() / manifest.run / "chain.json", Chain)
    except (ValidationError, FileNotFoundError):
        return Chain(current=0, checkpoints=[])  # deleted meanwhile, or damaged: the gallery says so
