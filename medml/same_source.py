"""How near an outside table is to the run's own: the same rows, the same patients, the same folder, the same people.

Compared in memory; only counts and one AUROC are kept. Rows that the run keeps closed are refused: their figures would
be a look at the vault that nobody counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medml import data, publish, saved_split
from medml import recipe as cleaning
from medml.cases import Cases
from medml.data.images.columns import CONTENT
from medml.errors import UserError
from medml.evaluate import delong
from medml.evaluate.catalogue import COPIES
from medml.recipe.reading import category_names
from medml.split import row_hashes
from medml.steps.second_look import of_any_table
from medml.types import Metric

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from medml.gallery import Run

ENOUGH, MOST = 100, 2_000  # patients of either table: with fewer nothing is told apart; of more, some are drawn
PARTS = 3


@dataclass(frozen=True, slots=True)
class Nearness:
    """What two tables share.

    n_copies    rows there that equal one of the run's own table
    n_closed    those of them that equal a row kept closed, and none that the run learned from;  n_held  kept closed
    n_same_patients  patients there with an identifier of the own table; None where one of the two has no identifiers
    told_apart  how well rows of the two, closed ones left out, are told apart; None with few patients or pictures
    """

    n_copies: int
    n_closed: int
    n_held: int
    n_same_patients: int | None
    told_apart: Metric | None


def compare(opened: Run, cases: Cases, ids: np.ndarray | None, contents: np.ndarray | None) -> Nearness | None:
    """What these rows share with the run's own table; None where that is gone or has changed.

    cases  as the run reads them, its decisions about single cases left out;   ids  identifiers of the patients
    contents  (n,) of pictures, what the pixels of each hash to
    """
    choice, config = opened.config.choice, opened.config
    try:
        table = data.open_table(Path(opened.profile.source), choice.table)
        if table.sha256() != config.data_sha256:
            return None
        whole = table.each_frame(table.frame()) if _each_frame(opened) else table.frame()
        own, _ = cleaning.prepare(whole, of_any_table(opened.recipe), opened.profile.table(choice.table), choice,
                                  short=table.short)
    except UserError:
        return None
    mine, theirs = (row_hashes(each.X, each.y) for each in (own, cases)) if contents is None else (
        whole[CONTENT].to_numpy().astype(np.str_)[own.rows], contents.astype(np.str_))
    closed = _closed(opened, own)
    only_closed = np.isin(theirs, mine[closed]) & ~np.isin(theirs, mine[~closed])
    return Nearness(n_copies=int(np.isin(theirs, mine).sum()), n_closed=int(only_closed.sum()),
                    n_held=int(closed.sum()), n_same_patients=_same_patients(whole, choice.patient, ids),
                    told_apart=None if contents is not None else told_apart(own.take(np.flatnonzero(~closed)), cases,
                                                                            seed=config.seed))


def _each_frame(opened: Run) -> bool:
    plan = opened.config.choice.pictures
    return plan is not None and plan.frames == "all"


def _closed(opened: Run, own: Cases) -> np.ndarray:
    """(n,) bool: which rows of the run's own table it keeps closed, by the names in its private part."""
    if opened.config.split.scheme != "held_out" or not (opened.folder / publish.SPLIT).exists():
        return np.zeros(len(own.y), dtype=bool)
    saved = publish.split_of(opened)
    return np.isin(saved_split.case_names(own, opened.config.data_sha256), saved.cases[saved.held_out])


def refuse_closed(near: Nearness | None, n_cases: int) -> None:
    """UserError where a part of these rows is kept closed by the run; a few equal ones are a coincidence of a table
    with few different values."""
    if near is None or near.n_closed <= COPIES * min(n_cases, near.n_held):
        return
    raise UserError(what=f"{near.n_closed:,} rows there equal rows that this model keeps closed: figures of them would "
                         "be a look at the held-out part, and no data from elsewhere.", code="held_out_rows",
                    fix="Leave these rows out of the file. To see how the model does on the held-out part, open it on "
                        "the Evaluate screen (`open RUN`), where every look is counted.")


# ---- patients ----------------------------------------------------------------------------------------------------

def identifiers(frame: pl.DataFrame, column: str | None) -> np.ndarray | None:
    """The different identifiers of a column, in one spelling; None where there is no such column."""
    if column is None or column not in frame.columns:
        return None
    return category_names(frame[column]).drop_nulls().unique().to_numpy().astype(np.str_)


def _same_patients(own: pl.DataFrame, column: str | None, ids: np.ndarray | None) -> int | None:
    mine = identifiers(own, column)
    return None if mine is None or ids is None else int(np.isin(ids, mine).sum())


# ---- the same people ---------------------------------------------------------------------------------------------

def told_apart(own: Cases, cases: Cases, *, seed: int) -> Metric | None:
    """AUROC, out of fold and a row a patient, of a model that tells the rows of two tables apart: about 0.5 where they
    might be halves of one table (the membership model of Debray et al., J Clin Epidemiol 2015;68:279).

    None with fewer than ENOUGH patients on a side
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rng = np.random.default_rng([seed, 11])
    some = [_one_a_patient(each, rng) for each in (own, cases)]
    if min(map(len, some)) < ENOUGH:
        return None
    X, side = _beside(*(each.X.iloc[at].assign(**{"\x1fy": each.y[at]}) for each, at in zip((own, cases), some,
                                                                                            strict=True)))
    model = HistGradientBoostingClassifier(max_iter=50, max_depth=3, early_stopping=False, random_state=seed)
    p = cross_val_predict(model, X, side, cv=StratifiedKFold(PARTS, shuffle=True, random_state=seed),
                          method="predict_proba")[:, 1]
    return delong.interval(side, p)


def _one_a_patient(cases: Cases, rng: np.random.Generator) -> np.ndarray:
    """Positions of a row of each patient, of at most MOST of them, in a random order."""
    order = rng.permutation(len(cases.y))
    _, first = np.unique(cases.patients[order], return_index=True)
    return rng.permutation(order[first])[:MOST]


def _beside(own: pd.DataFrame, theirs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both as numbers, (n, p), NaN where nothing is recorded; and (n,) 0 and 1, which table each is of."""
    import pandas as pd

    both = pd.concat([own, theirs[own.columns]], ignore_index=True)
    columns = [pd.to_numeric(both[name]).to_numpy(float) if pd.api.types.is_numeric_dtype(both[name])
               else np.where(both[name].isna(), np.nan, pd.factorize(both[name].astype(str))[0].astype(float))
               for name in both.columns]
    return np.column_stack(columns), np.repeat([0, 1], [len(own), len(theirs)])
