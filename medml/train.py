"""From a folder to an honestly evaluated model in the gallery. Read this first.

    read -> steps that learn nothing -> folds by patient
         -> in every fold: learn cleaning, selection, encoding and the model from its training rows, predict the rest
         -> the final model on all development rows -> evaluate the out-of-fold predictions -> publish by one rename
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medml import (
    abstain,
    brought,
    card,
    conformal,
    data,
    device,
    drive,
    fitting,
    gallery,
    home,
    overrides,
    pictures,
    provenance,
    publish,
    rivals,
    split,
    tried,
    unjudged,
    vault,
)
from medml import folds as folding
from medml import recipe as cleaning
from medml import rerun as reruns
from medml.as_made import config_as_made
from medml.cases import Cases, Fold, Predictions
from medml.errors import UserError
from medml.evaluate import Rerun, baselines, evaluate, metrics_of, score_in_use
from medml.evaluate.checks.patients import comes_back
from medml.evaluate.checks.phrases import texts_aside
from medml.evaluate.context import Context
from medml.evaluate.formula import columns_of
from medml.evaluate.subgroups import subgroup_columns
from medml.folds import FittedFold
from medml.pipeline import Pipeline
from medml.recipe.prepare import predictor_kinds
from medml.saved_split import SavedSplit
from medml.saved_split import read as read_split
from medml.types import Checkpoint, Metric, Profile, Recipe, Report, TrainConfig
from medml.watch import Part, Silent, Watch

FITTING = (0.02, 0.95)  # the part of the progress bar that fitting takes


@dataclass(frozen=True, slots=True)
class Ground:
    """What every stage of one training stands on."""

    cases: Cases
    development: np.ndarray  # positions into cases that may be fitted on
    held_out: np.ndarray  # positions into cases that stay closed; empty under cross-validation
    folds: list[Fold]  # of the development part
    data_sha256: str  # of the file as it was read
    split_sha256: str


def train(source: Path, profile: Profile, recipe: Recipe, config: TrainConfig, *, watch: Watch | None = None,
          job: str | None = None, halved: int = 0, finish: bool = False) -> str:
    """Train one configuration and return the name of the run that it became.

    source  the folder or file that the profile was made from
    job     an id that makes a restart go on from the folds already done, and never publish twice
    halved  how often half the rows a step are taken, since the memory ran out before
    finish  True where the job was stopped while it did not run: what attempts before had learned is judged and kept
    raises  UserError (file gone or changed, too few cases ...), Stopped if stopped before anything could be kept
    """
    watch = watch or Silent()
    already = publish.run_of_job(job, config)
    if already:
        return already
    started = time.monotonic()
    config = counted(overrides.judged(config, recipe))
    ground = prepare_ground(source, profile, recipe, config, watch=watch)
    refuse_row_split(ground, profile, config)
    work = None if job is None else home.work_folder(job)
    task = with_less_memory(fitting.Task(ground.cases, ground.development, recipe, config, watch, work,
                                         finish=finish), halved)
    config = task.config
    with device.few_threads(len(ground.cases.y)), card.alone(task.family.on_card, watch):
        fits = learned(task, ground.folds, lambda: fitting.fit_all(task, ground.folds, span=FITTING))
        folds, final = fits.folds, fits.final
        config = stopped_by_hand(config, task, job, fits)
        with unjudged.kept(task, fits), publish.begun(job, profile, recipe, config, ground, watch) as part:
            watch.say("evaluate", FITTING[1], "Making one fold a second time, to see that the numbers are the same")
            rerun = reruns.first_fold(task, part, folds, fits.seconds)
            watch.say("evaluate", FITTING[1], "Measuring on rows that no model had seen")
            keys = abstain.key_predictors(final, ground.cases.take(ground.development))
            report = measure(ground, profile, recipe, config, folds, final, keys=keys, rerun=rerun,
                             saved=read_split(part / publish.SPLIT),
                             others=rivals.predictions(config, ground.split_sha256, ground.cases))
            report = report.model_copy(update={"happened": told(task, folds, final)})
            watch.say("save", 0.99, "Saving the run")
            run = publish.new_run(part, watch=watch, job=job, config=config, ground=ground, folds=folds, final=final,
                                  report=report, keys=keys, seconds=time.monotonic() - started,
                                  history=[*(point for fold in folds for point in fold.points), *fits.points])
    overrides.remember(config, recipe, report)
    fitting.forget(work)
    watch.say("done", 1.0, "Finished")
    return run


AS_BEFORE = "Finished: the further rounds brought nothing better, so the figures are as before."


def continue_run(run: str, n_rounds: int, *, source: Path | None = None, watch: Watch | None = None,
                 job: str | None = None, halved: int = 0, finish: bool = False) -> Checkpoint:
    """Train for n_rounds more: in every fold from that fold's own state, and in the final model. A new checkpoint.

    Patients, folds and cleaning are those of the run: the same table is read again, and refused if it changed.
    """
    watch = watch or Silent()
    opened = gallery.open_run(run)
    ours = publish.checkpoint_of_job(opened, job)
    if ours is not None:
        return ours
    task, ground, folds, final = _take_up(opened, n_rounds, source=source, watch=watch, job=job)
    task = with_less_memory(replace(task, finish=finish), halved)
    with device.few_threads(len(ground.cases.y)), card.alone(task.family.on_card, watch):
        fits = learned(task, ground.folds, lambda: fitting.more(task, folds, final, n_rounds, span=FITTING))
        stopped_by_hand(opened.config, task, job, fits)  # before it is counted below
        with unjudged.kept(task, fits):
            checkpoint = _judge_further(task, opened, ground, folds, fits, n_rounds, job)
    fitting.forget(task.work)
    watch.say("done", 1.0, AS_BEFORE if gallery.open_run(run).chain.is_as_before() else "Finished")
    return checkpoint


def learned(task: fitting.Task, folds: list[Fold], learn: Callable[[], tuple]) -> unjudged.Fits:
    """What an attempt before had learned when it was asked to stop, else what `learn` learns now."""
    started = time.monotonic()
    return unjudged.read(task, folds) or unjudged.Fits(*learn(), seconds=time.monotonic() - started)


def _judge_further(task: fitting.Task, opened: gallery.Run, ground: Ground, before: list[FittedFold],
                   fits: unjudged.Fits, n_rounds: int, job: str | None) -> Checkpoint:
    """Measure what has gone on from `before`, and add it to the run's chain."""
    watch, further, final = task.watch, fits.folds, fits.final
    watch.say("evaluate", FITTING[1], "Going on with one fold a second time, to see that the numbers are the same")
    rerun = reruns.compared(task, further[0], fits.seconds / (len(further) + 1), fits.seconds,
                            lambda quiet: fitting.more_again(quiet, before[0].pipeline, before[0].fold, n_rounds))
    watch.say("evaluate", FITTING[1], "Measuring on rows that no model had seen")
    keys = abstain.key_predictors(final, ground.cases.take(ground.development))
    report = measure(ground, opened.profile, opened.recipe, counted(opened.config), further, final, keys=keys,
                     rerun=rerun, saved=publish.split_of(opened),
                     others=rivals.predictions(opened.config, ground.split_sha256, ground.cases))
    happened = dict.fromkeys([*opened.report.happened, *told(task, further, final)])
    watch.say("save", 0.99, "Saving the checkpoint")
    history = [*opened.history, *(point for fold in further for point in fold.points), *fits.points]
    return publish.new_checkpoint(opened, watch=watch, ground=ground, folds=further, final=final, keys=keys, job=job,
                                  report=report.model_copy(update={"happened": [*happened]}), history=history)


