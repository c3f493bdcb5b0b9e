"""What more patients would bring: the same training on growing parts of the patients, and a power law through them.

figure(n) = a - b n^-c (Figueroa, BMC Med Inform Decis Mak 2012;12:8), fitted in every bootstrap draw of patients, so
that the forecast has an interval. The parts grow by whole patients inside each fold's own training part; the rows
that judge are those of the run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from medml import home
from medml.as_made import config_as_made
from medml.cases import Fold, Predictions
from medml.errors import Stopped, UserError
from medml.measured import SizePoint
from medml.types import Curve, Forecast, Metric, Report
from medml.watch import Part, Quiet, Silent, Watch

SHARES = (0.2, 0.35, 0.55, 0.75)  # of the training patients; the run itself is the last point
POWERS = np.linspace(0.2, 1.5, 27)
MORE = 200  # further patients that the sentence speaks of
WORTH = 0.01  # of the headline figure
FEWEST = 4  # cases of each class that a part must hold to be learned from


def of_run(run: str, *, source: Path | None = None, more: int = MORE, watch: Watch | None = None) -> Forecast:
    """Train on parts of the patients, fit the curve, and keep it with the current checkpoint of the run.

    raises  UserError where the table is gone or has changed, or has too few patients; Stopped if stopped
    """
    from medml import fitting, gallery, publish
    from medml.train import prepare_ground

    watch = watch or Silent()
    opened = gallery.open_run(run)
    ground = prepare_ground(Path(source or opened.profile.source), opened.profile, opened.recipe, opened.config,
                            watch=watch)
    publish.same_split(opened, ground)
    folds = [each for each in ground.folds if each.repeat == 0]
    config = config_as_made(opened.manifest, opened.config)
    task = fitting.Task(ground.cases, ground.development, opened.recipe, config, Part(watch, 0, 1), None)
    whole = publish.out_of_fold(opened).p[0]
    parts = [(share, _predicted(task, folds, share, whole, watch, at)) for at, share in enumerate(SHARES)]
    found = forecast(ground.cases, folds, [*parts, (1.0, whole)], more=more, seed=opened.config.seed,
                     checkpoint=opened.chain.current)
    with gallery.changing(run) as folder:
        home.write_model(_path(folder, opened.chain.current), found)
    watch.say("done", 1.0, "Finished")
    return found


def _predicted(task, folds: list[Fold], share: float, like: np.ndarray, watch: Watch, at: int) -> np.ndarray:
    """Out-of-fold predictions by models that learned from that share of their fold's patients; shaped as `like`."""
    from medml import fitting

    p = np.full_like(like, np.nan)
    for place, fold in enumerate(folds):
        if watch.stopping():
            raise Stopped
        watch.say("train", (at + place / len(folds)) / len(SHARES),
                  f"Learning from {share:.0%} of the patients, fold {place + 1} of {len(folds)}")
        less = part_of(task.cases, fold, share, seed=task.config.seed)
        p[fold.test] = fitting.again(replace(task, watch=Quiet(watch)), less)
    return p


def part_of(cases, fold: Fold, share: float, *, seed: int) -> Fold:
    """The fold with that share of its training patients, whole, each class in its own share; smaller parts lie inside
    larger ones. UserError where a class would be too small to learn from."""
    y, patients = cases.y[fold.train], cases.patients[fold.train]
    names, first, place = np.unique(patients, return_index=True, return_inverse=True)
    strata = np.zeros(len(names), dtype=np.int64) if cases.task == "regression" else y[first]
    chosen = np.zeros(len(names), dtype=bool)
    order = np.random.default_rng([seed, fold.number]).permutation(len(names))
    for stratum in np.unique(strata):
        mine = order[strata[order] == stratum]
        chosen[mine[:max(1, round(share * len(mine)))]] = True
    kept = chosen[place]
    least = len(y[kept]) if cases.task == "regression" else np.bincount(y[kept], minlength=len(cases.classes)).min()
    if least < FEWEST:
        raise UserError(what="There are too few patients to learn from parts of them.", code="too_few",
                        fix="`size` says how many are needed; the checks N1 and N2 say it of this run.")
    return replace(fold, train=fold.train[kept])


