"""Pictures for the owner's own screen: the answers of a run, and where its model looked.

Every picture is shown with the model that had not seen it, and all maps of an answer are drawn on one scale. Nothing
of this is written anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from medml import data, gallery, pictures, publish, saved_split
from medml import recipe as cleaning
from medml.cases import Cases
from medml.data.images.beside import open_some
from medml.data.images.columns import CONTENT
from medml.data.images.table import ImageTable
from medml.errors import UserError
from medml.folds import name_of
from medml.pipeline import Pipeline
from medml.types import PICTURES, PicturePlan, Report, TableRef
from medml.vision.pixels import Pictures

MOST = 24  # pictures at once
RED, MOST_RED = np.array([226.0, 60.0, 40.0], np.float32), 0.55  # what is laid over, and how densely at most


@dataclass(frozen=True, slots=True)
class Answers:
    """Cases with the answer of the model that had not seen them, surest first.

    name, content    (n,) of the picture, and what its file (or frame) hashes to
    outcome, answer  (n,) codes of classes, or numbers;   p  (n,) probability of the answered class, NaN of a number
    sure             (n,) 0-1: how far the probability is from where the answer would change; of a number, minus how
                     far it is from the truth
    fold             (n,) the fold that did not learn from it
    """

    name: np.ndarray
    content: np.ndarray
    outcome: np.ndarray
    answer: np.ndarray
    p: np.ndarray
    sure: np.ndarray
    fold: np.ndarray

    def __len__(self) -> int:
        return len(self.name)

    def arrays(self) -> dict[str, np.ndarray]:
        """What it holds, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def take(self, places: np.ndarray) -> Answers:
        """Those at these places, in that order."""
        return Answers(**{name: values[places] for name, values in self.arrays().items()})


@dataclass(frozen=True, slots=True)
class Judged:
    """All answers of a run, and what is needed to draw some of them like the others.

    channels  of every picture, 1 or 3
    hottest   (n_classes,) the value that is drawn as the hottest in maps of each answer, (1,) of a number
    """

    answers: Answers
    channels: int
    hottest: np.ndarray


@dataclass(frozen=True, slots=True)
class Look:
    """Answers with their pictures and what the model looked at.

    pixels  (n, side, side, channels) uint8;   heat  (n, side, side) float32, 0-1 on the scale of its answer
    """

    answers: Answers
    pixels: np.ndarray
    heat: np.ndarray


def judged(run: str, *, source: Path | None = None) -> Judged:
    """Every answer of a run on pictures, and the scales of its heatmaps.

    raises  UserError where the run is not of pictures, or its folder is gone or has changed
    """
    opened = gallery.open_run(run)
    plan, config = _plan(opened), opened.config
    table = data.open_table(Path(source or opened.profile.source), config.choice.table)
    if table.sha256() != config.data_sha256:  # rows would name other pictures than those that were judged
        raise _changed()
    frame = table.each_frame(table.frame()) if plan.frames == "all" else table.frame()
    cases, _ = cleaning.prepare(frame, opened.recipe, opened.profile.table(config.choice.table), config.choice,
                                short=table.short)
    p, folds = _out_of_fold(opened, cases)
    there = np.flatnonzero(np.isfinite(p).all(axis=1))
    answer, told, sure = _answered(p, cases.y, opened.report)
    there = there[np.argsort(-sure[there], kind="stable")]
    rows = cases.rows[there].tolist()
    names, contents = (frame[each].to_numpy()[rows].astype(np.str_) for each in (plan.column, CONTENT))
    found = Answers(names, contents, cases.y[there], answer[there], told[there], sure[there], folds[there])
    return Judged(found, table.channels, _hottest(opened, table, found, p[there]))


