"""Pictures for the owner's own screen: the surest right and wrong answers of a run, and where its model looked.

Every picture is shown with the model that had not seen it. Nothing of this is written anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medml import data, gallery, pictures, saved_split
from medml import recipe as cleaning
from medml.errors import UserError
from medml.folds import name_of
from medml.pipeline import Pipeline
from medml.types import PicturePlan, TableRef
from medml.vision.pixels import Pictures

MOST = 24  # pictures at once


@dataclass(frozen=True, slots=True)
class Look:
    """names, outcomes and answers of some pictures, with what the model looked at.

    names    of the files;   outcome, answer  (n,) codes of classes, or numbers
    sure     (n,) probability of the answered class, out of fold
    pixels   (n, side, side, channels) uint8;   heat  (n, side, side) float32, 0-1 on one scale for all
    """

    names: list[str]
    outcome: np.ndarray
    answer: np.ndarray
    sure: np.ndarray
    pixels: np.ndarray
    heat: np.ndarray


def surest(run: str, *, right: bool, n: int = 12, source: Path | None = None) -> Look:
    """The n pictures that a run of classes was surest about and right (or wrong), with heatmaps of the answered class.

    raises  UserError where the run is not of pictures and classes, or its folder is gone or has changed
    """
    opened = gallery.open_run(run)
    plan, config = opened.config.choice.pictures, opened.config
    if plan is None or opened.report.task == "regression":
        raise UserError(what="Heatmaps are drawn for models that tell classes of pictures apart.",
                        fix="Open a run of that kind.", code="no_heatmap")
    table = data.open_table(Path(source or opened.profile.source), config.choice.table)
    if table.sha256() != config.data_sha256:  # rows would name other pictures than those that were judged
        raise UserError(what="The pictures have changed since this run was trained, so its answers cannot be shown "
                             "beside them.", fix="Put the folder back as it was, or train again.", code="changed")
    frame = table.each_frame(table.frame()) if plan.frames == "all" else table.frame()
    cases, _ = cleaning.prepare(frame, opened.recipe, opened.profile.table(config.choice.table), config.choice,
                                short=table.short)
    keys = saved_split.case_names(cases, config.data_sha256)
    p, folds = _out_of_fold(opened, keys)
    judged = np.flatnonzero(np.isfinite(p).all(axis=1))
    answer, sure = p.argmax(axis=1), p.max(axis=1)
    chosen = judged[(answer[judged] == cases.y[judged]) == right]
    chosen = chosen[np.argsort(-sure[chosen], kind="stable")][:min(n, MOST)]
    names = [str(cases.X[plan.column].iloc[at]) for at in chosen]
    if not names:
        return Look([], *(np.empty(0),) * 3, np.empty((0, plan.size, plan.size, 1), np.uint8), np.empty((0, 1, 1)))
    store, places, _ = pictures.decoded(names, table, plan)
    order = np.argsort(places)
    kept = chosen[places[order]]
    shown = Pictures(store, order)
    heat = _heat(opened, shown, answer[kept], folds[kept])
    return Look([names[at] for at in places[order]], cases.y[kept], answer[kept], sure[kept], shown.read(), heat)


def _out_of_fold(opened: gallery.Run, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, n_classes) probabilities of the first repeat, and the (n,) fold that gave them, in the order of `keys`; NaN
    and -1 where a case was in none."""
    with np.load(opened.sealed("private/oof.npz"), allow_pickle=False) as stored:
        place = {key: at for at, key in enumerate(stored["cases"].tolist())}
        p = stored["p"][0]
    saved = saved_split.read(opened.folder / "private" / "split.npz")
    fold_of = np.full(len(p), -1)
    for fold in saved.folds:
        if fold.repeat == 0:
            fold_of[fold.test] = fold.number
    mine = np.array([place.get(key, -1) for key in keys.tolist()])
    known = mine >= 0
    found, folds = np.full((len(keys), p.shape[1]), np.nan), np.full(len(keys), -1)
    found[known], folds[known] = p[mine[known]], fold_of[mine[known]]
    return found, folds


def _heat(opened: gallery.Run, shown: Pictures, answer: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(n, side, side) of each picture by the model of the fold that had not seen it, all on one scale."""
    from medml.cases import Fold
    from medml.vision import heatmap

    found: list[np.ndarray | None] = [None] * len(shown)
    for number in np.unique(folds):
        nobody = np.empty(0, np.int64)
        pipe = Pipeline.load(opened.sealed(f"folds/{name_of(Fold(nobody, nobody, 0, int(number)))}"),
                             opened.config.family)
        model = pipe.family.network(pipe.fitted)
        for output in np.unique(answer[folds == number]):
            mine = np.flatnonzero((folds == number) & (answer == output))
            maps = heatmap.maps(model, pipe.family.stream(pipe.fitted, shown[mine]), int(output))
            for at, each in zip(mine, maps, strict=True):
                found[at] = each
    maps = np.stack(found)
    return heatmap.scaled(maps, heatmap.hottest(maps), *shown.shape[1:3])


def augmented(source: Path, ref: TableRef, plan: PicturePlan, names: list[str], changes: dict[str, object],
              *, seed: int = 0) -> np.ndarray:
    """The pictures of these names as a training with these changes would see them, (n, side, side, channels) uint8."""
    import torch

    from medml.vision.augment import Changes, changed

    store, _, _ = pictures.decoded(names, data.open_table(source, ref), plan)
    given = torch.from_numpy(store.pixels.copy()).permute(0, 3, 1, 2).float()
    torch.manual_seed(seed)
    each = [changed(given[at:at + 1], Changes(**changes)) for at in range(len(given))]  # a draw of its own for each
    return torch.cat(each).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
