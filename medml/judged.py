"""The cases that a finished run judged out of fold, with its answers and their outcomes, in memory.

Outcomes and columns come from the clinician's own folder; cases are found again by the names that the run keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medml import data, gallery, publish, saved_split
from medml import recipe as cleaning
from medml.cases import Cases, Fold
from medml.errors import UserError


@dataclass(frozen=True, slots=True)
class Judged:
    """names (m,) of the cases;   p (repeats, m, ...) the run's answers;   folds as positions into these"""

    cases: Cases
    p: np.ndarray
    folds: list[Fold]
    names: np.ndarray


def judged(opened: gallery.Run, *, aside: Sequence[str] = (), source: Path | None = None) -> Judged:
    """What a run's current checkpoint judged; of pictures without their pixels.

    aside   columns of the table that are wanted beside the cases
    raises  UserError where its table or its private part is gone or has changed, or the key that names cases has
    """
    split = publish.split_of(opened)
    cases = _own_cases(opened, aside, Path(source or opened.profile.source))
    stored = publish.out_of_fold(opened)
    names, p = stored.cases, stored.p
    own = saved_split.known_names(cases, opened.config.data_sha256, names)
    place = {name: at for at, name in enumerate(own.tolist())}
    at = np.array([place.get(name, -1) for name in names.tolist()])
    seen = np.isfinite(p.reshape(*p.shape[:2], -1)).all(axis=2).any(axis=0)
    kept = np.flatnonzero(seen & (at >= 0))
    return Judged(cases.take(at[kept]), p[:, kept], within(split.folds, kept, len(names)), names[kept])


def _own_cases(opened: gallery.Run, aside: Sequence[str], source: Path) -> Cases:
    choice, plan = opened.config.choice, opened.config.choice.pictures
    table = data.open_table(source, choice.table)
    if table.sha256() != opened.config.data_sha256:
        raise UserError(what=f"The table of “{opened.label.name}” has changed since it was trained.", code="changed",
                        fix="Put it back as it was, then try again.")
    frame = table.each_frame(table.frame()) if plan is not None and plan.frames == "all" else table.frame()
    cases, _ = cleaning.prepare(frame, opened.recipe, opened.profile.table(choice.table), choice, short=table.short,
                                aside=aside)
    return cases


def within(folds: list[Fold], kept: np.ndarray, n: int) -> list[Fold]:
    """Folds of n cases as positions into those at `kept`."""
    place = np.full(n, -1)
    place[kept] = np.arange(len(kept))
    parts = [(place[fold.train], place[fold.test], fold) for fold in folds]
    return [Fold(train[train >= 0], test[test >= 0], fold.repeat, fold.number) for train, test, fold in parts]