def look(run: str, some: Answers, *, channels: int, hottest: np.ndarray, source: Path | None = None) -> Look:
    """Some answers of `judged`, at most MOST, with their pictures and heatmaps of what spoke for the answer.

    A picture that cannot be decoded any more is left out. raises  UserError where one is gone or has changed
    """
    if len(some) > MOST:
        raise ValueError(f"at most {MOST} pictures at once, not {len(some)}")
    opened = gallery.open_run(run)
    table = open_some(Path(source or opened.profile.source), opened.config.choice.table, some.name.tolist())
    _refuse_changed(table, _plan(opened), some)
    shown, some = _decoded(opened, table, some, channels)
    codes = some.answer.astype(int) if opened.report.classes else np.zeros(len(some), int)
    return Look(some, shown.read(), _grown(_maps(opened, shown, some), hottest[codes], shown))


def surest(run: str, *, right: bool, n: int = 12, source: Path | None = None) -> Look:
    """The n pictures that a run of classes was surest about and right (or wrong), with heatmaps of the answered class.

    raises  UserError as `judged`
    """
    found = judged(run, source=source)
    same = found.answers.answer == found.answers.outcome
    some = found.answers.take(np.flatnonzero(same == right)[:min(n, MOST)])
    return look(run, some, channels=found.channels, hottest=found.hottest, source=source)


