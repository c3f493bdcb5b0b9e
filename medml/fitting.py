"""Fit every fold and the final model, speak while doing so, and go on after a kill from where the work was.

Two schedules. Families with rounds (epochs, trees) learn side by side, a stretch of rounds in each fold and in the
final model in turn: a stop at any time keeps what all of them have learned (networks: their best epoch), with
out-of-fold figures for every patient. All other families are fitted fold after fold.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from medml import families, home, mishaps, pipeline
from medml.cases import Cases, FitData, Fold
from medml.curve import Curve, training_figure
from medml.errors import Paused, Stopped
from medml.folds import FittedFold, Learned, Stretches, keep_fold, keep_learned, name_of, read_fold, read_learned
from medml.pipeline import Matrix, PictureMatrix, Pipeline
from medml.types import Point, Recipe, TrainConfig
from medml.watch import Watch

BASELINE = "logistic"  # regularised regression; ridge for a number
PREPARING = {"epoch": 0.15, "trees": 0.4}  # of the bar: cleaning, selection, encoding and the baseline of every fold
FIRST_STRETCHES = (1, 5)  # rounds after which folds take turns at first, so that an early stop finds all of them begun
STRETCHES = 20  # later stretches: this many to the end


@dataclass(frozen=True, slots=True)
class Task:
    """One training in hand: what is fitted, how, and where its unfinished work is kept (None: nowhere)."""

    cases: Cases
    development: np.ndarray  # positions into cases that the final model learns from
    recipe: Recipe
    config: TrainConfig
    watch: Watch
    work: Path | None
    halved: int = 0  # how often the memory ran out before: points of curves with other steps are not read back
    finish: bool = False  # it was stopped while it did not run: what attempts before had learned is all that is wanted

    @property
    def family(self) -> families.Family:
        return families.registry.get(self.config.family)

    @property
    def params(self) -> dict[str, Any]:
        """Every setting; what the size of the data decides is decided once, by all development rows, so that the folds
        and the final model learn in the same way."""
        return settings_of(self.config, self.cases, len(self.development))

    @property
    def stops(self) -> bool:
        """Whether somebody asked to stop, now or before this attempt began."""
        return self.finish or self.watch.stopping()

    @property
    def rounds(self) -> int:
        """How many a fit aims at, for a family that has them."""
        return int(self.params[self.family.rounds_param])

    def with_half_the_rows(self, times: int) -> Task:
        """The same training with half as many rows a step, so many times over; its configuration says so.

        raises  MemoryError where a step has as few rows as it can have
        """
        low = next(each.low for each in self.family.params if each.name == "batch")
        batch = int(self.params["batch"]) >> times
        if batch < low:
            raise MemoryError
        return replace(self, config=self.config.model_copy(update={"params": self.config.params | {"batch": batch}}),
                       halved=times)

    def happened(self, fits: list[Any]) -> list[str]:
        """What came in the way of this training, a sentence each.   fits  what the family's fits returned"""
        unit = "pictures" if self.family.sees == "pictures" else "rows"
        steps = [mishaps.half_the_rows(unit, self.params["batch"], self.halved)] if self.halved else []
        return steps + mishaps.in_words([self.family.happened(each) for each in fits])


@dataclass(slots=True)
class Bench:
    """One fold (or the final model: fold None) with all that its fit needs."""

    fold: Fold | None
    matrix: Matrix | PictureMatrix
    data: FitData
    seen: tuple[np.ndarray, np.ndarray] | None  # the fold's test rows, encoded, and their outcomes
    learned: Learned | None  # None where a finished model goes on and nothing is learned before it
    baseline: np.ndarray | None
    curve: Curve | None = None
    fitted: Any = None
    since: int | None = None  # rounds of the finished model that goes on; None: a first training

    @property
    def start(self) -> int:
        return self.since or 0


def fit_all(task: Task, folds: list[Fold], *, span: tuple[float, float]) -> tuple[list[FittedFold], Pipeline,
                                                                                  list[Point]]:
    """Every fold and the final model, within `span` of the job's progress; and the final model's points.

    raises  Stopped where a stop came before anything could be kept
    """
    schedule = _one_by_one if task.family.round is None else _side_by_side
    return schedule(task, folds, span)


def settings_of(config: TrainConfig, cases: Cases, n_rows: int) -> dict[str, Any]:
    """Every setting of the family by name, what nobody set as it is usual for so many development rows."""
    pictures = config.choice.pictures
    width = cases.X.shape[1] if pictures is None else pictures.size
    return families.registry.get(config.family).settled(config.params, n_rows, width, cases.task)


