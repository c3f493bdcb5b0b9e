"""Choose predictors on one fold's training rows: PyImpetus, a forest where it cannot answer, then the lists."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from medml.select.budget import Budget, Over
from medml.select.candidates import Candidates, candidates, strongest
from medml.select.impetus import can_answer, markov_blanket
from medml.select.permutation import shuffled_loss
from medml.types import Kind, SelectionPlan, Task
from medml.watch import Silent, Watch

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

Method = Literal["pyimpetus", "forest", "all", "lists"]


@dataclass(frozen=True, slots=True)
class Selected:
    """What one fold's selection kept.

    columns      names of columns of the table, in the table's order
    scores       column -> score of the method used (PyImpetus: -log p of its last test; forest: loss added by
                 shuffling, in standard errors); columns that it did not keep have none
    method_used  what answered in the end; "all": no subset was better than all; "lists": selection was off
    n_fitted     training rows that were given (L8 compares it with the fold's)
    note         one sentence where something else than asked was done, else ""
    """

    columns: list[str]
    scores: dict[str, float]
    method_used: Method
    n_fitted: int
    seconds: float
    note: str = ""


def select(X: pd.DataFrame, y: np.ndarray, *, plan: SelectionPlan, kinds: dict[str, Kind], task: Task, seed: int,
           watch: Watch | None = None, patients: np.ndarray | None = None,
           origin_of: Callable[[str], str] = str) -> Selected:
    """Choose columns from one fold's cleaned training rows.

    X          (n, p) as Cleaner.transform gives it; y (n,) codes or numbers; patients (n,), so that the forest judges
               on other patients than it was trained on
    origin_of  cleaned column -> column of the table; a mark of missing values stays or goes with its column
    returns    forced-out columns are never candidates, forced-in ones are always kept, an empty answer means all.
               Takes plan.seconds_a_fold at most, give or take one small fit; on a stop all columns are kept
    """
    budget = Budget(plan.seconds_a_fold, watch or Silent())
    allowed = [name for name in dict.fromkeys(map(origin_of, X.columns)) if name not in plan.forced_out]
    if not plan.on or len(allowed) < 2:
        return Selected(allowed, {}, "lists", len(y), budget.spent)
    mine = [name for name in X.columns if origin_of(name) in set(allowed)]
    found = strongest(candidates(X[mine], y, kinds, origin_of, patients, task, seed), seed)
    kept, method, note = _ask(found, plan, seed, budget)
    scores: dict[str, float] = {}
    for at, score in kept.items():
        scores[found.origins[at]] = max(score, scores.get(found.origins[at], score))
    if not scores:
        return Selected(allowed, {}, "all", len(y), budget.spent, note or "No subset was better than all predictors.")
    wanted = {*scores, *plan.forced_in}
    return Selected([name for name in allowed if name in wanted], scores, method, len(y), budget.spent, note)


def _ask(found: Candidates, plan: SelectionPlan, seed: int, budget: Budget) -> tuple[dict[int, float], Method, str]:
    """Positions kept with their scores, the method that answered, and why it was not the one asked for."""
    note = ""
    if plan.method == "pyimpetus":
        if can_answer(found):
            try:
                return markov_blanket(found, plan.simulations, seed, budget), "pyimpetus", ""
            except Over:
                note = f"PyImpetus did not finish within its share of {plan.seconds_a_fold:g} seconds"
            except ModuleNotFoundError as absent:
                note = f"PyImpetus is not installed with all it needs ({absent.name})"
        else:
            note = "a class is too rare for PyImpetus"
        note = f"A random forest chose, because {note}."
        log.info("selection: forest instead of PyImpetus (%d rows, %d columns)", *found.X.shape)
    if budget.watch.stopping():
        return {}, "all", "Stopped before the selection was done; all predictors are kept."
    return shuffled_loss(found, seed, budget), "forest", note