def look_at_new(run: str, path: Path, answers: dict[str, str]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Pictures that a run was not trained on, with what spoke for the answer that `predict` gave.

    answers  {name of the picture in that folder: predicted class}, or of a number whatever it was
    returns  (name, (side, side, channels) uint8, (side, side) float32 in 0-1) one by one, on the scale that the run's
             own pictures gave each answer: a picture in which nothing speaks for its answer stays cold
    raises   UserError where the run is not of pictures or has no scale
    """
    from medml.vision import heatmap

    opened = gallery.open_run(run)
    plan, hottest = opened.config.choice.pictures, _scale_of(opened.report)
    if plan is None or hottest is None:
        raise UserError(what="This run has no heatmaps for new pictures.", code="no_heatmap",
                        fix="Leave them out, or train again: runs of pictures have them.")
    pipe, codes, names = Pipeline.load(opened.sealed("final"), opened.config.family), opened.report.classes, [*answers]
    for first in range(0, len(names), MOST):
        part = names[first:first + MOST]
        store, places, _ = pictures.decoded(part, open_some(path, TableRef(path=path.name, sheet=PICTURES), part), plan)
        shown, some = Pictures(store, np.arange(len(store))), [part[at] for at in places]
        answer = np.array([codes.index(answers[name]) if codes else 0 for name in some])
        heat = _grown(heatmap.answered(pipe, shown, answer), hottest[answer], shown)
        yield from zip(some, shown.read(), heat, strict=True)


def _scale_of(report: Report) -> np.ndarray | None:
    """(n_classes,) what is drawn as the hottest for each answer, (1,) of a number; None where check G3 found no map."""
    told = next((each.figures for each in report.checks if each.id == "G3"), {})
    n = max(1, len(report.classes))
    found = [told.get(f"hottest_{code}", told.get("hottest")) for code in range(n)]  # older runs have one for all
    return None if None in found else np.array(found)


def _plan(opened: gallery.Run) -> PicturePlan:
    plan = opened.config.choice.pictures
    if plan is None:
        raise UserError(what="Heatmaps are drawn for models that learn from pictures.",
                        fix="Open a run of that kind.", code="no_heatmap")
    return plan


def _changed() -> UserError:
    return UserError(what="The pictures have changed since this run was trained, so its answers cannot be shown "
                          "beside them.", fix="Put the folder back as it was, or train again.", code="changed")


def _refuse_changed(table: ImageTable, plan: PicturePlan, some: Answers) -> None:
    """UserError where one of these pictures is not the one that was judged."""
    frame = table.frame([plan.column, CONTENT])
    frame = table.each_frame(frame) if plan.frames == "all" else frame
    now = dict(frame.iter_rows())
    if [now.get(name) for name in some.name.tolist()] != some.content.tolist():
        raise _changed()


def _answered(p: np.ndarray, y: np.ndarray, report: Report) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The answer, p and sure of `Answers`, (n,) each; of two classes by the report's threshold as `predict` does."""
    if report.task == "regression":
        return p[:, 0], np.full(len(p), np.nan), -np.abs(p[:, 0] - y)
    if report.threshold is None:
        return p.argmax(axis=1), p.max(axis=1), p.max(axis=1)
    cut, answer = report.threshold, (p[:, 1] >= report.threshold).astype(np.int64)
    above, below = (p[:, 1] - cut) / max(1 - cut, 1e-9), (cut - p[:, 1]) / max(cut, 1e-9)
    return answer, p[np.arange(len(p)), answer], np.where(answer == 1, above, below)


def _out_of_fold(opened: gallery.Run, cases: Cases) -> tuple[np.ndarray, np.ndarray]:
    """(n, n_classes) probabilities of the first repeat, or (n, 1) numbers, and the (n,) fold that gave them, in the
    order of the cases; NaN and -1 where one was in none."""
    stored = publish.out_of_fold(opened)
    keys = saved_split.known_names(cases, opened.config.data_sha256, stored.cases)
    place = {key: at for at, key in enumerate(stored.cases.tolist())}
    p = stored.p[0].reshape(len(place), -1)
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


def _decoded(opened: gallery.Run, table: ImageTable, some: Answers, channels: int) -> tuple[Pictures, Answers]:
    """The pictures of these answers that can be decoded, and those answers, in their order."""
    store, places, _ = pictures.decoded(some.name.tolist(), table, _plan(opened), channels=channels)
    order = np.argsort(places)
    return Pictures(store, order), some.take(places[order])


def _hottest(opened: gallery.Run, table: ImageTable, found: Answers, p: np.ndarray) -> np.ndarray:
    """(n_classes,) or (1,): the scale of the maps of each answer, from some of those to whom it was given."""
    from medml.vision import heatmap

    scales = []
    for code, places in enumerate(heatmap.sampled(p, found.answer)):
        some = found.take(places)
        some = replace(some, answer=np.full(len(some), code))  # also of those to whom something else was likelier
        shown, some = _decoded(opened, table, some, table.channels)
        scales.append(heatmap.hottest(_maps(opened, shown, some)))
    return np.array(scales)


def _maps(opened: gallery.Run, shown: Pictures, some: Answers) -> np.ndarray:
    """(n, h', w') of each picture by the model of the fold that had not seen it, for its answered class."""
    from medml.cases import Fold
    from medml.vision import heatmap

    found: list[np.ndarray | None] = [None] * len(shown)
    for number in np.unique(some.fold):
        nobody, mine = np.empty(0, np.int64), np.flatnonzero(some.fold == number)
        pipe = Pipeline.load(opened.sealed(f"folds/{name_of(Fold(nobody, nobody, 0, int(number)))}"),
                             opened.config.family)
        for at, each in zip(mine, heatmap.answered(pipe, shown[mine], some.answer[mine]), strict=True):
            found[at] = each
    return np.stack(found) if found else np.empty((0, 1, 1), np.float32)


def _grown(maps: np.ndarray, hottest: np.ndarray, shown: Pictures) -> np.ndarray:
    from medml.vision import heatmap

    return heatmap.scaled(maps, hottest, *shown.shape[1:3])


def beside(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """(..., side, 2 * side, 3) uint8: pictures (..., side, side, 1 or 3) and, right of each, its heat (0-1) over it in
    red."""
    colour = np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels
    share = MOST_RED * heat[..., None]
    return np.concatenate([colour, (colour * (1 - share) + RED * share).astype(np.uint8)], axis=-2)


def augmented(source: Path, ref: TableRef, plan: PicturePlan, names: Sequence[str], changes: dict[str, object],
              *, seed: int = 0) -> np.ndarray:
    """The pictures of these names as a training with these changes would see them, (n, side, side, channels) uint8."""
    import torch

    from medml.vision.augment import Changes, changed

    store, _, _ = pictures.decoded(names, data.open_table(source, ref), plan)
    given = torch.from_numpy(store.pixels.copy()).permute(0, 3, 1, 2).float()
    torch.manual_seed(seed)
    each = [changed(given[at:at + 1], Changes(**changes)) for at in range(len(given))]  # a draw of its own for each
    return torch.cat(each).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
