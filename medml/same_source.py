"""How near an outside table is to the run's own: the same rows, the same patients, the same folder, the same people.

Compared in memory; only counts and one AUROC are kept. Rows that the run keeps closed are refused: their figures would
be a look at the vault that nobody counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medml import data, pictures, publish, saved_split
from medml import recipe as cleaning
from medml.cases import Cases
from medml.data.images.columns import CONTENT
from medml.errors import UserError
from medml.evaluate import delong
from medml.evaluate.catalogue import COPIES
from medml.recipe.reading import category_names
from medml.split import row_hashes
from medml.steps.second_look import of_any_table
from medml.types import Choice, Metric
from medml.vision.pixels import Picture, Pictures
from medml.watch import Silent, Watch

if TYPE_CHECKING:
    import polars as pl

    from medml.data.images.table import ImageTable
    from medml.gallery import Run

ENOUGH, MOST = 100, 2_000  # patients of either table: with fewer nothing is told apart; of more, some are drawn
MOST_PICTURES = 600  # of the run's own, which are decoded once more
PARTS = 3
FIELDS, SHARES = 8, (5, 25, 50, 75, 95)  # of a picture: fields a side of a small one, percentiles of its greys


@dataclass(frozen=True, slots=True)
class Nearness:
    """What two tables share.

    n_copies    rows there that equal one of the run's own table
    n_closed    those of them that equal a row kept closed, and none that the run learned from;  n_held  kept closed
    n_same_patients  patients there with an identifier of the own table; None where one of the two has no identifiers
    told_apart  how well rows of the two, closed ones left out, are told apart; None with few patients
    """

    n_copies: int
    n_closed: int
    n_held: int
    n_same_patients: int | None
    told_apart: Metric | None


def compare(opened: Run, cases: Cases, ids: np.ndarray | None, contents: np.ndarray | None, *,
            watch: Watch | None = None) -> Nearness | None:
    """What these rows share with the run's own table; None where that is gone or has changed.

    cases  as the run reads them, its decisions about single cases left out;   ids  identifiers of the patients
    contents  (n,) of pictures, what the pixels of each hash to
    """
    choice, config = opened.config.choice, opened.config
    try:
        table = data.open_table(opened.source, choice.table)
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
    learned: Cases | None = own.take(np.flatnonzero(~closed))
    if contents is not None:
        learned = _decoded(learned, whole, table, choice, config.seed, watch or Silent())
    return Nearness(n_copies=int(np.isin(theirs, mine).sum()), n_closed=int(only_closed.sum()),
                    n_held=int(closed.sum()), n_same_patients=_same_patients(whole, choice.patient, ids),
                    told_apart=None if learned is None else told_apart(learned, cases, seed=config.seed))


def _decoded(own: Cases, frame: pl.DataFrame, table: ImageTable, choice: Choice, seed: int,
             watch: Watch) -> Cases | None:
    """Some of the run's own pictures with their pixels, one a patient; None where they are too few, or gone."""
    some = _one_a_patient(own, np.random.default_rng([seed, 12]))[:MOST_PICTURES]
    if len(some) < ENOUGH:
        return None
    try:
        return pictures.with_pixels(own.take(np.sort(some)), frame, table, choice, watch=watch)
    except UserError:
        return None


def _each_frame(opened: Run) -> bool:
    plan = opened.config.choice.pictures
    return plan is not None and plan.frames == "all"


def _closed(opened: Run, own: Cases) -> np.ndarray:
    """(n,) bool: which rows of the run's own table it keeps closed, by the names in its private part."""
    if opened.config.split.scheme != "held_out" or not (opened.folder / publish.SPLIT).exists():
        return np.zeros(len(own.y), dtype=bool)
    saved = publish.split_of(opened)
    return np.isin(saved_split.known_names(own, opened.config.data_sha256, saved.cases), saved.cases[saved.held_out])


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
    both = [each.take(at) for each, at in zip((own, cases), some, strict=True)]
    X = np.vstack([looks_of(each) for each in both]) if isinstance(both[0].X.iat[0, 0], Picture) else _beside(*both)
    X, side = np.column_stack([X, np.concatenate([each.y for each in both])]), np.repeat([0, 1], [*map(len, some)])
    model = HistGradientBoostingClassifier(max_iter=50, max_depth=3, early_stopping=False, random_state=seed)
    p = cross_val_predict(model, X, side, cv=StratifiedKFold(PARTS, shuffle=True, random_state=seed),
                          method="predict_proba")[:, 1]
    return delong.interval(side, p)


def looks_of(cases: Cases) -> np.ndarray:
    """(n, p) float64: what each picture looks like as a whole: a small picture of FIELDS x FIELDS greys, the spread of
    its greys, how sharp it is along either side, its colours. From pixels alone, so that the same pictures in another
    format look the same."""
    shown = Pictures.of(cases.X.iloc[:, 0])
    return np.column_stack([shown.thumbnails(FIELDS), np.vstack([_aggregates(each) for each in shown.batches(64)])])


def _aggregates(pixels: np.ndarray) -> np.ndarray:
    """(n, height, width, channels) uint8 -> (n, 13) float64."""
    plain = pixels.astype(np.float32)
    grey, colours = plain.mean(axis=3), np.broadcast_to(plain, (*plain.shape[:3], 3))
    return np.column_stack([np.percentile(grey, SHARES, axis=(1, 2)).T, *(
        np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)), colours.mean(axis=(1, 2)),
        colours.std(axis=(1, 2))]).astype(np.float64)


def _one_a_patient(cases: Cases, rng: np.random.Generator) -> np.ndarray:
    """Positions of a row of each patient, of at most MOST of them, in a random order."""
    order = rng.permutation(len(cases.y))
    _, first = np.unique(cases.patients[order], return_index=True)
    return rng.permutation(order[first])[:MOST]


def _beside(own: Cases, theirs: Cases) -> np.ndarray:
    """Rows of both as numbers, (n, p), NaN where nothing is recorded."""
    import pandas as pd

    both = pd.concat([own.X, theirs.X[own.X.columns]], ignore_index=True)
    columns = [pd.to_numeric(both[name]).to_numpy(float) if pd.api.types.is_numeric_dtype(both[name])
               else np.where(both[name].isna(), np.nan, pd.factorize(both[name].astype(str))[0].astype(float))
               for name in both.columns]
    return np.column_stack(columns)
