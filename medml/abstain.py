"""Why a model says nothing about a row (P1): what was not seen in training, by column and in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.evaluate.context import Abstention
from medml.recipe.groups import ENOUGH
from medml.types import SMALL_GROUP, Task
from medml.watch import breathe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from medml.cases import Cases
    from medml.folds import FittedFold
    from medml.pipeline import Pipeline
    from medml.recipe import Cleaner

WORDS = {"unseen": f"a value that fewer than {SMALL_GROUP} training patients had",
         "missing": "missing, and the answer depends on it",
         "outside": "far outside what was seen in training",
         "few": f"fewer than {ENOUGH} training patients were of this group",
         "together": "usual one by one, unlike the training patients together"}
KEY_CHANGE = {"binary": 0.05, "multiclass": 0.05, "regression": 0.25}  # probability, or SDs of a number
MOSTLY_RECORDED = 0.8  # share of training rows that held the value; below it the model has learned to do without
Why = dict[str, list[str]]  # code of WORDS -> columns; empty: nothing speaks against an answer


def whys(cleaner: Cleaner, X: pd.DataFrame, key: Sequence[str]) -> list[Why]:
    """For each row of X (as Cases.X, before cleaning) what speaks against an answer.

    key  columns without which no answer is given. A column is named for one reason alone, the first of WORDS, and
         columns that are unusual together only where no other reason is there.
    """
    key = [name for name in key if name in X.columns]
    absent = X[key].isna().to_numpy()   # (n, keys)
    missing = [[name for name, gone in zip(key, row, strict=True) if gone] for row in absent]
    found = zip(cleaner.unseen(X), missing, cleaner.outside(X), cleaner.few(X), cleaner.odd_together(X), strict=True)
    return [_first(dict(zip(WORDS, columns, strict=True))) for columns in found]


def in_words(why: Why) -> str:
    """Columns and reasons, never what is in a cell; "" for none."""
    return "; ".join(f"{names_of(columns)}: {WORDS[code]}" for code, columns in why.items())


def key_predictors(final: Pipeline, cases: Cases, *, most_rows: int = 500) -> dict[str, float]:
    """How far the answer moves, on average, when a column is left empty: the reason to abstain when it is missing.

    returns  {column: mean absolute change}, in probability (0-1), or in standard deviations of the target for a
             number; from at most `most_rows` development rows, rounded to 3 digits; none for pictures
    """
    if "picture" in cases.kinds.values():
        return {}
    some = cases.take(np.random.default_rng(0).permutation(len(cases.y))[:most_rows])
    whole = final.predict(some.X)
    scale = float(np.std(cases.y)) or 1.0 if cases.task == "regression" else 1.0
    moved = {}
    for column in some.X.columns:
        breathe()
        blank = some.X.copy()
        blank[column] = np.nan if some.kinds[column] == "number" else None
        change = np.abs(final.predict(blank) - whole)
        moved[column] = round(float(change.mean() if change.ndim == 1 else change.max(axis=1).mean()) / scale, 3)
    return moved


def key_columns(moved: Mapping[str, float], task: Task, missing: Mapping[str, float]) -> list[str]:
    """The columns without which no answer is given: leaving them empty moves the answer by KEY_CHANGE on average,
    although nearly every training patient had them.

    moved    what `key_predictors` says;   missing  share of rows without a value, by column; 0 for one not named
    """
    return [name for name, change in moved.items()
            if change >= KEY_CHANGE[task] and missing.get(name, 0.0) <= 1 - MOSTLY_RECORDED]


def tried(folds: Sequence[FittedFold], cases: Cases, moved: Mapping[str, float]) -> Abstention:
    """Count the patients for whom the models of the first repeat's folds would have said nothing, each by what its own
    training rows had shown; for pictures there is nothing to count.

    moved  what `key_predictors` says of the final model
    """
    key = key_columns(moved, cases.task, cases.X.isna().mean().to_dict())
    silent: dict[str, set[int]] = {}
    judged: set[int] = set()
    first = [fold for fold in folds if fold.fold.repeat == 0 and hasattr(fold.pipeline.matrix, "cleaner")]
    for fold in first:
        patients = cases.patients[fold.fold.test]
        judged |= set(patients.tolist())
        found = whys(fold.pipeline.matrix.cleaner, cases.X.iloc[fold.fold.test], key)
        for patient, why in zip(patients.tolist(), found, strict=True):
            for code in why:
                silent.setdefault(code, set()).add(patient)
    if not first:
        return Abstention()
    return Abstention(n=len(judged), silent=len(set().union(*silent.values())),
                      by_why={code: len(who) for code, who in silent.items()},
                      armed=armed(first[0].pipeline.matrix.cleaner, key))


def armed(cleaner: Cleaner, key: Sequence[str]) -> dict[str, int]:
    """How many columns each reason watches."""
    known = sum(bool(names) for names in cleaner.known.values())
    together = 0 if cleaner.together is None else len(cleaner.together.columns)
    return dict(zip(WORDS, (known, len(key), len(cleaner.far), len(cleaner.groups), together), strict=True))


def names_of(columns: Sequence[str]) -> str:
    """The first five, and whether there are more."""
    return ", ".join(columns[:5]) + (" and others" if len(columns) > 5 else "")


def _first(why: Why) -> Why:
    named: set[str] = set()
    kept: Why = {}
    for code, columns in why.items():
        new = [] if code == "together" and kept else [name for name in columns if name not in named]
        named |= set(new)
        if new:
            kept[code] = new
    return kept
