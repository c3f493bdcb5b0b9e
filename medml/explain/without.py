"""What it costs to do without predictors that may not be there at the bedside: the same folds, trained once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from medml import device, families, fitting, gallery, publish, train
from medml.as_made import config_as_made
from medml.cases import Cases, Predictions
from medml.errors import Stopped, UserError
from medml.evaluate import headline
from medml.evaluate.figures import Figures, figures_of
from medml.evaluate.intervals import DRAWS, metric
from medml.evaluate.scored import score
from medml.explain import found
from medml.explain.found import Costly, Without
from medml.types import TrainConfig
from medml.watch import Part, Quiet, Silent, Watch


def without(run: str, left_out: Sequence[Costly], source: Path | None = None, *, watch: Watch | None = None) -> Without:
    """Train the run's family without some columns in every one of its folds, compare out of fold, and keep the answer.

    raises  UserError where no predictor or all of them are named, the folder has changed, or the run is of pictures;
            Stopped
    """
    watch = watch or Silent()
    opened = gallery.open_run(run)
    ground = train.prepare_ground(Path(source or opened.profile.source), opened.profile, opened.recipe, opened.config,
                                  watch=watch)
    publish.same_split(opened, ground)
    names = refuse(ground.cases, [each.column for each in left_out])
    p = _again(opened, ground, names, Part(watch, 0.02, 0.9))
    watch.say("evaluate", 0.92, "Comparing on rows that no model had seen")
    value = _compared(opened, ground, list(left_out), p)
    found.keep(opened, value)
    watch.say("done", 1.0, "Finished")
    return value


def refuse(cases: Cases, names: Sequence[str]) -> list[str]:
    """The columns to leave out, each once; UserError where that makes no sense."""
    if "picture" in cases.kinds.values():
        raise UserError(what="This model looks at pictures: it has no predictor to leave out.",
                        fix="Open a model of a table.", code="of_pictures")
    unknown = [name for name in names if name not in cases.X.columns]
    if unknown:
        raise UserError(what=f"The model has no predictor {', '.join(unknown[:5])}.",
                        fix="Choose among the predictors of this model.", code="no_predictor")
    chosen = list(dict.fromkeys(names))
    if not 0 < len(chosen) < cases.X.shape[1]:
        what = "No predictor was marked." if not chosen else "Every predictor was marked: none would be left."
        raise UserError(what=what, fix="Mark those that you may not have when you need the answer.", code="none_left")
    return chosen


def _again(opened: gallery.Run, ground: train.Ground, names: list[str], watch: Watch) -> np.ndarray:
    """Out-of-fold predictions without these columns, as the run keeps its own."""
    cases = ground.cases
    fewer = replace(cases, X=cases.X.drop(columns=names),
                    kinds={name: kind for name, kind in cases.kinds.items() if name not in names})
    task = fitting.Task(fewer, ground.development, opened.recipe, settings_without(opened, names), Quiet(watch),
                        None)
    p = np.full_like(publish.out_of_fold(opened).p, np.nan)
    with device.few_threads(len(cases.y)):
        for place, fold in enumerate(ground.folds):
            if watch.stopping():
                raise Stopped
            watch.say("train", place / len(ground.folds), f"Fold {place + 1} of {len(ground.folds)}, without them")
            p[fold.repeat, fold.test] = fitting.again(task, fold)
    return p


def settings_without(opened: gallery.Run, names: Sequence[str]) -> TrainConfig:
    """The run's settings for fewer columns, with as many rounds as its current checkpoint has."""
    config, family = config_as_made(opened.manifest, opened.config), families.registry.get(opened.config.family)
    keep = lambda listed: [name for name in listed if name not in names]  # noqa: E731
    plan = config.selection.model_copy(update={"forced_in": keep(config.selection.forced_in),
                                               "forced_out": keep(config.selection.forced_out)})
    further = opened.checkpoint.parent is not None and family.rounds_param is not None
    params = config.params | ({family.rounds_param: opened.checkpoint.rounds} if further else {})
    return config.model_copy(update={"selection": plan, "params": params})


def _compared(opened: gallery.Run, ground: train.Ground, left_out: list[Costly], p: np.ndarray) -> Without:
    name = headline(opened.report)
    mine, theirs = (out_of_fold(opened, ground, each) for each in (p, publish.out_of_fold(opened).p))
    n = int(np.isfinite(p.reshape(*p.shape[:2], -1)).all(axis=2).any(axis=0).sum())
    told = [metric(float(each.value[f"metric.{name}"]), each.drawn[f"metric.{name}"], n) for each in (theirs, mine)]
    return Without(run=opened.run, checkpoint=opened.chain.current, left_out=left_out, figure=name, with_all=told[0],
                   without=told[1], difference=metric(*mine.difference(theirs, name), n))


def out_of_fold(opened: gallery.Run, ground: train.Ground, p: np.ndarray, *, with_curves: bool = False) -> Figures:
    """Figures of out-of-fold predictions on the run's folds; the same seed for all, so two can be paired."""
    cases = ground.cases
    predictions = Predictions(y=cases.y, p=p, patients=cases.patients, task=cases.task, classes=cases.classes,
                              train=np.full(len(ground.folds), np.nan))
    return figures_of(score(predictions, ground.folds, seed=opened.config.seed), seed=opened.config.seed, draws=DRAWS,
                      with_curves=with_curves)
