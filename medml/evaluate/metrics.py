"""Every figure of a model, under any weighting of its cases: one pass gives the figure and its bootstrap draws.

A `Measure` takes weights (n, draws) and returns name -> (draws,). What does not depend on the weights (sorting, ties,
indicators) is worked out once, so a thousand draws cost a few matrix products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from medml.evaluate.intervals import Measure, Measured, mean_told
from medml.evaluate.scored import Sample, Scored
from medml.evaluate.words import OF_TASK

Ranking = Callable[[np.ndarray], np.ndarray]
MANY = 20_000  # cases above which draws look at groups of neighbouring scores
GROUPS = 2_000


def measure_all(scored: Scored) -> Measure:
    """The measure of all metrics of the task, repeats averaged inside each draw; NaN where a draw cannot tell."""
    each = measure_each(scored)
    return lambda weights: {name: mean_told(values) for name, values in each(weights).items()}


def measure_each(scored: Scored) -> Measure:
    """The same, repeat by repeat: name -> (repeats, draws)."""
    plan = _number if scored.task == "regression" else _classes
    return by_repeat(scored.samples, [plan(each, scored.n_classes) for each in scored.samples])


def by_repeat(samples: Sequence[Sample], measures: Sequence[Measure]) -> Measure:
    """The repeats' measures beside each other: name -> (repeats, draws) or (repeats, points, draws)."""
    def measure(weights: np.ndarray) -> Measured:
        found = [each(weights if len(sample.rows) == len(weights) else weights[sample.rows])
                 for sample, each in zip(samples, measures, strict=True)]
        return {name: np.stack([each[name] for each in found]) for name in found[0]}
    return measure


