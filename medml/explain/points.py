"""An integer score: a few predictors cut into steps, points a step, and the risk that so many points stand for.

Learned from the training rows it is given and from no other, so that a fold can judge it: borders, which predictors,
their points, the risk. In the manner of AutoScore (Xie et al., JMIR Med Inform 2020;8:e21798), with a regularised
regression in place of a forest to rank predictors. How many predictors, and how far the risks are shrunk towards the
share of all, is told by cross-validation inside the training rows (heuristic shrinkage by the calibration slope:
Steyerberg, Clinical Prediction Models, 2nd ed., ch. 13): small tables get fewer predictors and less extreme risks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from medml.explain.bins import MISSING
from medml.privacy import OLDEST, suppress
from medml.steps.patients import FEWEST, by_patient, n_patients, patients_of_each
from medml.steps.step import NUMERIC
from medml.types import SMALL_GROUP, Kind

CUTS = (0.2, 0.4, 0.6, 0.8)  # where a number is cut, in shares of the patients
MOST_PREDICTORS = 5
LARGEST = (3, 4, 5, 6, 8, 10)  # points that the longest predictor may have; the fewest that cost nothing are taken
COSTS_NOTHING = 0.002  # AUROC on the training rows
PENALTY = 1.0  # scikit-learn's C
PARTS = 5  # of the cross-validation inside
LEAST_SLOPE = 0.1  # a score whose slope inside is lower tells next to nothing


@dataclass(frozen=True, slots=True)
class Cut:
    """How one column becomes steps.

    edges   borders of a number, a border belongs to the step below;   levels  names of a category's steps
    other   whether all other categories together are a step;   missing  whether "not recorded" is one
    usual   place of the step that most patients are in, which stands for what has no step
    """

    column: str
    edges: tuple[float, ...]
    levels: tuple[str, ...]
    missing: bool
    other: bool = False
    usual: int = 0

    @property
    def n_steps(self) -> int:
        return (len(self.levels) or len(self.edges) + 1) + self.other + self.missing

    def place(self, values: pd.Series) -> np.ndarray:
        """(n,) the step of each value; what has no step (a rare category, not recorded) is in the usual one."""
        if self.levels:
            at = pd.Index(self.levels, dtype=object).get_indexer(pd.Index(values, dtype=object))
            at = np.where((at < 0) & values.notna().to_numpy() & self.other, len(self.levels), at)
        else:
            numbers = values.to_numpy(float)
            at = np.where(np.isfinite(numbers), np.searchsorted(self.edges, numbers, "left"), -1)
        unknown = values.isna().to_numpy() if self.missing else np.zeros(len(values), dtype=bool)
        return np.where(unknown, self.n_steps - 1, np.where(at < 0, self.usual, at))

    def labels(self) -> list[str]:
        """The steps in words, in the order of their places."""
        said = [f"{each:g}" for each in self.edges]
        names = list(self.levels) or ([f"{low} to {high}" for low, high in zip(said, said[1:], strict=False)])
        if not self.levels:
            names = [f"up to {said[0]}", *names, f"above {said[-1]}"]
        return names + (["any other"] if self.other else []) + ([MISSING] if self.missing else [])


@dataclass(frozen=True, slots=True)
class Score:
    """A score that was learned: for each cut the points of its steps; risk = 1 / (1 + exp(-(offset + slope * sum)))."""

    cuts: tuple[Cut, ...]
    points: tuple[np.ndarray, ...]
    slope: float
    offset: float

    def total(self, X: pd.DataFrame) -> np.ndarray:
        """(n,) points of each row of X as in Cases.X."""
        sums = np.zeros(len(X), dtype=np.int64)
        for cut, points in zip(self.cuts, self.points, strict=True):
            sums += points[cut.place(X[cut.column])]
        return sums

    def risk(self, total: np.ndarray) -> np.ndarray:
        """(n,) probability that goes with so many points."""
        return 1.0 / (1.0 + np.exp(-(self.offset + self.slope * np.asarray(total, dtype=float))))

    @property
    def largest(self) -> int:
        """The most points that a patient can have; the fewest are 0."""
        return int(sum(each.max() for each in self.points))


def learn(X: pd.DataFrame, y: np.ndarray, kinds: dict[str, Kind], patients: np.ndarray, *,
          most: int = MOST_PREDICTORS) -> Score:
    """A score of at most `most` predictors from these training rows.

    X  (n, p) as in Cases.X;   y  (n,) 0 and 1;   patients  (n,) codes
    """
    y = np.asarray(y)
    inside = _inside(X, y, kinds, patients, most)
    n = _so_many(inside, y)
    score = _of(X, y, _ranked(X, y, kinds, patients), n)
    return _shrunk(score, inside[:, n - 1], X, y)


def _ranked(X: pd.DataFrame, y: np.ndarray, kinds: dict[str, Kind], patients: np.ndarray) -> list[Cut]:
    """The columns that can become steps and tell anything, the one that tells most first."""
    cuts = [cut for name in X.columns if (cut := _cut(X[name], kinds[name], patients)) is not None]
    weights = _weights(cuts, X, y)
    spread = [float(np.std(each[cut.place(X[cut.column])])) for cut, each in zip(cuts, weights, strict=True)]
    return [cuts[at] for at in np.argsort(spread, kind="stable")[::-1].tolist() if spread[at] > 0]


def _of(X: pd.DataFrame, y: np.ndarray, ranked: list[Cut], n: int) -> Score:
    """The score of the first n of these, in the order of the columns."""
    place = {name: at for at, name in enumerate(X.columns)}
    cuts = sorted(ranked[:n], key=lambda cut: place[cut.column])
    return _rounded(cuts, _weights(cuts, X, y), X, y)


# ---- how many, and how far the risks go --------------------------------------------------------------------------

def _inside(X: pd.DataFrame, y: np.ndarray, kinds: dict[str, Kind], patients: np.ndarray, most: int) -> np.ndarray:
    """(n, most) log-odds by scores of 1 .. most predictors that were learned from other patients among these rows; NaN
    where a part had one class alone."""
    from medml.split import deal

    found = np.full((len(y), most), np.nan)
    part = deal(y, patients, PARTS, 0, "binary")
    for number in range(PARTS):
        train, test = np.flatnonzero(part != number), np.flatnonzero(part == number)
        if not len(test) or len(np.unique(y[train])) < 2:
            continue
        rows, seen = X.iloc[train], X.iloc[test]
        ranked = _ranked(rows, y[train], kinds, patients[train])
        for n in range(most):
            if n < max(1, len(ranked)):
                score = _of(rows, y[train], ranked, n + 1)
                line = score.offset + score.slope * score.total(seen)
            found[test, n] = line
    return found


def _so_many(inside: np.ndarray, y: np.ndarray) -> int:
    """How many predictors have the least log-loss inside. (Fewer still, within a standard error of it, did worse on new
    patients: log-loss 0.592 against 0.578, 16 tables of 120 patients.)"""
    known = np.isfinite(inside).all(axis=1)
    if not known.any():
        return 1
    losses = np.logaddexp(0, np.where(y[known, None] == 1, -inside[known], inside[known]))
    return int(losses.mean(axis=0).argmin()) + 1


def _shrunk(score: Score, line: np.ndarray, X: pd.DataFrame, y: np.ndarray) -> Score:
    """With risks less extreme by the calibration slope that such scores had inside; never more extreme."""
    from sklearn.linear_model import LogisticRegression

    known = np.isfinite(line)
    if not score.slope or len(np.unique(y[known])) < 2 or np.ptp(line[known]) == 0:
        return score
    slope = LogisticRegression(C=1e6, max_iter=1000).fit(line[known, None], y[known]).coef_[0, 0]
    slope = score.slope * float(np.clip(slope, LEAST_SLOPE, 1.0))
    return replace(score, slope=slope, offset=_offset(slope * score.total(X), y))


def _offset(line: np.ndarray, y: np.ndarray) -> float:
    """What must be added to these log-odds for the mean risk to be the share of cases."""
    from scipy.optimize import brentq

    return float(brentq(lambda offset: (1 / (1 + np.exp(-(line + offset)))).mean() - y.mean(),
                        -line.max() - 30, -line.min() + 30))


def _cut(column: pd.Series, kind: Kind, patients: np.ndarray) -> Cut | None:
    """The steps of a column; None where fewer than two are large enough."""
    absent = column.isna().to_numpy()
    missing = n_patients(absent, patients) >= SMALL_GROUP
    if kind == "date":  # points for a calendar day would be points for when somebody was admitted
        return None
    if kind in NUMERIC:
        edges = _edges(column.to_numpy(float), patients, str(column.name))
        cut = Cut(column.name, edges, (), missing)
        return None if not edges else _with_usual(cut, column)
    levels = _in_order([each.label for each in suppress(list(patients_of_each(column, patients).items())).levels])
    other = n_patients(~absent & ~column.isin(levels).to_numpy(), patients) >= SMALL_GROUP
    return None if len(levels) + other < 2 or not levels else _with_usual(Cut(column.name, (), levels, missing, other),
                                                                          column)


def _in_order(labels: list[str]) -> tuple[str, ...]:
    """Codes by their number, names by how many patients have them."""
    try:
        return tuple(sorted(labels, key=float))
    except ValueError:
        return tuple(labels)


def _with_usual(cut: Cut, column: pd.Series) -> Cut:
    known = column[column.notna()]
    at = cut.place(known)
    return replace(cut, usual=int(np.bincount(at).argmax()))


def _edges(values: np.ndarray, patients: np.ndarray, name: str = "") -> tuple[float, ...]:
    """Borders of 2 significant digits between groups of k patients and more; none for too few patients, and of an age
    none of 90 and over, which is one group."""
    from medml.profile.names import is_age

    _, middle, _ = by_patient(values, patients)
    if len(middle) < FEWEST:
        return ()
    kept: list[float] = []
    limit = OLDEST if is_age(name) else np.inf
    for edge in sorted({float(f"{each:.1e}") for each in np.quantile(middle, CUTS)} - {limit}):
        if edge > limit:
            continue
        below = np.isfinite(values) & (values <= edge) & (values > (kept[-1] if kept else -np.inf))
        if n_patients(below, patients) >= SMALL_GROUP and n_patients(values > edge, patients) >= SMALL_GROUP:
            kept.append(edge)
    return tuple(kept)


def _weights(cuts: list[Cut], X: pd.DataFrame, y: np.ndarray) -> list[np.ndarray]:
    """The log-odds of every step against the usual one, by one regularised regression of all of them."""
    from sklearn.linear_model import LogisticRegression

    if not cuts:
        return []
    blocks = [np.eye(cut.n_steps)[cut.place(X[cut.column])] for cut in cuts]
    fitted = LogisticRegression(C=PENALTY, max_iter=1000).fit(np.hstack(blocks), y)
    parts = np.split(fitted.coef_[0], np.cumsum([cut.n_steps for cut in cuts])[:-1])
    return [each - each[cut.usual] for cut, each in zip(cuts, parts, strict=True)]


def _rounded(cuts: list[Cut], weights: list[np.ndarray], X: pd.DataFrame, y: np.ndarray) -> Score:
    """The fewest points that rank the training rows as the weights do, within COSTS_NOTHING."""
    from sklearn.metrics import roc_auc_score

    longest = max((float(np.ptp(each)) for each in weights), default=0.0)
    if not longest:
        return _calibrated(Score((), (), 0.0, 0.0), X, y)
    placed = [cut.place(X[cut.column]) for cut in cuts]
    exact = roc_auc_score(y, sum(each[at] for each, at in zip(weights, placed, strict=True)))
    for largest in LARGEST:
        points = [np.round((each - each.min()) * largest / longest).astype(np.int64) for each in weights]
        ranks = roc_auc_score(y, sum(each[at] for each, at in zip(points, placed, strict=True)))
        if ranks >= exact - COSTS_NOTHING or largest == LARGEST[-1]:
            break
    used = [at for at, each in enumerate(points) if each.any()]
    return _calibrated(Score(tuple(cuts[at] for at in used), tuple(points[at] for at in used), 0.0, 0.0), X, y)


def _calibrated(score: Score, X: pd.DataFrame, y: np.ndarray) -> Score:
    """With the risk that so many points stand for, by a regression of the outcome on them."""
    from sklearn.linear_model import LogisticRegression

    total = score.total(X)
    if not total.any():
        share = float(np.clip(y.mean(), 1e-6, 1 - 1e-6))
        return Score(score.cuts, score.points, 0.0, float(np.log(share / (1 - share))))
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(total[:, None].astype(float), y)
    return Score(score.cuts, score.points, float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))