def seed_of(config: TrainConfig, fold: Fold | None) -> int:
    """One seed a fit, the same in every re-run; the final model takes the configuration's own."""
    return config.seed if fold is None else config.seed + 1009 * (fold.repeat + 1) + 31 * (fold.number + 1)


# ---- schedules -------------------------------------------------------------------------------------------------

def _one_by_one(task: Task, folds: list[Fold], span: tuple[float, float]) -> tuple[list[FittedFold], Pipeline,
                                                                                   list[Point]]:
    done: list[FittedFold] = []
    step = (span[1] - span[0]) / (len(folds) + 1)
    for place, fold in enumerate([*folds, None]):
        low = span[0] + step * place
        label = f"Fold {place + 1} of {len(folds)}" if fold is not None else "Final model"
        kept = None if fold is None else read_fold(_folder(task, fold), fold, task.config.family)
        if kept is not None:
            task.watch.say("train", low + step, f"{label} was already done")
            done.append(kept)
            continue
        if task.watch.stopping():
            raise Stopped
        bench = _bench(task, fold, low, label)
        bench.curve = Curve(task.watch, fold, seen=bench.seen, diary=_diary(task, fold),
                            advance=_speaker(task.watch, low, low + step, label))
        bench.fitted = task.family.fit(bench.data, task.params, seed=seed_of(task.config, fold), rounds=bench.curve,
                                       work=_folder(task, fold))
        if bench.curve.stopped:
            raise Stopped
        if fold is None:
            return done, Pipeline(bench.matrix, task.family, bench.fitted), bench.curve.points
        done.append(_finished(task, bench))
        keep_fold(done[-1], _folder(task, fold))
        task.watch.safe_point()
    raise ValueError("there is always a final model")


def _side_by_side(task: Task, folds: list[Fold], span: tuple[float, float]) -> tuple[list[FittedFold], Pipeline,
                                                                                     list[Point]]:
    benches, middle = [], span[0] + PREPARING[task.family.round] * (span[1] - span[0])
    for place, fold in enumerate([*folds, None]):
        if task.watch.stopping():
            raise Stopped
        label = f"Fold {place + 1} of {len(folds)}" if fold is not None else "Final model"
        benches.append(_bench(task, fold, span[0] + (middle - span[0]) * place / (len(folds) + 1), label))
    _watched(task, benches, task.rounds, (middle, span[1]))
    _learn_in_turns(task, benches, task.rounds)
    final = benches.pop()
    return [_finished(task, bench) for bench in benches], Pipeline(final.matrix, task.family, final.fitted), \
        final.curve.points


def _watched(task: Task, benches: list[Bench], n_rounds: int, span: tuple[float, float]) -> None:
    """Give every bench a curve that speaks for all of them, within `span` of the job's progress."""
    shares = dict.fromkeys(range(len(benches)), 0.0)
    for place, bench in enumerate(benches):
        def advance(share: float, place: int = place) -> None:
            shares[place] = share
            task.watch.say("train", span[0] + (span[1] - span[0]) * sum(shares.values()) / len(shares),
                           _side_by_side_sentence(list(shares.values()), n_rounds))
        bench.curve = Curve(task.watch, bench.fold, seen=bench.seen, from_round=bench.start,
                            total=bench.start + n_rounds, diary=_diary(task, bench.fold), advance=advance,
                            rests=task.family.round == "epoch")


