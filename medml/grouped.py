"""Figures by a column that was picked after training: groups made from the clinician's folder, in memory.

    runs/<run>/groups/<checkpoint>.json     figures of groups of k patients and more, and what hides the others

They stand among the subgroups of the report, marked as picked after the figures had been seen.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from medml import gallery, home
from medml.cases import Predictions
from medml.errors import UserError
from medml.evaluate.intervals import DRAWS
from medml.evaluate.scored import score
from medml.evaluate.subgroups import subgroups_of
from medml.judged import judged
from medml.picked import FOLDER, Picked, columns_to_pick, columns_told
from medml.types import Subgroup


def by_column(run: str, column: str, source: Path | None = None, *, draws: int = DRAWS) -> list[Subgroup]:
    """The figures of a run by one more column, kept with it.

    raises  UserError where there is no such column, its folder is gone or has changed, or no group is large enough
    """
    opened = gallery.open_run(run)
    if column not in columns_to_pick(opened):
        raise UserError(what=f"“{column}” makes no groups here.", code="no_column",
                        fix="Pick a column of numbers or categories that is not shown yet.")
    before = [each for each in columns_told(opened) if each != column]  # what is told of them must not add up
    found = judged(opened, aside=[*before, column], source=source)
    cases, seed = replace(found.cases, subgroups=(*before, column)), opened.config.seed
    told = Predictions(y=cases.y, p=found.p, patients=cases.patients, task=cases.task, classes=cases.classes,
                       train=np.empty(0))
    groups = [each.model_copy(update={"picked_after": True}) for each in subgroups_of(
        cases, score(told, found.folds, seed=seed), seed=seed, draws=draws, only=column)]
    if not groups:
        raise UserError(what=f"No group of “{column}” has 10 patients or more that may be shown.", code="small_groups",
                        fix="Pick another column.")
    _keep(run, opened.chain.current, groups)
    return groups


def _keep(run: str, checkpoint: int, groups: list[Subgroup]) -> None:
    with gallery.changing(run) as folder:
        place = home.ensure(folder / FOLDER) / f"{checkpoint}.json"
        try:
            before = home.read_model(place, Picked).groups
        except (FileNotFoundError, ValidationError):
            before = []
        others = [each for each in before if each.column != groups[0].column]
        home.write_model(place, Picked(groups=[*others, *groups]))
