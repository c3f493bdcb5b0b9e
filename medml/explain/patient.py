"""One patient of the clinician's own file: what each column adds to the answer. In memory only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medml import data, gallery
from medml.errors import UserError
from medml.explain.bins import MISSING
from medml.explain.contributions import Contributions, Explainer, background_cases
from medml.recipe import prepare_predictors

FEW_SHOWN = 12  # columns that are drawn one by one; the rest together


@dataclass(frozen=True, slots=True)
class Patient:
    """cells: what the file holds under each column of `found`, and whether the model takes it for "not recorded"."""

    found: Contributions
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of a waterfall: from `start`, where the columns before have led, to `end`."""

    column: str
    cell: str
    start: float
    end: float

    @property
    def added(self) -> float:
        return self.end - self.start


def patient(run: str, row: int, source: Path | None = None) -> Patient:
    """The patient in a row of the run's table, counted from 1 without the header.

    raises  UserError where the folder is gone or has changed, there is no such row, or the run is of pictures
    """
    opened = gallery.open_run(run)
    config, place = opened.config, Path(source or opened.profile.source)
    table = data.open_table(place, config.choice.table)
    if table.sha256() != config.data_sha256:
        raise UserError(what=f"“{config.choice.table.label}” has changed since this model was trained.",
                        fix="Put the file back as it was, or scan it again and train anew.", code="changed")
    frame = table.frame()
    if not 1 <= row <= frame.height:
        raise UserError(what=f"The table has no row {row:,}: it has {frame.height:,}.",
                        fix=f"Choose a row from 1 to {frame.height:,}.", code="no_row")
    _refuse_closed(opened, row, place)
    explainer = Explainer.of(opened, background_cases(opened, place))
    one = frame[[row - 1]]
    read = prepare_predictors(one, opened.recipe, opened.profile.table(config.choice.table), config.choice)
    found = explainer(read)
    return Patient(found, [_cell(one[name][0], read[name].iloc[0]) for name in found.columns])


def _cell(written: object, read: object) -> str:
    """A cell as the file has it; one that stands for "missing" says so, because the model is given none."""
    missing = read is None or read != read  # noqa: PLR0124 - NaN, whatever its type
    if not missing:
        return "" if written is None else str(written)
    return MISSING if written is None or not str(written).strip() else f"{MISSING} ({written} in the file)"


def _refuse_closed(opened: gallery.Run, row: int, place: Path) -> None:
    """UserError for a row of the part kept closed, as long as nobody has opened it: that would be a look (L10)."""
    from medml import train
    from medml.watch import Silent

    if opened.config.split.scheme != "held_out" or opened.report.looks:
        return
    ground = train.prepare_ground(place, opened.profile, opened.recipe, opened.config, watch=Silent())
    if row - 1 in ground.cases.rows[ground.held_out]:
        raise UserError(what=f"Row {row:,} belongs to the part of the table that is kept closed.",
                        fix="Choose another row, or open that part once at the end.", code="closed")


def waterfall(found: Contributions, cells: list[str], *, at: int = 0, output: int = 0,
              most: int = FEW_SHOWN) -> list[Bar]:
    """From the base value to the answer, the largest step first; small ones together as the last, "n others"."""
    values = found.values[at, output]
    order = np.argsort(-np.abs(values), kind="stable")
    shown = order if len(order) <= most else order[:most - 1]
    steps = [(found.columns[each], cells[each], float(values[each])) for each in shown]
    if len(shown) < len(order):
        steps.append((f"{len(order) - len(shown)} others", "", float(values[order[len(shown):]].sum())))
    bars, level = [], float(found.base[output])
    for column, cell, added in steps:
        bars.append(Bar(column, cell, level, level + added))
        level += added
    return bars
