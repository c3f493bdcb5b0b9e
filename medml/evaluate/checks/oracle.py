"""L4: one column that tells the outcome by itself is a leak more often than a discovery."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medml.cases import Cases, Fold
from medml.evaluate.catalogue import FEW, found, many, named
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.metrics import plan_auroc
from medml.types import Check

TOO_GOOD = 0.95  # out-of-fold AUROC of one column (R2 for a number)
ENOUGH = 10  # cases of a category
CHANCE = 0.05  # a category of one class is no news where chance alone would often make it so
MOST_ROWS = 20_000  # a column is judged on at most so many cases
BINS = 20
ASK = "Ask of each: is it known before the moment of prediction? If not, leave it out on the Scan page."


@rule("L4")
def no_oracle(evidence: Evidence) -> Check:
    """Each column's out-of-fold AUROC, and categories of 10 cases and more that hold one class only."""
    cases, folds = evidence.context.cases, _first_repeat(evidence)
    rows = np.concatenate([each.test for each in folds])
    fewest = np.bincount(cases.y[rows]).min() if cases.task != "regression" else len(rows)
    if len(rows) < FEW or fewest < 5:
        rarest = "" if cases.task == "regression" else f" (rarest class {fewest})"
        return found("L4", "could_not_tell", f"Only {many(len(rows), 'case')}{rarest} to judge single columns by.",
                     n=len(rows))
    alone = {str(name): column_alone(cases, name, folds) for name in cases.X.columns}
    best = max(alone.values(), default=0.0)
    oracles = sorted((name for name, value in alone.items() if value > TOO_GOOD), key=lambda name: -alone[name])
    pure = [] if cases.task == "regression" else [name for name in cases.X.columns
                                                   if name not in oracles and pure_category(cases, name, rows)]
    figure = "R²" if cases.task == "regression" else "AUROC"
    if not oracles and not pure:
        said = f"the best alone reaches an out-of-fold {figure} of {best:.2f}" if best > 0 else \
            "none alone is better than the mean of the outcome"
        return found("L4", "pass", f"No single column tells the outcome: {said}.", best=best, columns=0)
    parts = [f"{named(oracles)} alone reach{'es' if len(oracles) == 1 else ''} an out-of-fold {figure} of up to "
             f"{best:.2f}"] if oracles else []
    parts += [f"in {named(pure)} a value that {ENOUGH} cases or more share has one outcome only"] if pure else []
    sentence = "; ".join(parts)
    return found("L4", "warn", sentence[0].upper() + sentence[1:] + ".", ASK, best=best,
                 columns=len(oracles) + len(pure))


