"""Fit every fold and the final model, speak while doing so, and go on after a kill from the folds that were done."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from medml import home, pipeline
from medml.cases import Cases, Fold
from medml.errors import Stopped
from medml.evaluate import quick_figure
from medml.evaluate.context import FoldFacts
from medml.families import loss
from medml.pipeline import Pipeline
from medml.types import Point, Recipe, SelectionScore, TrainConfig
from medml.watch import Watch

MOST_POINTS = 60  # points of a curve a fold; more would be drawn on top of each other
BASELINE = "logistic"


@dataclass(frozen=True, slots=True)
class FittedFold:
    """What one fold leaves: its model, its predictions for its own test rows, and the proof of what it saw."""

    fold: Fold
    pipeline: Pipeline
    p: np.ndarray  # (n_test, n_classes) or (n_test,)
    baseline: np.ndarray  # the same, by logistic or ridge regression on the same matrix
    train_figure: float  # headline figure on its own training rows (E8)
    facts: FoldFacts
    kept: list[str]  # source columns that selection kept; all where it is off
    n_parameters: int
    note: str  # by what means columns were selected
    points: list[Point]


@dataclass(frozen=True, slots=True)
class Task:
    """One training in hand: what is fitted, how, and where its unfinished work is kept."""

    cases: Cases
    development: np.ndarray  # positions into cases that the final model learns from
    recipe: Recipe
    config: TrainConfig
    watch: Watch
    work: Path | None


def name_of(fold: Fold) -> str:
    return f"{fold.repeat}-{fold.number}"


def seed_of(config: TrainConfig, fold: Fold | None) -> int:
    """One seed a fit, the same in every re-run; the final model takes the configuration's own."""
    return config.seed if fold is None else config.seed + 1009 * (fold.repeat + 1) + 31 * (fold.number + 1)