def _side_by_side_sentence(shares: list[float], total: int) -> str:
    """Where models that learn side by side are; one that stopped early counts as done, not as at the last round."""
    learning = [share for share in shares if share < 1]
    done = len(shares) - len(learning)
    if not learning:
        return f"All {done} models are done"
    tenth = max(1, total // 10)  # a sentence a tenth is enough for a log
    at = max(1, int(round(max(learning) * total)) // tenth * tenth)
    ended = f"; {done} of {len(shares)} models are done" if done else ""
    return f"Round {at} of at most {total} in every fold{ended}"


def _learn_in_turns(task: Task, benches: list[Bench], n_rounds: int) -> None:
    """Stretch after stretch, every fold once; ends when all are tired, after n_rounds, or on a stop when
    all have begun.

    What goes on from a finished model is never tired: somebody asked for these very rounds. A task to finish learns
    nothing further but the first round of a fold that has not begun.
    """
    stretches = [Stretches(_folder(task, bench.fold), task.family) for bench in benches]
    for bench, kept in zip(benches, stretches, strict=True):
        bench.fitted = kept.take_up() or bench.fitted
    for end in _ends(n_rounds):
        for bench, kept in zip(benches, stretches, strict=True):
            if _is_tired(task, bench):
                bench.curve.advance(1.0)
                continue
            if task.finish and _all_begun(task, benches):
                return
            _learn_to(task, bench, bench.start + end, kept)
            if bench.curve.stopped and _all_begun(task, benches):
                return


def _all_begun(task: Task, benches: list[Bench]) -> bool:
    return all(_rounds_of(task, each) > each.start for each in benches)


def _learn_to(task: Task, bench: Bench, until: int, kept: Stretches) -> None:
    """One stretch of one fold, unless it is there already."""
    if bench.fitted is None or _rounds_of(task, bench) < until:
        before = {} if bench.fitted is None else task.family.happened(bench.fitted)
        bench.fitted = task.family.fit_to(bench.fitted, bench.data, until, task.params, rounds=bench.curve,
                                          seed=seed_of(task.config, bench.fold), work=_folder(task, bench.fold),
                                          since=bench.since)
        for sentence in mishaps.in_words([dict(task.family.happened(bench.fitted).items() - before.items())]):
            task.watch.say("train", 0.0, sentence)
        kept.maybe(bench.fitted)
        try:
            task.watch.safe_point()
        except Paused:
            kept.write(bench.fitted)
            raise


def _is_tired(task: Task, bench: Bench) -> bool:
    if bench.fitted is None:
        return False
    tired = bench.since is None and task.family.tired(bench.fitted, task.params)
    return tired or task.family.ended(bench.fitted, bench.start)


def _rounds_of(task: Task, bench: Bench) -> int:
    return 0 if bench.fitted is None else task.family.rounds_done(bench.fitted)


def _ends(total: int) -> list[int]:
    """Rounds after which the folds take turns."""
    size = max(1, total // STRETCHES)
    return sorted({min(each, total) for each in (*FIRST_STRETCHES, *range(size, total + size, size))})


def again(task: Task, fold: Fold) -> np.ndarray:
    """Predictions of one fold for its test rows, learned anew from its training rows alone (G1).

    raises  Stopped where the watch says stop before the end
    """
    bench = _bench(task, fold, 0.0, "Once more", with_baseline=False)
    total = None if task.family.round is None else task.rounds
    bench.curve = Curve(task.watch, fold, total=total, advance=lambda share: None)
    if total is None:
        bench.fitted = task.family.fit(bench.data, task.params, seed=seed_of(task.config, fold), rounds=bench.curve)
    else:
        _learn_in_turns(task, [bench], total)
    if bench.curve.stopped:
        raise Stopped
    return task.family.predict(bench.fitted, bench.seen[0])


# ---- one fold --------------------------------------------------------------------------------------------------

def _bench(task: Task, fold: Fold | None, low: float, label: str, *, with_baseline: bool = True) -> Bench:
    """Learn cleaning, selection and encoding from the fold's training rows, or read back what a killed attempt had."""
    cases, folder = task.cases, _folder(task, fold)
    rows = task.development if fold is None else fold.train
    task.watch.say("train", low, f"{label}: cleaning and encoding {len(rows):,} training rows")
    kept = read_learned(folder)
    if kept is None:
        learned = _learn(task, fold, rows)
        data = pipeline.fit_data(learned.matrix, cases, rows)
        seen = _seen(learned.matrix, cases, fold)
        baseline = _baseline(task, fold, data, seen) if with_baseline else None
        keep_learned(folder, learned, baseline)
        task.watch.safe_point()
    else:
        learned, baseline = kept
        data, seen = pipeline.fit_data(learned.matrix, cases, rows), _seen(learned.matrix, cases, fold)
    return Bench(fold=fold, matrix=learned.matrix, data=data, seen=seen, learned=learned, baseline=baseline)


def _learn(task: Task, fold: Fold | None, rows: np.ndarray) -> Learned:
    place = {} if fold is None else {"repeat": fold.repeat, "number": fold.number, "n_test": len(fold.test)}
    prepared = pipeline.prepare(task.cases, rows, task.recipe, task.config, seed=seed_of(task.config, fold),
                                watch=task.watch, **place)
    selected = prepared.selected
    return Learned(matrix=prepared.matrix, facts=prepared.facts, n_parameters=prepared.n_parameters,
                   kept=list(task.cases.X.columns) if selected is None else list(selected.columns),
                   note="" if selected is None else selected.note)


def _seen(matrix: Matrix | PictureMatrix, cases: Cases, fold: Fold | None) -> tuple[np.ndarray, np.ndarray] | None:
    return None if fold is None else (matrix.encode(cases.X.iloc[fold.test]), cases.y[fold.test])


def _baseline(task: Task, fold: Fold | None, data: FitData, seen: tuple[np.ndarray, np.ndarray] | None) \
        -> np.ndarray | None:
    """What plain regularised regression says of the same rows from the same matrix (E7)."""
    if seen is None or task.config.family == BASELINE:
        return None
    kind, visible = families.registry.get(BASELINE), replace(data, X=pipeline.plain(data.X))
    fitted = kind.fit(visible, kind.filled({}), seed=seed_of(task.config, fold))
    return kind.predict(fitted, pipeline.plain(seen[0]))


def _finished(task: Task, bench: Bench) -> FittedFold:
    family = task.family
    p, p_train = family.predict(bench.fitted, bench.seen[0]), family.predict(bench.fitted, bench.data.X)
    facts = replace(bench.learned.facts, resampled_rows=family.weighed(bench.fitted))
    return FittedFold(fold=bench.fold, pipeline=Pipeline(bench.matrix, family, bench.fitted), p=p,
                      baseline=p if bench.baseline is None else bench.baseline,
                      learned=replace(bench.learned, facts=facts),
                      train_figure=training_figure(task.cases, bench.data.y, p_train),
                      points=bench.curve.points)


# ---- more rounds -----------------------------------------------------------------------------------------------

def more(task: Task, folds: list[FittedFold], final: Pipeline, n_rounds: int, *, span: tuple[float, float]) \
        -> tuple[list[FittedFold], Pipeline, list[Point]]:
    """n_rounds further in every fold, from its own state and on its own training rows, and in the final model; side by
    side, so that a stop keeps what all of them have learned.

    raises  Stopped where a stop came before anything was learned: the run stays as it was
    """
    if task.watch.stopping():
        raise Stopped
    benches = [*(_further(task, done.pipeline, done.fold, done.learned) for done in folds),
               _further(task, final, None, None)]
    _watched(task, benches, n_rounds, span)
    _learn_in_turns(task, benches, n_rounds)
    last = benches.pop()
    return [_gone_on(task, done, bench) for done, bench in zip(folds, benches, strict=True)], \
        replace(final, fitted=last.fitted), last.curve.points


def more_again(task: Task, pipe: Pipeline, fold: Fold, n_rounds: int) -> np.ndarray:
    """Predictions of one fold for its test rows after going on from `pipe` once more (G1); Stopped as in `again`."""
    bench = _further(task, pipe, fold, None)
    bench.curve = Curve(task.watch, fold, from_round=bench.start, total=bench.start + n_rounds,
                        advance=lambda share: None)
    _learn_in_turns(task, [bench], n_rounds)
    if bench.curve.stopped:
        raise Stopped
    return task.family.predict(bench.fitted, bench.seen[0])


def _further(task: Task, pipe: Pipeline, fold: Fold | None, learned: Learned | None) -> Bench:
    """A finished model, ready to go on from."""
    rows = task.development if fold is None else fold.train
    return Bench(fold=fold, matrix=pipe.matrix, data=pipeline.fit_data(pipe.matrix, task.cases, rows),
                 seen=_seen(pipe.matrix, task.cases, fold), learned=learned, baseline=None, fitted=pipe.fitted,
                 since=task.family.rounds_done(pipe.fitted))


def _gone_on(task: Task, done: FittedFold, bench: Bench) -> FittedFold:
    """A fold after further rounds."""
    p_train = task.family.predict(bench.fitted, bench.data.X)
    return replace(done, pipeline=replace(done.pipeline, fitted=bench.fitted), points=bench.curve.points,
                   p=task.family.predict(bench.fitted, bench.seen[0]),
                   train_figure=training_figure(task.cases, bench.data.y, p_train))


def _speaker(watch: Watch, low: float, high: float, label: str) -> Callable[[float], None]:
    return lambda share: watch.say("train", low + (high - low) * share, label)


def _folder(task: Task, fold: Fold | None) -> Path | None:
    """Where one fit keeps its unfinished work."""
    return None if task.work is None else home.ensure(task.work / ("final" if fold is None else name_of(fold)))


def _diary(task: Task, fold: Fold | None) -> Path | None:
    folder = _folder(task, fold)
    return None if folder is None else folder / f"points{task.halved or ''}.jsonl"


def forget(work: Path | None) -> None:
    """Remove unfinished work once it is published."""
    if work is not None:
        shutil.rmtree(work, ignore_errors=True)