def _first_repeat(evidence: Evidence) -> list[Fold]:
    """The folds of the first repeat, thinned to at most MOST_ROWS cases a side."""
    rng = np.random.default_rng(evidence.seed)

    def thin(rows: np.ndarray, most: int) -> np.ndarray:
        return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
    first = [each for each in evidence.context.folds if each.repeat == 0]
    return [Fold(thin(each.train, MOST_ROWS), thin(each.test, MOST_ROWS // len(first)), 0, each.number)
            for each in first]


def column_alone(cases: Cases, name: str, folds: list[Fold]) -> float:
    """Out-of-fold AUROC of one column (several classes: mean over classes v. the rest), or R2 for a number; 0-1.

    Learned on each fold's training rows: the outcome's mean in 20 groups (numbers by quantiles, missing on its own),
    and for numbers the direction, since groups alone would blur a fine scale.
    """
    column = cases.X[name]
    outcomes = _outcomes(cases)
    grouped = np.full(outcomes.shape, np.nan)
    plain = np.full(outcomes.shape, np.nan)
    fold_of = np.full(len(cases.y), -1)
    for fold in folds:
        fold_of[fold.test] = fold.number
        grouped[:, fold.test] = _means(*_groups(column, fold), outcomes[:, fold.train])
        if pd.api.types.is_numeric_dtype(column):
            plain[:, fold.test] = _straight(column.to_numpy(dtype=float), fold, outcomes[:, fold.train])
    judged = fold_of >= 0
    best = [max((_judge(cases.task, outcome[judged], score[which, judged], fold_of[judged])
                 for score in (grouped, plain) if np.isfinite(score[which, judged]).all()), default=0.0)
            for which, outcome in enumerate(outcomes)]
    return float(np.mean(best))


def _outcomes(cases: Cases) -> np.ndarray:
    """(1, n) the number or the positive class; (n_classes, n) each class v. the rest."""
    if cases.task == "regression":
        return cases.y[None, :].astype(float)
    asked = [1] if len(cases.classes) == 2 else range(len(cases.classes))
    return np.stack([(cases.y == each).astype(float) for each in asked])


def _groups(column: pd.Series, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """(n_train,), (n_test,) group numbers from 0; missing, and a category not seen in training, are group 0."""
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=float)
        known = values[fold.train][np.isfinite(values[fold.train])]
        cuts = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.size else np.empty(0)
        group = np.where(np.isfinite(values), np.searchsorted(cuts, values, side="right") + 1, 0)
        return group[fold.train], group[fold.test]
    levels = pd.Index(column.iloc[fold.train].dropna().unique())
    return levels.get_indexer(column.iloc[fold.train]) + 1, levels.get_indexer(column.iloc[fold.test]) + 1


def _means(train: np.ndarray, test: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """(k, n_test) the outcome's mean in each test row's group, drawn a little towards the overall mean."""
    width = int(max(train.max(initial=0), test.max(initial=0))) + 1
    n = np.bincount(train, minlength=width)
    return np.stack([((np.bincount(train, each, minlength=width) + each.mean()) / (n + 1))[test] for each in outcomes])


def _straight(values: np.ndarray, fold: Fold, outcomes: np.ndarray) -> np.ndarray:
    """(k, n_test) least squares on the value itself, a missing one at the training mean."""
    known = np.isfinite(values[fold.train])
    centre = values[fold.train][known].mean() if known.any() else 0.0
    x = np.where(np.isfinite(values), values, centre) - centre
    spread = float((x[fold.train] ** 2).sum())
    if spread <= 0:
        return np.repeat(outcomes.mean(axis=1)[:, None], len(fold.test), axis=1)
    slope = outcomes @ x[fold.train] / spread
    return outcomes.mean(axis=1)[:, None] + slope[:, None] * x[fold.test][None, :]


def _judge(task: str, outcome: np.ndarray, score: np.ndarray, fold: np.ndarray) -> float:
    if task == "regression":
        spread = float(((outcome - outcome.mean()) ** 2).sum())
        return 1 - float(((outcome - score) ** 2).sum()) / spread if spread > 0 else 0.0
    return float(np.nan_to_num(plan_auroc(outcome, score, fold)(np.ones((len(outcome), 1)))[0]))


def pure_category(cases: Cases, name: str, rows: np.ndarray) -> bool:
    """Whether a category (a missing value is one) of 10 cases and more holds one class only, hardly by chance: with as
    many categories as this column has, one of them would do so in fewer than 1 table in 20 (Bonferroni)."""
    column = cases.X[name].iloc[rows]
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > BINS:
        column = column.isna()
    codes = pd.factorize(column, use_na_sentinel=False)[0]
    y, n_classes = cases.y[rows], len(cases.classes)
    table = np.bincount(codes * n_classes + y, minlength=(codes.max() + 1) * n_classes).reshape(-1, n_classes)
    total, share = table.sum(axis=1), table.sum(axis=0) / table.sum()
    alone = (table.max(axis=1) == total) & (total >= ENOUGH) & (len(total) > 1)
    asked = max(1, int((total >= ENOUGH).sum()))
    return bool((share[table.argmax(axis=1)] ** total * asked < CHANCE)[alone].any())