def divide(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top / bottom, NaN where bottom is 0."""
    return np.divide(top, bottom, out=np.full(np.broadcast(top, bottom).shape, np.nan), where=np.asarray(bottom) != 0)


# ---- ranking ---------------------------------------------------------------------------------------------------

def coarse(plan: Callable[..., Ranking], y: np.ndarray, score: np.ndarray, fold: np.ndarray) -> Ranking:
    """`plan(y, score, fold)`, cheaper for many cases: draws look at cases in 2,000 groups of neighbouring scores.

    The figure itself (weights of one column) is exact; a draw differs from it by less than 1e-4, for an interval a
    hundred times as wide. Below 20,000 cases nothing is grouped.
    """
    exact = plan(y, score, fold)
    if len(y) <= MANY:
        return exact
    from scipy.sparse import csr_array

    rank = np.unique(score, return_inverse=True)[1]
    level = np.searchsorted(np.quantile(rank, np.arange(1, GROUPS) / GROUPS), rank, side="left")
    key = (fold.astype(np.int64) * GROUPS + level) * 2 + (y == 1)
    cells, place = np.unique(key, return_inverse=True)
    gather = csr_array((np.ones(len(y)), (place, np.arange(len(y)))), shape=(len(cells), len(y)))
    grouped = plan(cells % 2, (cells // 2 % GROUPS).astype(float), cells // 2 // GROUPS)
    return lambda weights: exact(weights) if weights.shape[1] == 1 else grouped(gather @ weights)


def plan_auroc(y: np.ndarray, score: np.ndarray, fold: np.ndarray) -> Ranking:
    """AUROC over all pairs of patients that the same model predicted: weighted mean of the folds' AUROC.

    Pairs across folds would compare two models' scales and are biased below 0.5 where there is no signal (Parker,
    BMC Bioinformatics 2007;8:326). Ties count a half. With one fold it is the usual AUROC.
    y (m,) 0/1; score, fold (m,)  ->  weights (m, draws) -> (draws,)
    """
    distinct, rank = np.unique(score, return_inverse=True)
    numbers, place = np.unique(fold, return_inverse=True)
    key = place * len(distinct) + rank
    positive, negative = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    negative = negative[np.argsort(key[negative], kind="stable")]
    sorted_key = key[negative]
    left = np.searchsorted(sorted_key, key[positive], "left")
    right = np.searchsorted(sorted_key, key[positive], "right")
    untied = np.array_equal(left, right)  # the second product would be the first again
    edges = np.searchsorted(sorted_key, np.arange(len(numbers) + 1) * len(distinct), "left")
    member = (place[positive] == np.arange(len(numbers))[:, None]).astype(float)  # (folds, positives)

    def auroc(weights: np.ndarray) -> np.ndarray:
        below = _running(weights[negative])
        mine = weights[positive]
        in_fold = member @ mine  # (folds, draws)
        ahead = np.einsum("ij,ij->j", mine, below[left])
        ahead = ahead + (ahead if untied else np.einsum("ij,ij->j", mine, below[right]))
        won = ahead / 2 - (in_fold * below[edges[:-1]]).sum(axis=0)
        return divide(won, (in_fold * (below[edges[1:]] - below[edges[:-1]])).sum(axis=0))
    return auroc


def plan_auprc(y: np.ndarray, score: np.ndarray, fold: np.ndarray | None = None) -> Ranking:
    """Average precision, sum of precision times step in recall, ties in one step (scikit-learn's definition).

    fold  is not looked at: all folds are ranked together, as the model's threshold would
    """
    positive, negative = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    positive = positive[np.argsort(-score[positive], kind="stable")]
    negative = negative[np.argsort(-score[negative], kind="stable")]
    found = np.searchsorted(-score[positive], -score[positive], "right")
    mistaken = np.searchsorted(-score[negative], -score[positive], "right")

    def auprc(weights: np.ndarray) -> np.ndarray:
        mine = weights[positive]
        true = _running(mine)[found]
        flagged = true + _running(weights[negative])[mistaken]
        precision = np.divide(true, flagged, out=np.zeros_like(true), where=flagged > 0)
        return divide(np.einsum("ij,ij->j", mine, precision), mine.sum(axis=0))
    return auprc


def _running(weights: np.ndarray) -> np.ndarray:
    """(m, draws) -> (m + 1, draws): total weight of the first 0 .. m rows."""
    total = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=total[1:])
    return total


# ---- classes ---------------------------------------------------------------------------------------------------

def _classes(sample: Sample, n_classes: int) -> Measure:
    classes = [1] if n_classes == 2 else list(range(n_classes))
    aurocs = [coarse(plan_auroc, sample.y == each, sample.score(each), sample.fold) for each in classes]
    auprcs = [coarse(plan_auprc, sample.y == each, sample.score(each), sample.fold) for each in classes]
    cells = (sample.y * n_classes + sample.decided == np.arange(n_classes**2)[:, None]).astype(float)
    losses = np.stack([_brier(sample.y, sample.p), _log_loss(sample.y, sample.p)])

    def measure(weights: np.ndarray) -> Measured:
        table = (cells @ weights).reshape(n_classes, n_classes, -1)  # (true, decided, draws)
        brier, log_loss = losses @ weights / weights.sum(axis=0)
        ranks = {"auroc": _macro([each(weights) for each in aurocs]),
                 "auprc": _macro([each(weights) for each in auprcs])}
        at = two_by_two(table) if n_classes == 2 else many_by_many(table)
        figures = ranks | {"brier": brier, "log_loss": log_loss} | at
        return {name: figures[name] for name in OF_TASK["binary"]}
    return measure


def plan_headline(sample: Sample, n_classes: int, task: str) -> Measure:
    """The figure that speaks for a task alone: {"auroc"} (macro over several classes), or {"r2"} of a number."""
    if task == "regression":
        number = _number(sample, n_classes)
        return lambda weights: {"r2": number(weights)["r2"]}
    classes = [1] if n_classes == 2 else list(range(n_classes))
    aurocs = [coarse(plan_auroc, sample.y == each, sample.score(each), sample.fold) for each in classes]
    return lambda weights: {"auroc": _macro([each(weights) for each in aurocs])}


def _brier(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Two classes: (p - y)^2 (Brier 1950, halved as is usual); several: the sum over the classes."""
    if p.shape[1] == 2:
        return (p[:, 1] - y) ** 2
    return ((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1)


def _log_loss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    least = np.finfo(float).eps  # as scikit-learn does: a probability of 0 costs 36, not infinity
    return -np.log(np.clip(p[np.arange(len(y)), y], least, 1 - least))


def _macro(of_classes: list[np.ndarray]) -> np.ndarray:
    """Mean over the classes that a draw can tell."""
    return mean_told(np.stack(of_classes))


def two_by_two(table: np.ndarray) -> Measured:
    """(2, 2, draws) true by decided -> figures at the threshold; NaN where nobody is in the denominator."""
    (tn, fp), (fn, tp) = table
    sensitivity, specificity = divide(tp, tp + fn), divide(tn, tn + fp)
    return {"accuracy": divide(tp + tn, tp + tn + fp + fn), "sensitivity": sensitivity, "specificity": specificity,
            "ppv": divide(tp, tp + fp), "npv": divide(tn, tn + fn), "f1": divide(2 * tp, 2 * tp + fp + fn),
            "balanced_accuracy": (sensitivity + specificity) / 2, "mcc": correlation(table)}


def many_by_many(table: np.ndarray) -> Measured:
    """(k, k, draws) -> macro averages, one class v. the rest.

    A class that is never decided for has a positive predictive value and an F1 of 0, as in scikit-learn.
    """
    true, decided, everybody = table.sum(axis=1), table.sum(axis=0), table.sum(axis=(0, 1))
    tp = np.einsum("iij->ij", table)
    fp, fn = decided - tp, true - tp
    tn = everybody - tp - fp - fn
    present = true > 0
    ppv = np.where(present & (decided == 0), 0.0, divide(tp, decided))
    sensitivity = divide(tp, true)
    return {"accuracy": divide(tp.sum(axis=0), everybody), "sensitivity": _macro(list(sensitivity)),
            "specificity": _macro(list(divide(tn, tn + fp))), "ppv": _macro(list(ppv)),
            "npv": _macro(list(divide(tn, tn + fn))), "f1": _macro(list(divide(2 * tp, 2 * tp + fp + fn))),
            "balanced_accuracy": _macro(list(sensitivity)), "mcc": correlation(table)}


def correlation(table: np.ndarray) -> np.ndarray:
    """Matthews' correlation for any number of classes (Gorodkin 2004); 0 where one class alone is decided for."""
    true, decided, everybody = table.sum(axis=1), table.sum(axis=0), table.sum(axis=(0, 1))
    covariance = np.einsum("iij->j", table) * everybody - (true * decided).sum(axis=0)
    spread_true = everybody**2 - (true**2).sum(axis=0)
    spread = np.sqrt(spread_true * (everybody**2 - (decided**2).sum(axis=0)))
    return np.where(spread_true == 0, np.nan, np.divide(covariance, spread, out=np.zeros_like(spread),
                                                        where=spread > 0))


# ---- a number --------------------------------------------------------------------------------------------------

def _number(sample: Sample, _: int) -> Measure:
    error = sample.y - sample.p
    centred = sample.y - sample.y.mean()  # keeps the sums small
    sums = np.stack([np.abs(error), error**2, centred, centred**2])

    def measure(weights: np.ndarray) -> Measured:
        n = weights.sum(axis=0)
        absolute, squared, first, second = sums @ weights / n
        spread = second - first**2
        return {"mae": absolute, "rmse": np.sqrt(squared),
                "r2": 1 - divide(squared, np.where(spread > 1e-12 * np.maximum(second, 1e-300), spread, 0.0))}
    return measure


# ---- live curves -----------------------------------------------------------------------------------------------

def quick_figure(task: str, y: np.ndarray, p: np.ndarray) -> float | None:
    """The headline figure without interval, for live curves: AUROC (macro over classes), or R2 for a number.

    y (n,);  p (n, n_classes), (n,) of the positive class, or (n,) numbers.   None where one class alone is there
    """
    y, p = np.asarray(y), np.asarray(p, dtype=float)
    if task == "regression":
        spread = float(((y - y.mean()) ** 2).sum()) if len(y) else 0.0
        return 1 - float(((y - p) ** 2).sum()) / spread if spread > 0 else None
    scores = p[:, None] if p.ndim == 1 else (p[:, 1:] if p.shape[1] == 2 else p)
    codes = [1] if scores.shape[1] == 1 else range(scores.shape[1])
    found = [_one_auroc(y == code, scores[:, place]) for place, code in enumerate(codes)]
    told = [each for each in found if each is not None]
    return float(np.mean(told)) if told else None


def quick_loss(task: str, y: np.ndarray, p: np.ndarray) -> float | None:
    """The loss without interval, for live curves: log loss, or the mean squared error of a number.

    y (n,);  p (n, n_classes) or (n,) numbers.   None where there is no row
    """
    y, p = np.asarray(y), np.asarray(p, dtype=float)
    if not len(y):
        return None
    return float(((y - p) ** 2).mean()) if task == "regression" else float(_log_loss(y, p).mean())


def _one_auroc(positive: np.ndarray, score: np.ndarray) -> float | None:
    above, below = np.sort(score[positive]), np.sort(score[~positive])
    if not above.size or not below.size:
        return None
    won = np.searchsorted(below, above, "left").sum() + np.searchsorted(below, above, "right").sum()
    return float(won / 2 / above.size / below.size)
