"""Sets of answers that hold the truth in a chosen share of patients: split conformal prediction on unseen rows.

Sources: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005); a set holds every class that is at
least as probable as the least probable truths were (Sadinle, Lei and Wasserman, JASA 2019;114:223), in each class by
itself where classes differ much in size; a number's interval is the usual distance (Lei et al., JASA 2018;113:1094).
The final model answers, the models of the folds set the thresholds: as in cross-conformal prediction that is near the
chosen share, and not a proof of it (Barber et al., Ann Stat 2021;49:486).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medml.cases import Fold, Predictions
from medml.evaluate.intervals import wilson
from medml.evaluate.scored import Sample, Scored, score
from medml.evaluate.thresholds import parts_of
from medml.measured import Conformal, ConformalLevel, Metric
from medml.privacy import round_3
from medml.types import SMALL_GROUP

LEVELS = (0.80, 0.90, 0.95)
UNEVEN = 0.5  # of the share that even classes would have: a rarer class is judged by itself


def calibrated(predictions: Predictions, folds: Sequence[Fold], *, seed: int = 0) -> Conformal:
    """Thresholds for later patients, and how often sets of that kind held the truth of patients who set none of them.

    predictions  out-of-fold, or of a validation part
    """
    scored = score(predictions, folds, threshold=0.5, seed=seed)
    apart = uneven(scored)
    return Conformal(n_patients=scored.n_patients, by_class=apart,
                     levels=[_level(scored, each, apart, seed) for each in LEVELS])


def uneven(scored: Scored) -> bool:
    """Whether the rarest class has less than half of what it would have if all were as frequent."""
    if scored.task == "regression":
        return False
    counts = np.bincount(np.concatenate([each.y for each in scored.samples]), minlength=scored.n_classes)
    return bool(counts.min() < UNEVEN * counts.sum() / scored.n_classes)


def within(p: np.ndarray, least: Sequence[float | None], level: float) -> np.ndarray:
    """(n, n_classes) bool: which classes belong to each row's set. The likeliest always does, so no set is empty.

    p      (n, n_classes) probabilities. Where no class reaches its threshold, the most probable ones that together
           reach the level are the set. Either makes the set hold the truth more often, never less.
    least  of each class, as in ConformalLevel
    """
    found = p >= np.array([0.0 if each is None else each for each in least])
    order = np.argsort(-p, axis=1, kind="stable")
    before = np.cumsum(np.take_along_axis(p, order, axis=1), axis=1) - np.take_along_axis(p, order, axis=1)
    likeliest = np.zeros_like(found)
    np.put_along_axis(likeliest, order, before < level, axis=1)
    some = found.any(axis=1, keepdims=True)
    np.put_along_axis(found, order[:, :1], True, axis=1)
    return np.where(some, found, likeliest)


def _level(scored: Scored, level: float, apart: bool, seed: int) -> ConformalLevel:
    whole = _thresholds(scored.samples, scored, level, apart)
    least, width = ([], whole[0]) if scored.task == "regression" else (whole, None)
    return ConformalLevel(level=level, least=least, width=width, **_tried(scored, level, apart, seed))


def _thresholds(samples: Sequence[Sample], scored: Scored, level: float, apart: bool) -> list[float | None]:
    """Least probability of each class, or [width]. Each patient counts once, however many rows and repeats it has."""
    y = np.concatenate([each.y for each in samples])
    patient = np.concatenate([scored.patient[each.rows] for each in samples])
    if scored.task == "regression":
        far = quantile(np.abs(y - np.concatenate([each.p for each in samples])), patient, level)
        return [None if far is None else _up(far)]
    p = np.concatenate([each.p for each in samples])
    given = p[np.arange(len(y)), y]  # the probability that the truth was given
    groups = [y == which for which in range(scored.n_classes)] if apart else [np.ones(len(y), bool)] * scored.n_classes
    found = [quantile(-given[each], patient[each], level) for each in groups]
    return [None if each is None else _down(-each) for each in found]


def quantile(values: np.ndarray, patient: np.ndarray, level: float) -> float | None:
    """The least value that at most a share 1 - level of new patients go beyond: the ceil((n + 1) level)-th of n.

    values   (m,);   patient  (m,) whose they are: those of one patient weigh as much as one value together
    returns  None where n patients cannot tell (n < level / (1 - level), or fewer than k)
    """
    _, place, rows = np.unique(patient, return_inverse=True, return_counts=True)
    n = len(rows)
    if n < SMALL_GROUP or level * (n + 1) > n:
        return None
    order = np.argsort(values, kind="stable")
    reached = np.cumsum((1 / rows)[place][order])
    return float(values[order][np.searchsorted(reached, level * (n + 1) - 1e-9)])


def _tried(scored: Scored, level: float, apart: bool, seed: int) -> dict[str, Metric]:
    """How often a patient's set held the truth and was one class, and how many it had; by thresholds of other folds."""
    held, n_inside, patient = [], [], []
    for repeat, sample in enumerate(scored.samples):
        whose = scored.patient[sample.rows]
        part = parts_of(sample.fold, whose, seed=seed + repeat)
        for number in np.unique(part):
            inside = part == number
            right, size = _judged(_taken(sample, ~inside), _taken(sample, inside), scored, level, apart)
            held.append(right)
            n_inside.append(size)
            patient.append(whose[inside])
    whose, sizes = np.concatenate(patient), np.concatenate(n_inside)
    share = _share(np.concatenate(held), whose)
    if scored.task == "regression":
        return {"held": share}
    return {"held": share, "single": _share(sizes == 1, whose), "size": _size(sizes, whose, scored.n_classes)}


