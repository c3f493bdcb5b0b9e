"""L12: with the labels shuffled nothing can be learned; what still scores learns from the split, not from patients.

Two cheap models in the run's own folds: a ridge on all predictors, which says what chance alone reaches, and the
nearest neighbour, which finds out whether a case's own patient stands on the other side. Both are linear in the labels,
so all shuffles cost one factorisation and one search a fold.
"""

from __future__ import annotations

import numpy as np

from medml.cases import Cases, Fold
from medml.evaluate.catalogue import FEW, found, many
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.inputs import matrix_of
from medml.evaluate.metrics import plan_auroc
from medml.evaluate.words import HEADLINE, title
from medml.types import Check

SHUFFLES = 40
CHANCE = (0.45, 0.55)  # where the mean of an AUROC under shuffled labels must lie
CHANCE_R2 = 0.02
MOST_TRAIN, MOST_TEST = 20_000, 2_000  # rows a fold
ASK = "Check that the patient column is right and that no rows are copies of others, then train again."


@rule("L12")
def nothing_from_shuffled_labels(evidence: Evidence) -> Check:
    """The model beats the 95th percentile of shuffles; the shuffles' own mean lies at chance."""
    cases, name = evidence.context.cases, HEADLINE[evidence.scored.task]
    observed = evidence.report.metrics[name].value
    if evidence.report.n_cases < FEW or observed is None:
        return found("L12", "could_not_tell", f"{many(evidence.report.n_cases, 'case')} are too few to tell learning "
                                              "from chance.", n=evidence.report.n_cases)
    linear, nearest = shuffled_scores(cases, evidence.context.folds, seed=evidence.seed)
    bar, middle = float(np.percentile(linear, 95)), float(nearest.mean())
    bar = max(bar, 0.0) if name == "r2" else bar  # the mean for everybody reaches 0
    figures = {"observed": observed, "shuffled_95th": bar, "shuffled_mean": float(linear.mean()),
               "neighbour_mean": middle, "shuffles": SHUFFLES}
    what = (f"{title(name)} {observed:.3f}; with shuffled labels a plain model reaches {linear.mean():.3f} on average "
            f"and {bar:.3f} in one of twenty ({SHUFFLES} shuffles).")
    if not _at_chance(name, middle) or not _at_chance(name, float(linear.mean())):
        return found("L12", "warn", f"{what} Even shuffled labels can be looked up ({middle:.3f} by the nearest case): "
                                    "cases on both sides of the split belong together.", ASK, **figures)
    if observed <= bar:
        return found("L12", "warn", f"{what} The model is not above chance.",
                     evidence.not_better, **figures)
    return found("L12", "pass", what, **figures)


def _at_chance(name: str, mean: float) -> bool:
    return CHANCE[0] <= mean <= CHANCE[1] if name == "auroc" else mean <= CHANCE_R2


def shuffled_scores(cases: Cases, folds: list[Fold], *, seed: int, shuffles: int = SHUFFLES) -> tuple[np.ndarray,
                                                                                                    np.ndarray]:
    """(shuffles,) headline figures of the ridge and of the nearest neighbour, each on labels of its own shuffle."""
    rng = np.random.default_rng(seed)
    first = [_thinned(each, rng) for each in folds if each.repeat == 0]
    rows = np.unique(np.concatenate([np.concatenate([each.train, each.test]) for each in first]))
    labels = np.tile(cases.y[:, None].astype(float), shuffles)
    for shuffle in range(shuffles):
        labels[rows, shuffle] = shuffled(cases.y[rows], cases.patients[rows], rng)
    codes = [None] if cases.task == "regression" else [1] if len(cases.classes) == 2 else range(len(cases.classes))
    found = []
    for code in codes:
        y = labels if code is None else (labels == code).astype(float)
        found.append(_of_outcome(cases, first, y, number=code is None))
    linear, nearest = np.mean(found, axis=0)
    return linear, nearest


def shuffled(y: np.ndarray, patients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The labels (n,) dealt anew to whole patients: all rows of one get those of another, in order, repeated or cut to
    as many rows as there are.

    Not among patients with as many rows alone: where the sick have fewer visits, their number would still tell the
    outcome, and what was learned from it was taken for a fault of the split (0.577 on the cardiotocograms, 0.496 so).
    """
    order = np.argsort(patients, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(patients[order]) != 0))
    sizes = np.diff(np.append(starts, len(order)))
    given = np.repeat(rng.permutation(len(starts)), sizes)       # (n,) whose labels each row gets
    place = np.arange(len(order)) - np.repeat(starts, sizes)     # (n,) the how-manieth row of its patient
    dealt = np.empty_like(y)
    dealt[order] = y[order[starts[given] + place % sizes[given]]]
    return dealt


def _thinned(fold: Fold, rng: np.random.Generator) -> Fold:
    def some(rows: np.ndarray, most: int) -> np.ndarray:
        return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
    return Fold(some(fold.train, MOST_TRAIN), some(fold.test, MOST_TEST), fold.repeat, fold.number)


def _of_outcome(cases: Cases, folds: list[Fold], y: np.ndarray, *, number: bool) -> tuple[np.ndarray, np.ndarray]:
    """y (n, shuffles) -> (shuffles,) of the ridge and of the nearest neighbour, all folds together."""
    rows = np.concatenate([each.test for each in folds])
    place = np.concatenate([np.full(len(each.test), each.number) for each in folds])
    both = []
    for fold in folds:
        train, test = matrix_of(cases, fold)
        both.append(np.stack([_ridge(train, test, y[fold.train]), y[fold.train][_nearest(train, test)]]))
    scores = np.concatenate(both, axis=1)
    return tuple(np.array([_figure(y[rows, at], score[:, at], place, number) for at in range(y.shape[1])])
                 for score in scores)


def _ridge(train: np.ndarray, test: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n_test, shuffles): least squares with a penalty of one row in ten, for all shuffles at once."""
    gram = train.T @ train + 0.1 * len(train) * np.eye(train.shape[1])
    return test @ np.linalg.solve(gram, train.T @ (y - y.mean(axis=0))) + y.mean(axis=0)


def _nearest(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """(n_test,) the nearest training row of each test row."""
    away = (train**2).sum(axis=1)[None, :] - 2 * test @ train.T
    return away.argmin(axis=1)


def _figure(y: np.ndarray, score: np.ndarray, fold: np.ndarray, number: bool) -> float:
    if number:
        spread = float(((y - y.mean()) ** 2).sum())
        return 1 - float(((y - score) ** 2).sum()) / spread if spread > 0 else 0.0
    return float(np.nan_to_num(plan_auroc(y, score, fold)(np.ones((len(y), 1)))[0], nan=0.5))