class Curve:
    """The Rounds of one fit: turns a family's rounds into points and into the progress of the whole job."""

    def __init__(self, task: Task, fold: Fold | None, *, span: tuple[float, float], label: str,
                 seen: tuple[np.ndarray, np.ndarray] | None = None, from_round: int = 0) -> None:
        self.task, self.fold, self.span, self.label, self.seen = task, fold, span, label, seen
        self.points: list[Point] = []
        self.started, self.from_round, self.stopped = time.monotonic(), from_round, False

    def __call__(self, round_done: int, total: int, train: float | None,
                 predict: Callable[[np.ndarray], np.ndarray] | None, unit: str = "loss") -> bool:
        low, high = self.span
        done = round_done - self.from_round
        share = min(1.0, done / max(1, total - self.from_round))
        self.task.watch.say("train", low + (high - low) * share, f"{self.label}: round {round_done} of {total}")
        stride = max(1, (total - self.from_round) // MOST_POINTS)
        if done == 1 or done % stride == 0 or round_done >= total:
            self._add(round_done, train, predict, unit)
        self.stopped = self.task.watch.stopping()
        return not self.stopped

    def _add(self, round_done: int, train: float | None, predict: Callable | None, unit: str) -> None:
        cases = self.task.cases
        fold, repeat = (-1, 0) if self.fold is None else (self.fold.number, self.fold.repeat)
        seconds = round(time.monotonic() - self.started, 3)
        figures: list[tuple[str, float | None, float | None]] = [(unit, train, None)]
        if predict is not None and self.seen is not None:
            X, y = self.seen
            p = predict(X)
            figures = [("loss", train if unit == "loss" else None, loss(y, p)),
                       ("metric", train if unit != "loss" else None, quick_figure(cases.task, y, p))]
        for name, mine, theirs in figures:
            point = Point(round=round_done, fold=fold, repeat=repeat, train=mine, out_of_fold=theirs, unit=name,
                          seconds=seconds)
            self.points.append(point)
            self.task.watch.point(point)


def fit_folds(task: Task, folds: list[Fold], *, share: float) -> Iterator[FittedFold]:
    """Fit fold after fold, taking up `share` of the whole job's progress; folds done before a kill are read back."""
    for place, fold in enumerate(folds):
        kept = None if task.work is None else task.work / "folds" / name_of(fold)
        span = (share * place / len(folds), share * (place + 1) / len(folds))
        if kept is not None and (kept / "done.json").exists():
            task.watch.say("train", span[1], f"Fold {place + 1} of {len(folds)} was already done")
            yield _read_back(task, fold, kept)
            continue
        if task.watch.stopping():
            raise Stopped
        fitted = _fit_fold(task, fold, span=span, label=f"Fold {place + 1} of {len(folds)}")
        if kept is not None:
            _keep(fitted, kept)
        yield fitted


def _fit_fold(task: Task, fold: Fold, *, span: tuple[float, float], label: str) -> FittedFold:
    cases, seed = task.cases, seed_of(task.config, fold)
    task.watch.say("train", span[0], f"{label}: cleaning and encoding {len(fold.train):,} training rows")
    prepared = pipeline.prepare(cases, fold.train, task.recipe, task.config, seed=seed, repeat=fold.repeat,
                                number=fold.number, n_test=len(fold.test), watch=task.watch)
    X_test = prepared.matrix.encode(cases.X.iloc[fold.test])
    curve = Curve(task, fold, span=span, label=label, seen=(X_test, cases.y[fold.test]))
    fitted = pipeline.fit(prepared, task.config, seed=seed, rounds=curve, work=_fit_work(task, name_of(fold)))
    if curve.stopped and fitted.family.round != "epoch":
        raise Stopped
    p = fitted.family.predict(fitted.fitted, X_test)
    p_train = fitted.family.predict(fitted.fitted, prepared.data.X)
    return FittedFold(fold=fold, pipeline=fitted, p=p, baseline=baseline(task, prepared, fitted, p, X_test, seed),
                      train_figure=quick_figure(cases.task, prepared.data.y, p_train), facts=prepared.facts,
                      kept=_kept(prepared, cases), n_parameters=len(prepared.data.names), points=curve.points,
                      note="" if prepared.selected is None else prepared.selected.note)


def baseline(task: Task, prepared: pipeline.Prepared, fitted: Pipeline, p: np.ndarray, X_test: np.ndarray,
             seed: int) -> np.ndarray:
    """What plain regularised regression says of the same rows from the same matrix (E7)."""
    if fitted.family.name == BASELINE:
        return p
    plain = pipeline.fit(prepared, task.config, seed=seed, family=BASELINE, params={})
    return plain.family.predict(plain.fitted, X_test)


def fit_final(task: Task, *, span: tuple[float, float]) -> tuple[Pipeline, list[Point]]:
    """The model that is kept and used: fitted on all development rows; its figures are those of the folds."""
    rows = task.development
    task.watch.say("train", span[0], f"Final model: cleaning and encoding {len(rows):,} rows")
    prepared = pipeline.prepare(task.cases, rows, task.recipe, task.config, seed=seed_of(task.config, None),
                                watch=task.watch)
    curve = Curve(task, None, span=span, label="Final model")
    fitted = pipeline.fit(prepared, task.config, seed=seed_of(task.config, None), rounds=curve,
                          work=_fit_work(task, "final"))
    return fitted, curve.points


def more(task: Task, done: FittedFold, n_rounds: int, *, span: tuple[float, float], label: str) -> FittedFold:
    """Go on in one fold for n_rounds, from that fold's own state and on its own training rows."""
    cases, fold = task.cases, done.fold
    family, rows = done.pipeline.family, pipeline.fit_data(done.pipeline.matrix, cases, fold.train)
    X_test = done.pipeline.matrix.encode(cases.X.iloc[fold.test])
    curve = Curve(task, fold, span=span, label=label, seen=(X_test, cases.y[fold.test]),
                  from_round=family.rounds_done(done.pipeline.fitted))
    fitted = family.more(done.pipeline.fitted, rows, n_rounds, family.filled(task.config.params),
                         seed=seed_of(task.config, fold), rounds=curve)
    if curve.stopped:
        raise Stopped  # a checkpoint holds all folds or none; the run stays as it was
    return replace(done, pipeline=replace(done.pipeline, fitted=fitted), p=family.predict(fitted, X_test),
                   train_figure=quick_figure(cases.task, rows.y, family.predict(fitted, rows.X)), points=curve.points)


def more_final(task: Task, final: Pipeline, n_rounds: int, *,
               span: tuple[float, float]) -> tuple[Pipeline, list[Point]]:
    """Go on in the final model for n_rounds."""
    rows = pipeline.fit_data(final.matrix, task.cases, task.development)
    curve = Curve(task, None, span=span, label="Final model", from_round=final.family.rounds_done(final.fitted))
    fitted = final.family.more(final.fitted, rows, n_rounds, final.family.filled(task.config.params),
                               seed=seed_of(task.config, None), rounds=curve)
    return replace(final, fitted=fitted), curve.points


def gather(folds: list[FittedFold], n_cases: int) -> tuple[np.ndarray, np.ndarray]:
    """The folds' predictions and baselines in the order of the cases: (repeats, n, n_classes) or (repeats, n).

    NaN where a repeat left a case out of every test part.
    """
    repeats = 1 + max(fold.fold.repeat for fold in folds)
    p = np.full((repeats, n_cases, *folds[0].p.shape[1:]), np.nan)
    plain = np.full_like(p, np.nan)
    for fold in folds:
        p[fold.fold.repeat, fold.fold.test] = fold.p
        plain[fold.fold.repeat, fold.fold.test] = fold.baseline
    return p, plain


def selection_scores(folds: list[FittedFold], config: TrainConfig, cases: Cases) -> list[SelectionScore]:
    """How often each column was kept, over all folds; nothing where selection is off."""
    plan = config.selection
    if not selecting(config):
        return []
    forced = dict.fromkeys(plan.forced_in, "in") | dict.fromkeys(plan.forced_out, "out")
    scores = [SelectionScore(column=name, forced=forced.get(name, ""),
                             frequency=round(sum(name in fold.kept for fold in folds) / len(folds), 4))
              for name in cases.X.columns]
    return sorted(scores, key=lambda each: -each.frequency)


def selecting(config: TrainConfig) -> bool:
    """Whether columns are selected at all, by figures or by hand."""
    plan = config.selection
    return bool(plan.on or plan.forced_in or plan.forced_out)


def selection_note(folds: list[FittedFold], config: TrainConfig) -> str:
    """By what means columns were selected, and whether a person had seen outcome-based scores before overriding."""
    if not selecting(config):
        return ""
    notes = list(dict.fromkeys(fold.note for fold in folds if fold.note))
    if config.selection.override_after_scores:
        notes.append("The lists of forced columns were changed after scores that use the outcome had been seen: "
                     "the figures may be too good.")
    return " ".join(notes)


def _kept(prepared: pipeline.Prepared, cases: Cases) -> list[str]:
    return list(cases.X.columns) if prepared.selected is None else list(prepared.selected.columns)


def _fit_work(task: Task, name: str) -> Path | None:
    return None if task.work is None else home.ensure(task.work / "fits" / name)


def _keep(fitted: FittedFold, folder: Path) -> None:
    """Put a finished fold aside for a restart; done.json is written last, so half a fold is never read back."""
    shutil.rmtree(folder, ignore_errors=True)
    fitted.pipeline.save(folder / "pipeline")
    home.write_array(folder / "p.npy", fitted.p)
    home.write_array(folder / "baseline.npy", fitted.baseline)
    rest = facts_of(fitted) | {"points": [point.model_dump() for point in fitted.points]}
    home.write_bytes(folder / "done.json", json.dumps(rest).encode())


def _read_back(task: Task, fold: Fold, folder: Path) -> FittedFold:
    rest = json.loads((folder / "done.json").read_text())
    return from_facts(rest, fold, Pipeline.load(folder / "pipeline", task.config.family),
                      p=np.load(folder / "p.npy", allow_pickle=False),
                      baseline=np.load(folder / "baseline.npy", allow_pickle=False),
                      points=[Point(**each) for each in rest["points"]])


def facts_of(fitted: FittedFold) -> dict[str, Any]:
    """What is kept of a fold beside its model and predictions: counts and names, as JSON."""
    return {"train_figure": fitted.train_figure, "facts": asdict(fitted.facts), "kept": fitted.kept,
            "n_parameters": fitted.n_parameters, "note": fitted.note}


def from_facts(facts: dict[str, Any], fold: Fold, pipe: Pipeline, *, p: np.ndarray, baseline: np.ndarray,
               points: list[Point]) -> FittedFold:
    """A fold read back from where `facts_of` was kept."""
    return FittedFold(fold=fold, pipeline=pipe, p=p, baseline=baseline, train_figure=facts["train_figure"],
                      facts=FoldFacts(**facts["facts"]), kept=facts["kept"], n_parameters=facts["n_parameters"],
                      note=facts["note"], points=points)
