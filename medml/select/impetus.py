"""PyImpetus (Hassan et al., "PPFS: Predictive Permutation Feature Selection", arXiv:2110.10713), made safe to run.

What 4.1.2 does by itself and this file mends: it cannot be stopped; it sets numpy's global seed; where one predictor
is left it answers none; it fails where a simulation's test part lacks a class.
"""

from __future__ import annotations

import numpy as np

from medml.select.budget import Budget
from medml.select.candidates import Candidates

LEAST_SIMULATIONS = 6  # a signed-rank test of n pairs gives p >= 2**-n: with 4 nothing is below 0.05
LEAST_OF_A_CLASS = 10  # a fifth of the rows tests each simulation: fewer than 10 of a class may leave none there
SHARE = 0.7  # of the time; the rest is the forest's, should this not finish


def can_answer(found: Candidates) -> bool:
    """Whether every simulation will have every class on both sides."""
    return found.task == "regression" or int(np.bincount(found.y).min()) >= LEAST_OF_A_CLASS


def markov_blanket(found: Candidates, simulations: int, seed: int, budget: Budget) -> dict[int, float]:
    """Positions of the columns kept, with -log p of each one's last test; empty: no subset is better than all.

    raises  Over when SHARE of the budget is spent or a stop was asked for (noticed within one small tree's fit)
    """
    import pandas as pd

    kind, settings = _kind(found, seed)
    chooser = _stoppable(kind, budget)(num_simul=max(simulations, LEAST_SIMULATIONS), n_jobs=1, verbose=0,
                                       random_state=seed, **settings)
    before = np.random.get_state()  # noqa: NPY002 - PyImpetus seeds the global generator; it is put back
    try:
        chooser.fit(pd.DataFrame(found.X, columns=range(found.X.shape[1])), found.y)
    finally:
        np.random.set_state(before)  # noqa: NPY002
    return {int(column): float(score) for column, score in zip(chooser.MB, chooser.feat_imp_scores, strict=True)}


def _kind(found: Candidates, seed: int) -> tuple[type, dict]:
    """The library's class for the task, with a tree whose leaves hold at least 5 % of the rows (its default tree
    grows to single patients, whose log-loss is noise)."""
    from PyImpetus import PPIMBC, PPIMBR
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    leaf = max(5, len(found.y) // 20)
    if found.task == "regression":
        return PPIMBR, {"model": DecisionTreeRegressor(min_samples_leaf=leaf, random_state=seed)}
    return PPIMBC, {"model": DecisionTreeClassifier(min_samples_leaf=leaf, random_state=seed), "simul_type": 1}


def _stoppable(kind: type, budget: Budget) -> type:
    """The library's class, which looks at the clock before every simulation and keeps a single predictor."""

    class Stoppable(kind):
        def _feature_importance(self, data, Y, i):
            budget.check(SHARE)
            return super()._feature_importance(data, Y, i)

        def _PPI(self, X, Y, Z, col):
            result = super()._PPI(X, Y, Z, col)
            if col is not None:
                alone[col] = result[1]
            return result

        def _shrink(self, data, Y, MB):
            kept, scores = super()._shrink(data, Y, MB)
            if len(kept) == 1 and not scores:  # nothing is left to compare it with: its own test stands
                scores = [-np.log(alone[kept[0]])]
            return kept, scores

    alone: dict[int, float] = {}
    return Stoppable
