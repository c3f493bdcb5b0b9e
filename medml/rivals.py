"""What else was tried on the same table, outcome and folds: the out-of-fold predictions that the winner's curse (E3)
is corrected by (BBC-CV, Tsamardinos 2018)."""

from __future__ import annotations

import numpy as np
from pydantic import ValidationError

from medml import gallery, home
from medml.cases import Cases, Predictions
from medml.types import Chain, Label, Manifest, TrainConfig

MOST = 20  # runs, newest first


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


def predictions(config: TrainConfig, split_sha256: str, cases: Cases, *, but: str = "") -> dict[str, Predictions]:
    """Out-of-fold predictions of earlier runs on the very same folds, by the run's name.

    but  the run that is being measured itself, when it goes on
    """
    others: dict[str, Predictions] = {}
    for manifest in tried(config.data_sha256, config.choice.target)[:MOST]:
        folder = home.runs_folder() / manifest.run
        try:
            theirs = home.read_model(folder / "config.json", TrainConfig)
            at = gallery.checkpoint_folder(folder, home.read_model(folder / "chain.json", Chain).current)
            with np.load(at / "private" / "oof.npz", allow_pickle=False) as stored:
                p = stored["p"]
            name = home.read_model(folder / "label.json", Label).name
        except (ValidationError, FileNotFoundError):
            continue  # deleted meanwhile, or a download without its private part
        same = manifest.split_sha256 == split_sha256 and theirs.choice == config.choice and p.shape[1] == len(cases.y)
        if same and manifest.run != but:
            others[f"{name} ({manifest.run})"] = Predictions(
                y=cases.y, p=p, patients=cases.patients, task=cases.task, classes=cases.classes, train=np.empty(0))
    return others