def open_held_out(run: str, *, source: Path | None = None, watch: Watch | None = None,
                  job: str | None = None) -> dict[str, Metric]:
    """Measure the current checkpoint on the part that was kept closed, and count the look (L10).

    raises  UserError where this run kept no part closed
    """
    watch = watch or Silent()
    opened = gallery.open_run(run)
    if opened.config.split.scheme != "held_out":
        raise UserError(what="No part of the table was kept closed for this run: it was judged by cross-validation.",
                        fix="Its out-of-fold figures are the honest estimate.", code="no_held_out")
    if brought.is_brought(opened.folder):
        raise brought.no_private_part()  # before a look is written down
    plan = vault.write_down(opened.config, vault.plan_of(run, opened.chain.current, opened.config, opened.report,
                                                         predictors_of(opened)))
    ground = prepare_ground(Path(source or opened.profile.source), opened.profile, opened.recipe, opened.config,
                            watch=watch)
    publish.same_split(opened, ground)  # else rows that were fitted on would be called unseen
    final = Pipeline.load(opened.sealed("final"), opened.config.family)
    watch.say("evaluate", 0.5, f"Predicting {len(ground.held_out):,} rows kept closed")
    closed = ground.cases.take(ground.held_out)
    predictions = Predictions(y=closed.y, p=final.predict(closed.X)[None], patients=closed.patients, task=closed.task,
                              classes=closed.classes, train=np.full(1, np.nan))
    figures = metrics_of(predictions, threshold=opened.report.threshold, seed=opened.config.seed)
    vault.record(opened.config, run, opened.chain.current, figures, plan_sha256=plan, job=job)
    watch.say("done", 1.0, "Finished")
    return figures


