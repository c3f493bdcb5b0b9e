"""What a cleanup step is: `Fixed` does the same to any table, `Learned` learns from training rows first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from medml.families.family import Param
from medml.types import Choice, Effect, Kind, Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl

ROW = "\x1frow"  # the row's place in the source table travels with it under this name, which no header can hold
NUMERIC: tuple[Kind, ...] = ("number", "date")  # dates count as days since 1970-01-01
OTHER = "(other)"  # the name of categories merged together
MISSING = "(missing)"  # the name of "not recorded" where that is a category of its own

State = dict[str, Any]  # what a step learned: JSON, no category of fewer than k patients, no patient's own number


@dataclass(frozen=True, slots=True)
class About:
    """What a step knows besides the rows.

    short  (m,) int64, places in the source table of rows that had too few fields (see TableSource)
    """

    table: Table
    choice: Choice
    kinds: dict[str, Kind]  # of every column of the table
    short: np.ndarray | None = None

    @classmethod
    def of(cls, table: Table, choice: Choice, short: np.ndarray | None = None) -> About:
        return cls(table, choice, {column.name: column.kind for column in table.columns}, short)

    @property
    def numbers(self) -> list[str]:
        """Columns to be read as numbers: predictors of that kind, and the target where it is used as a number."""
        names = [name for name, kind in self.kinds.items() if kind == "number" and name != self.choice.target]
        return [*names, self.choice.target] if target_is_number(self.choice) else names


def target_is_number(choice: Choice) -> bool:
    """Whether the outcome is read as a number: one to predict, or one where anything above zero counts as yes."""
    return choice.task == "regression" or choice.positive == ">0"


class Step:
    """One cleanup step. Stateless; its settings are declared, so that a form can be drawn from them.

    title     a few words for the screen;   sentence  what it does, in plain words
    learns    whether it learns from rows; if so it is fitted inside every fold, on training rows alone
    default   settings where a recipe gives none
    """

    name: ClassVar[str]
    title: ClassVar[str]
    sentence: ClassVar[str]
    learns: ClassVar[bool]
    params: ClassVar[tuple[Param, ...]] = ()
    lists: ClassVar[tuple[str, ...]] = ()  # settings that are lists of columns, not drawn as fields

    def filled(self, params: dict[str, Any]) -> dict[str, Any]:
        """Defaults completed by `params`; ValueError on a setting that the step does not have."""
        known = {each.name: each.default for each in self.params}
        unknown = set(params) - set(known) - set(self.lists)
        if unknown:
            raise ValueError(f"{self.name} has no {sorted(unknown)}; it has {sorted([*known, *self.lists])}")
        return known | params


class Fixed(Step):
    """A step that learns nothing: the same rows give the same answer in any fold.

    drops_rows  it leaves rows out: a box of the flow diagram, and not done when new rows are predicted
    """

    learns = False
    drops_rows: ClassVar[bool] = False

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        """Clean `frame` (all columns, ROW too; columns that `about` knows may be absent at prediction)."""
        raise NotImplementedError


class Learned(Step):
    """A step that learns from training rows: `fit` sees those only, `transform` any row."""

    learns = True

    def fit(self, X: pd.DataFrame, kinds: dict[str, Kind], params: dict[str, Any],
            patients: np.ndarray | None = None) -> State:
        """Learn from X (n, p) as in Cases.X. The state goes into the run's folder as JSON.

        patients  (n,) codes, equal for rows of one patient: each counts once; None: every row is a patient of its own
        """
        raise NotImplementedError

    def transform(self, X: pd.DataFrame, state: State) -> pd.DataFrame:
        """Clean X; never fails on a category or a number that was not seen."""
        raise NotImplementedError

    def effect(self, before: pd.DataFrame, after: pd.DataFrame, state: State) -> Effect:
        """What it did from `before` to `after`, in counts, for the owner's screen."""
        raise NotImplementedError


def plural(n: int, one: str, many: str | None = None) -> str:
    """ "1 row", "1,014 rows". """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def were(n: int) -> str:
    return "was" if n == 1 else "were"
