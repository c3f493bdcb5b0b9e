"""A score for the bedside in place of a run, and what it costs: judged out of fold, beside the run, draw by draw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from medml import gallery, publish, train
from medml.errors import Stopped, UserError
from medml.evaluate.figures import Figures
from medml.evaluate.intervals import metric
from medml.explain import found
from medml.explain.contributions import outputs_of
from medml.explain.found import BedsideScore, Risk, Rule, Step
from medml.explain.points import MOST_PREDICTORS, Score, learn
from medml.explain.without import out_of_fold
from medml.privacy import round_3
from medml.types import Metric
from medml.watch import Silent, Watch

TOLD = ("auroc", "brier")
FEWEST_PREDICTORS, SO_MANY = 2, 10


def bedside(run: str, source: Path | None = None, *, most: int = MOST_PREDICTORS, of: str = "",
            watch: Watch | None = None) -> BedsideScore:
    """Learn a score of at most `most` predictors, judge it in the run's own folds, and keep it beside the run.

    Everything of the score is learned anew in every fold; the one that is shown learns from all development rows.
    of      of more than two classes the one that the points speak for, against all others
    raises  UserError where the outcome is a number or no class is named, the folder has changed, or the run is of
            pictures; Stopped
    """
    watch = watch or Silent()
    opened = gallery.open_run(run)
    _refuse(opened, most, of)
    ground = train.prepare_ground(Path(source or opened.profile.source), opened.profile, opened.recipe, opened.config,
                                  watch=watch)
    publish.same_split(opened, ground)
    ground, own = _one_class(ground, publish.out_of_fold(opened).p, of)
    cases = ground.cases
    p = np.full(own.shape[:2], np.nan)
    for place, fold in enumerate(ground.folds):
        if watch.stopping():
            raise Stopped
        watch.say("train", 0.05 + 0.6 * place / len(ground.folds), f"A score in fold {place + 1}")
        score = _learned(ground, fold.train, most)
        p[fold.repeat, fold.test] = score.risk(score.total(cases.X.iloc[fold.test]))
    watch.say("evaluate", 0.7, "Comparing the score with the model on rows that neither had seen")
    mine, theirs = (out_of_fold(opened, ground, each, with_curves=True) for each in (np.stack([1 - p, p], -1), own))
    value = _told(opened, ground, _learned(ground, ground.development, most), mine, theirs, of)
    found.keep(opened, value)
    watch.say("done", 1.0, "Finished")
    return value


def _refuse(opened: gallery.Run, most: int, of: str) -> None:
    task, classes = opened.report.task, opened.report.classes
    if opened.config.choice.pictures is not None:
        raise UserError(what="This model looks at pictures: it has no columns to give points to.",
                        fix="Open a model of a table.", code="no_score")
    if task == "regression":
        raise UserError(what="A bedside score gives points for an outcome of classes; this one is a number.",
                        fix="Add a column that says whether the number is beyond what matters at the bedside, scan "
                            "again, and train on that column. For the number itself use Predict.", code="no_score")
    if task == "multiclass" and of not in classes:
        raise UserError(what="This outcome has several classes, and a score speaks for one of them against all others.",
                        fix=f"Choose one: {', '.join(f'“{each}”' for each in classes[:12])}.",
                        typed="--of CLASS", code="no_score")
    if task == "binary" and of:
        raise UserError(what="This outcome has two classes, so the score speaks for the one that counts as yes.",
                        fix="Leave the class out.", code="no_score")
    if not FEWEST_PREDICTORS <= most <= SO_MANY:
        raise UserError(what=f"A bedside score has {FEWEST_PREDICTORS} to {SO_MANY} predictors.",
                        fix="Choose a number between them.", code="no_score")


def _one_class(ground: train.Ground, own: np.ndarray, of: str) -> tuple[train.Ground, np.ndarray]:
    """Several classes as one question: that class, against all others; the run's answers alike."""
    if not of:
        return ground, own
    cases, at = ground.cases, ground.cases.classes.index(of)
    question = replace(cases, y=(cases.y == at).astype(np.int64), task="binary", classes=[f"not {of}", of])
    return replace(ground, cases=question), np.stack([1 - own[..., at], own[..., at]], axis=-1)


def _learned(ground: train.Ground, rows: np.ndarray, most: int) -> Score:
    cases = ground.cases
    return learn(cases.X.iloc[rows], cases.y[rows], cases.kinds, cases.patients[rows], most=most)


def _told(opened: gallery.Run, ground: train.Ground, score: Score, mine: Figures, theirs: Figures,
          of: str) -> BedsideScore:
    judged = np.unique(np.concatenate([fold.test for fold in ground.folds]))
    n = len(judged)
    rules = [Rule(column=cut.column, steps=[Step(label=label, points=int(points)) for label, points
                                            in zip(cut.labels(), each, strict=True)])
             for cut, each in zip(score.cuts, score.points, strict=True)]
    totals, event = np.arange(score.largest + 1), f"“{opened.config.choice.target}” is {of or outputs_of(opened)[0]}"
    return BedsideScore(run=opened.run, checkpoint=opened.chain.current, event=event, of=of,
                        rules=rules, n_cases=n, n_patients=len(np.unique(ground.cases.patients[judged])),
                        risks=[Risk(points=int(at), predicted=round_3(float(risk)))
                               for at, risk in zip(totals, score.risk(totals), strict=True)],
                        figures=_figures(mine, n), model=_figures(theirs, n),
                        difference={name: metric(*mine.difference(theirs, name), n) for name in TOLD})


def _figures(figures: Figures, n: int) -> dict[str, Metric]:
    return {name: metric(float(figures.value[f"metric.{name}"]), figures.drawn[f"metric.{name}"], n)
            for name in TOLD} | figures.line(n)
