"""Groups that were picked after training, as a run keeps them (`medml.grouped` makes them)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from medml import home
from medml.types import Column, Report, Subgroup, Value

if TYPE_CHECKING:
    from medml.gallery import Run

FOLDER = "groups"
KINDS = ("number", "category", "yes_no")


class Picked(Value):
    """Groups of one checkpoint, column after column; those too small are not among them."""

    version: int = 1
    groups: list[Subgroup] = []


def with_picked(report: Report, folder: Path, checkpoint: int) -> Report:
    """The report with the groups that were picked since; a file that cannot be read adds none."""
    try:
        found = home.read_model(folder / FOLDER / f"{checkpoint}.json", Picked).groups
    except (FileNotFoundError, ValidationError):
        return report
    there = {each.column for each in report.subgroups}
    return report.model_copy(update={"subgroups": [*report.subgroups,
                                                   *(each for each in found if each.column not in there)]})


def columns_told(opened: Run) -> list[str]:
    """Columns whose groups this run keeps, those of its report first, then those picked at any of its checkpoints: all
    of them are stored side by side, and go out together."""
    files = sorted((opened.folder / FOLDER).glob("*.json"), key=lambda each: int(each.stem))
    later = [with_picked(opened.report.model_copy(update={"subgroups": []}), opened.folder, int(each.stem)).subgroups
             for each in files]
    return [*dict.fromkeys(each.column for groups in (opened.report.subgroups, *later) for each in groups)]


def said(groups: Iterable[Subgroup]) -> str:
    """What must be said beside groups that were picked later; "" where none was."""
    later = dict.fromkeys(each.column for each in groups if each.picked_after)
    return "" if not later else (f"Picked after the figures had been seen: {', '.join(later)}. Among many groups one "
                                 "looks bad by chance; take it as a question for new patients.")


def columns_to_pick(opened: Run) -> list[str]:
    """Columns that could make groups and do not yet: never the outcome or the patient."""
    choice = opened.config.choice
    there = {each.column for each in opened.report.subgroups} | {choice.target, choice.patient}
    return [each.name for each in opened.profile.table(choice.table).columns if _makes_groups(each)
            and each.name not in there]


def _makes_groups(column: Column) -> bool:
    return column.kind in KINDS and column.distinct > 1