def predictors_of(opened: gallery.Run) -> list[str]:
    """The columns that a run learned from, by name."""
    return list(predictor_kinds(opened.recipe, opened.profile.table(opened.config.choice.table), opened.config.choice))


def prepare_ground(source: Path, profile: Profile, recipe: Recipe, config: TrainConfig, *, watch: Watch) -> Ground:
    """Read the table, apply the steps that learn nothing, keep a part closed where planned, make the folds.

    raises  UserError (file gone or changed, its drive lost, too few cases ...)
    """
    watch.say("read", 0.0, "Reading the table")
    with drive.reading(Path(source)):
        cases, read = _read(Path(source), profile, recipe, config, watch)
    development, closed = split.held_out(cases, config.split, config.seed)
    folds = split.make_folds(cases, config.split, config.seed)
    return Ground(cases=cases, development=development, held_out=closed, folds=folds, data_sha256=read,
                  split_sha256=provenance.split_sha256(read, cases.rows, closed, folds))


def _read(source: Path, profile: Profile, recipe: Recipe, config: TrainConfig, watch: Watch) -> tuple[Cases, str]:
    """The cases, and the SHA-256 of what they were read from."""
    table = profile.table(config.choice.table)
    opened = data.open_table(source, config.choice.table)
    read = opened.sha256()
    if read != config.data_sha256:
        raise _changed(config)
    frame, plan = opened.frame(), config.choice.pictures
    if opened.changed():  # while it was read: these may not be the rows that the hash is of
        raise _changed(config)
    if plan is not None and plan.frames == "all":
        frame = opened.each_frame(frame)
    groups = subgroup_columns(table, config)
    aside = dict.fromkeys([*groups, *columns_of(config.use.score, [each.name for each in table.columns]),
                           *texts_aside(table, config)])
    cases, _ = cleaning.prepare(frame, recipe, table, config.choice, short=opened.short, aside=list(aside))
    cases = replace(cases, subgroups=tuple(groups))
    if plan is not None:
        cases = pictures.with_pixels(cases, frame, opened, config.choice, watch=Part(watch, 0.0, FITTING[0]))
        pictures.refuse_damaged(cases, recipe)
    return cases, read


def _changed(config: TrainConfig) -> UserError:
    return UserError(what=f"“{config.choice.table.label}” has changed since it was scanned for this "
                          "training.", code="changed",
                     fix="Scan it again, look at the proposals, then start the training anew. Nothing was lost.")


def counted(config: TrainConfig) -> TrainConfig:
    """The configuration with the number of those that there are to choose from, itself included (E3)."""
    found = rivals.configurations(config.data_sha256, config.choice.target)
    return config.model_copy(update={"compared": found + 1})


def with_less_memory(task: fitting.Task, halved: int) -> fitting.Task:
    """The training with as many halvings of its steps, said so to whoever watches; MemoryError where none is left."""
    if not halved:
        return task
    smaller = task.with_half_the_rows(halved)
    task.watch.say("read", 0.0, smaller.happened([])[0])
    return smaller


def told(task: fitting.Task, folds: list[FittedFold], final: Pipeline) -> list[str]:
    """What came in the way of a training, for its report."""
    return task.happened([*(fold.pipeline.fitted for fold in folds), final.fitted])


def stopped_by_hand(config: TrainConfig, task: fitting.Task, job: str | None, fits: unjudged.Fits) -> TrainConfig:
    """The configuration after its rounds: ended by hand while the curve was shown, it counts as two tried (E3). One
    that was taken up has been counted by the attempt before."""
    if task.family.round is None or fits.taken_up or not task.stops:
        return config
    tried.count_stop(config.data_sha256, config.choice.target, job)
    return config.model_copy(update={"compared": config.compared + 1})


