"""The part of a recipe that learns: fitted on training rows, inside every fold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from medml.encode import rows_of
from medml.errors import UserError
from medml.recipe.groups import frequent_groups, labels
from medml.recipe.reach import reach
from medml.recipe.together import Together
from medml.steps import Learned, registry
from medml.steps.merge_rare import frequent
from medml.steps.patients import coming_back
from medml.steps.second_look import to_take_away
from medml.steps.step import NUMERIC, State
from medml.types import SMALL_GROUP, Effect, Kind, Recipe

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Cleaner:
    """What the learned steps of a recipe know after `fit`: limits, medians, frequent categories; no row.

    kinds      of the columns of Cases.X
    n_fitted   rows that it was fitted on (L7 compares it with the fold's training rows); 0 before `fit`
    states     what each step learned, in order: numbers of 3 significant digits, categories of k patients and more
    """

    def __init__(self, recipe: Recipe, kinds: dict[str, Kind]) -> None:
        self.recipe, self.kinds = recipe, dict(kinds)
        self.n_fitted = 0
        self.states: list[tuple[str, State]] = []
        self.known: dict[str, list[str]] = {}
        self.far: dict[str, list[float]] = {}  # number columns: beyond [low, high] lies nothing like the training rows
        self.groups: dict[str, list[str]] = {}  # sex, age, site: the groups that 30 training patients and more were of
        self.together: Together | None = None  # how numbers go together; None: too few patients to say
        self._origins: dict[str, str] = {}

    def fit(self, X: pd.DataFrame, patients: np.ndarray | None = None) -> Cleaner:
        """Learn from X (n, p) as in Cases.X, training rows only.

        patients  (n,) codes, equal for rows of one patient: each counts once; None: every row is a patient of its own
        """
        patients = coming_back(patients)
        self.n_fitted, self.states = len(X), []
        self.known = {name: frequent(X[name], SMALL_GROUP, len(X), patients) for name in self._categories(X)}
        reached = {name: reach(X[name].to_numpy(float), patients) for name in X if self.kinds.get(name) == "number"}
        self.far = {name: limits for name, limits in reached.items() if limits is not None}
        self.groups = frequent_groups(X, self.kinds, patients)
        self.together = Together.of(X, list(self.far), patients)
        for step in self.recipe.steps:
            kind = registry.get(step.name)
            if step.on and isinstance(kind, Learned):
                state = kind.fit(X, self.kinds, kind.filled(step.params), patients)
                self.states.append((step.name, state))
                X = kind.transform(X, state)
        self._learn_origins()
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Clean any rows: same columns in the same order, then one of 0 and 1 for each "X (missing)".

        A category that `fit` did not see becomes "(other)", or stays as it is where rare categories are not merged.
        """
        self._require_fitted()
        X = X[list(self.kinds)]
        for name, state in self.states:
            X = registry.get(name).transform(X, state)
        return X

    @property
    def watched(self) -> set[str]:
        """Columns of X in which `unseen`, `outside`, `few` and `odd_together` look for what training did not show."""
        together = [] if self.together is None else self.together.columns
        return {name for name, known in self.known.items() if known} | {*self.far, *self.groups, *together}

    def effects(self, X: pd.DataFrame, patients: np.ndarray | None = None) -> list[Effect]:
        """Fit each learned step on X (switched off or not) and count what it does; this Cleaner stays as it is."""
        patients, effects = coming_back(patients), []
        for step in self.recipe.steps:
            kind = registry.get(step.name)
            if isinstance(kind, Learned):
                state = kind.fit(X, self.kinds, kind.filled(step.params), patients)
                after = kind.transform(X, state)
                effects.append(kind.effect(X, after, state))
                X = after if step.on else X
        return effects

    def origin_of(self, column: str) -> str:
        """The column of the table that a cleaned column comes from: "ca (missing)" -> "ca"."""
        return self._origins.get(column, column)

    def unseen(self, X: pd.DataFrame) -> list[list[str]]:
        """For each row of X (before `transform`) the columns that hold a category which fewer than k patients
        had, or none: a model can say nothing reliable there (P1). A missing category is not unseen, and a column all
        of whose categories are that small tells the model nothing, so nothing is missed."""
        self._require_fitted()
        odd = {name: (X[name].notna() & ~X[name].isin(known)).to_numpy() for name, known in self.known.items() if known}
        return rows_of(odd, len(X))

    def outside(self, X: pd.DataFrame) -> list[list[str]]:
        """For each row of X (before `transform`) the number columns whose value lies far outside the training rows,
        as medml.recipe.reach says it, whatever steps are on: a model can say nothing reliable there (P1). A missing
        value is not outside, an infinite one is. A column in which fewer than 20 patients have a value has no limits,
        so nothing is outside it."""
        self._require_fitted()
        odd = {name: (values < low) | (values > high) for name, (low, high) in self.far.items()
               if name in X.columns for values in [X[name].to_numpy(float)]}
        return rows_of(odd, len(X))

    def few(self, X: pd.DataFrame) -> list[list[str]]:
        """For each row of X (before `transform`) the columns (sex, age, site) by which it is of a group that fewer than
        30 training patients were of (P1). Where nothing is recorded nobody is of such a group."""
        self._require_fitted()
        odd = {}
        for name, enough in self.groups.items():
            mine = labels(name, X[name])
            odd[name] = (mine.notna() & ~mine.isin(enough)).to_numpy()
        return rows_of(odd, len(X))

    def odd_together(self, X: pd.DataFrame) -> list[list[str]]:
        """For each row of X (before `transform`) the columns whose numbers are together unlike the training rows; []
        for a row that is like them, or where too few patients were there to say (P1)."""
        self._require_fitted()
        return [[] for _ in range(len(X))] if self.together is None else self.together.odd(X)

    def to_json(self) -> str:
        """All that was learned, as JSON text."""
        self._require_fitted()
        return json.dumps({"version": 1, "recipe": to_take_away(self.recipe).model_dump(), "kinds": self.kinds,
                           "n_fitted": self.n_fitted, "states": self.states, "known": self.known,
                           "far": self.far, "groups": self.groups,
                           "together": None if self.together is None else self.together.to_json()}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Cleaner:
        """Read what `to_json` wrote; UserError(code="damaged") if it cannot be trusted."""
        try:
            stored = json.loads(text)
            cleaner = cls(Recipe.model_validate(stored["recipe"]), stored["kinds"])
            cleaner.n_fitted = int(stored["n_fitted"])
            cleaner.states = [(registry.get(name).name, dict(state)) for name, state in stored["states"]]
            cleaner.known = {name: list(names) for name, names in stored["known"].items()}
            cleaner.far = {name: [float(low), float(high)] for name, (low, high) in stored.get("far", {}).items()}
            cleaner.groups = {name: [str(each) for each in names] for name, names in stored.get("groups", {}).items()}
            cleaner.together = None if stored.get("together") is None else Together.from_json(stored["together"])
            cleaner._learn_origins()
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as broken:
            raise UserError(what="The stored cleanup of this model is damaged.",
                            fix="Choose another checkpoint, or train again.", code="damaged",
                            detail=type(broken).__name__) from broken
        return cleaner

    def _categories(self, X: pd.DataFrame) -> list[str]:
        return [name for name in X.columns if self.kinds.get(name) not in NUMERIC]

    def _learn_origins(self) -> None:
        self._origins = {mark: name for _, state in self.states
                         for name, mark in state.get("indicators", {}).items()}

    def _require_fitted(self) -> None:
        if not self.n_fitted:
            raise ValueError("fit the Cleaner on training rows first")