def _size(sizes: np.ndarray, patient: np.ndarray, n_classes: int) -> Metric:
    """Mean size of a set: 1, and a share of the other classes, with that share's interval. Wilson's is for yes and no;
    a share between the two varies less, so that the interval of more than two classes is rather too wide."""
    others = n_classes - 1
    share = _share((sizes - 1) / others, patient)
    return Metric(value=1 + others * share.value, low=1 + others * share.low, high=1 + others * share.high, n=share.n)


def _judged(others: Sample, mine: Sample, scored: Scored, level: float,
            apart: bool) -> tuple[np.ndarray, np.ndarray]:
    """(m,) whether each row's set holds its truth, and (m,) how many classes it has; 0 for an interval."""
    found = _thresholds([others], scored, level, apart)
    if scored.task == "regression":
        return np.abs(mine.y - mine.p) <= (np.inf if found[0] is None else found[0]), np.zeros(len(mine.y), int)
    inside = within(mine.p, found, level)
    return inside[np.arange(len(mine.y)), mine.y], inside.sum(axis=1)


def _taken(sample: Sample, which: np.ndarray) -> Sample:
    return Sample(sample.rows[which], sample.y[which], sample.p[which], sample.fold[which], sample.decided[which])


def _share(flags: np.ndarray, patient: np.ndarray) -> Metric:
    """Mean over patients of the mean over their rows, with Wilson's interval for as many patients."""
    _, place, rows = np.unique(patient, return_inverse=True, return_counts=True)
    share = float(((1 / rows)[place] * flags).sum() / len(rows))
    interval = wilson(share, len(rows))
    return Metric(value=share, low=min(interval.low, share), high=max(interval.high, share), n=len(rows))


def _down(value: float) -> float:
    """The value to 3 significant digits, never above it: a class then belongs to the set rather too often."""
    rounded = round_3(value)
    return rounded if rounded <= value else max(0.0, _stepped(rounded, -1))


def _up(value: float) -> float:
    """The value to 3 significant digits, never below it."""
    rounded = round_3(value)
    return rounded if rounded >= value else _stepped(rounded, 1)


def _stepped(value: float, by: int) -> float:
    """A number of 3 significant digits moved by one in its last digit."""
    step = 10.0 ** (np.floor(np.log10(abs(value))) - 2)
    return round_3(value + by * step)