def refuse_row_split(ground: Ground, profile: Profile, config: TrainConfig) -> None:
    """Patients who come back and a split by row: no training (L1). UserError says which column repeats."""
    column = config.choice.patient
    again = column is not None and len(np.unique(ground.cases.patients)) < len(ground.cases.y)
    if column is None and comes_back(profile.table(config.choice.table)):
        column, again = profile.table(config.choice.table).repeats.column, True
    if config.split.by == "row" and again:
        raise UserError(what=f"“{column}” repeats: rows of one patient would stand on both sides of the split.",
                        fix="Choose it as the column that identifies a patient on the Scan page, then train again.",
                        code="repeated_patients")


def measure(ground: Ground, profile: Profile, recipe: Recipe, config: TrainConfig, folds: list[FittedFold],
            final: Pipeline, *, keys: dict[str, float], saved: SavedSplit, rerun: Rerun,
            others: dict[str, Predictions] | None = None) -> Report:
    """Evaluate the out-of-fold predictions, beside prevalence and plain regression on the very same folds.

    keys   what `abstain.key_predictors` says;   saved  the split as it lies on disk
    rerun  what came of making one fold a second time
    """
    cases, made = ground.cases, [fold.fold for fold in folds]
    p, plain = folding.gather(folds, len(cases.y))
    without, linear = baselines.required(cases.task)
    beside = {without: baselines.prevalence(cases, made), linear: gather(cases, folds, plain)}
    if config.use.score and cases.task == "binary":
        beside[score_in_use.NAME] = score_in_use.predicted(cases, made,
                                                           score_in_use.values_of(cases, config.use.score))
    context = Context(table=profile.table(config.choice.table), choice=config.choice, recipe=recipe, config=config,
                      cases=cases, folds=made, fold_facts=[fold.learned.facts for fold in folds], flow=cases.flow,
                      n_parameters=float(np.mean([fold.learned.n_parameters for fold in folds])),
                      held_out=ground.held_out if len(ground.held_out) else None,
                      looks=len(vault.read(config).looks), others=others or {},
                      selection=folding.selection_scores(folds, config, cases),
                      selection_note=folding.selection_note(folds, config), data_sha256=ground.data_sha256,
                      split_sha256=ground.split_sha256, code_version=provenance.code_version(),
                      versions=provenance.packages(), seeds={"configuration": config.seed},
                      threads=device.threads(len(cases.y)), saved=saved, rerun=rerun,
                      abstention=abstain.tried(folds, cases, keys),
                      heatmaps=pictures.heatmaps_judged(final, cases) if config.choice.pictures else (None, ()))
    told = gather(cases, folds, p)
    report = evaluate(told, beside, context, seed=config.seed)
    return report.model_copy(update={"conformal": conformal.calibrated(told, made, seed=config.seed)})


def gather(cases: Cases, folds: list[FittedFold], arrays: np.ndarray) -> Predictions:
    """Out-of-fold predictions in the order of the cases, (repeats, n, n_classes) or (repeats, n)."""
    return Predictions(y=cases.y, p=arrays, patients=cases.patients, task=cases.task, classes=cases.classes,
                       train=np.array([fold.train_figure for fold in folds]))


def _take_up(opened: gallery.Run, n_rounds: int, *, source: Path | None, watch: Watch,
             job: str | None) -> tuple[fitting.Task, Ground, list[FittedFold], Pipeline]:
    """The run's own table, folds and models, ready to go on."""
    config = opened.config
    final = Pipeline.load(opened.sealed("final"), config.family)
    if final.family.round is None:
        raise UserError(what=f"“{final.family.titled(config.choice.task)}” is fitted in one go: "
                             "there is nothing to continue.",
                        fix="Train a network to compare: it learns in rounds.", code="no_rounds")
    if n_rounds < 1:
        raise UserError(what="The number of further rounds must be at least 1.", fix="Ask for 1 or more.",
                        code="no_rounds")
    ground = prepare_ground(Path(source or opened.profile.source), opened.profile, opened.recipe, config, watch=watch)
    publish.same_split(opened, ground)
    as_it_was = config_as_made(opened.manifest, config)
    task = fitting.Task(ground.cases, ground.development, opened.recipe, as_it_was, watch,
                        None if job is None else home.work_folder(job))
    folds = publish.folds_of(opened, ground)
    return task, ground, folds, final


__all__ = ["continue_run", "open_held_out", "train"]