def forecast(cases, folds: list[Fold], parts: list[tuple[float, np.ndarray]], *, more: int, seed: int, checkpoint: int,
             draws: int = 1000) -> Forecast:
    """The curve through parts (share of the training patients, predictions (n, n_classes) or (n,)), the last the whole.
    """
    from medml.evaluate import headline_name
    from medml.evaluate.figures import figures_of
    from medml.evaluate.intervals import metric
    from medml.evaluate.scored import score

    name = headline_name(cases.task)
    sizes = np.array([round(share * np.mean([len(np.unique(cases.patients[each.train])) for each in folds]))
                      for share, _ in parts], dtype=float)
    values, drawn = [], []
    for _, p in parts:
        told = Predictions(y=cases.y, p=p[None], patients=cases.patients, task=cases.task, classes=cases.classes,
                           train=np.full(len(folds), np.nan))
        scored = score(told, folds, seed=seed)
        figures = figures_of(scored, seed=seed, draws=draws, with_curves=False)
        values.append(float(figures.value[f"metric.{name}"]))
        drawn.append(figures.drawn[f"metric.{name}"])
    n = scored.n_cases
    points = [SizePoint(n=int(size), figure=metric(value, each, n))
              for size, value, each in zip(sizes, values, drawn, strict=True)]
    learned = more * sizes[-1] / scored.n_patients  # of so many more, those that a fold would learn from
    grid = np.unique(np.round(np.linspace(sizes[0], sizes[-1] + max(learned, sizes[-1] / 2), 60)))
    asked = np.append(grid, [sizes[-1] + learned, sizes[-1]])
    line = fitted(sizes, np.array(values)[:, None], asked)[:, 0]
    spread = fitted(sizes, np.array(drawn), asked)
    low, high = np.nanpercentile(spread, [2.5, 97.5], axis=1)
    then = metric(float(line[-2]), spread[-2], n)
    gain = metric(float(line[-2] - line[-1]), spread[-2] - spread[-1], n)
    return Forecast(checkpoint=checkpoint, points=points, more=more, then=then, gain=gain,
                    said=in_words(name, more, then, gain),
                    curve=Curve(x=[float(each) for each in grid], y=_short(line[:-2]),
                                low=_short(np.minimum(low, line)[:-2]), high=_short(np.maximum(high, line)[:-2])))


def fitted(n: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Least squares of a - b n^-c with b not below 0 and a not above 1, for all draws at once.

    n (points,), y (points, draws), at (k,) -> (k, draws); NaN in a draw stays NaN
    """
    best, error = np.full((len(at), y.shape[1]), np.nan), np.full(y.shape[1], np.inf)
    for power in POWERS:
        x = -(n ** -power)
        away = x - x.mean()
        b = np.maximum((away @ (y - y.mean(axis=0))) / (away @ away), 0.0)
        a = np.minimum(y.mean(axis=0) - b * x.mean(), 1.0)
        off = ((a + np.outer(x, b) - y) ** 2).sum(axis=0)
        better = off < error
        error = np.where(better, off, error)
        best = np.where(better, a + np.outer(-(at ** -power), b), best)
    return best


def in_words(name: str, more: int, then: Metric, gain: Metric) -> str:
    """What so many more patients would bring, in one sentence."""
    from medml.evaluate.words import title

    if then.value is None or gain.value is None:
        return "There are too few patients to say what more of them would bring."
    said = (f"With {more:,} more patients {title(name)} would be about {then.value:.3f} ({then.between()}), "
            f"{gain.value:+.3f} ({gain.between('+.3f')})")
    if gain.high < WORTH:
        return f"{said}: more patients of the same kind would hardly change it."
    if gain.low >= WORTH:
        return f"{said}: more patients would make it better."
    return f"{said}: whether more patients would make it much better cannot be told yet."


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{each:.4g}") for each in values]


# ---- kept ------------------------------------------------------------------------------------------------------

def _path(folder: Path, checkpoint: int) -> Path:
    return folder / f"forecast-{checkpoint}.json"


def with_forecast(report: Report, folder: Path, checkpoint: int) -> Report:
    """The report with the forecast of that checkpoint, where one was made."""
    try:
        return report.model_copy(update={"forecast": home.read_model(_path(folder, checkpoint), Forecast)})
    except (FileNotFoundError, ValidationError):
        return report
