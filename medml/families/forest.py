"""Forests: extra trees or a random forest. A round is a tree; more rounds add trees."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from medml import device
from medml.cases import FitData
from medml.families import _files, _trees, registry
from medml.families._cost import unit
from medml.families._cuts import Nudge
from medml.families._guard import Labels, accept, loss, matrix
from medml.families.facts import Facts
from medml.families.family import Cost, Family, Param, Zone
from medml.types import Task
from medml.watch import Rounds, no_rounds

EXTRA, RANDOM = "extra trees", "random forest"
ROWS_A_TREE = 20_000  # a tree of a larger table sees a random part of this size
BATCHES = 10


@dataclass(frozen=True, slots=True)
class Forest:
    """A scikit-learn forest whose thresholds are no training row's value."""

    model: Any
    labels: Labels | None
    width: int
    heard: np.ndarray | None = None  # sum of the trees' votes on the training rows, while it grows; never saved


class Forests(Family):
    name = "forest"
    title = "Forest of trees"
    sentence = "Averages hundreds of decision trees; finds thresholds and combinations without being told of them."
    round = "trees"
    rounds_param = "trees"
    params = (
        Param("trees", "Trees", "How many trees vote; more are steadier and slower, never worse.", None,
              low=50, high=5_000, more_is="cautious", picture="votes"),
        Param("kind", "Kind of tree", "Extra trees cut at random places and are smoother; a random forest cuts at the "
              "best places.", EXTRA, kind="choice", choices=(EXTRA, RANDOM), picture="cuts", more=True),
        Param("leaf", "Fewest patients in a leaf", "A rule must hold for at least so many training rows; more make "
              "the forest smoother.", None, low=3, high=100, more_is="cautious", picture="leaf"),
        Param("columns", "Share of columns a cut", "How many columns are looked at for each cut; 0 takes the square "
              "root of their number, or all of them where a number is predicted.", 0.0, low=0.0, high=1.0, kind="float",
              picture="some_columns", more=True, zero=("the square root of their number", "all of them")),
    )

    def usual(self, facts: Facts) -> dict[str, Any]:
        return super().usual(facts) | {"trees": usual_trees(facts), "leaf": least_leaf(3, facts.n_rows)}

    def zones(self, facts: Facts) -> dict[str, Zone]:
        """A leaf of up to a fifteenth of the rows; a cut that sees most columns only where these are few."""
        leaf = least_leaf(3, facts.n_rows)
        return {"trees": tree_zone(facts), "leaf": (leaf, max(2 * leaf, min(4 * leaf + 8, facts.n_rows // 15))),
                "columns": (0.0, 0.8 if facts.n_columns < 10 else 0.6 if facts.n_columns < 100 else 0.3)}

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        chosen = self.settled(params, n_cases, n_columns, task)
        rows = min(n_cases, ROWS_A_TREE)
        tried = n_columns * chosen["columns"] or (n_columns ** 0.5 if task != "regression" else n_columns)
        passes = rows * np.log2(max(2.0, rows / chosen["leaf"])) * tried  # values looked at, a tree
        each = unit("sort") / (3 if chosen["kind"] == RANDOM else 7)  # measured, 300-3,000 rows x 20 columns
        nodes = 2 * rows / chosen["leaf"]
        return Cost(float(chosen["trees"] * (passes * each + 3_000 * unit("call"))),
                    int(chosen["trees"] * nodes * 64 + n_cases * n_columns * 4))

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Forest:
        X = accept(self, data)
        chosen = self.settled(params, *X.shape, data.task)
        model = _make(chosen, len(X), data.task, seed)
        return self._grow(model, X, data, int(chosen["trees"]), 0, rounds)

    def fit_to(self, fitted: Forest | None, data: FitData, until: int, params: dict[str, Any], *, seed: int,
               rounds: Rounds = no_rounds, work: Path | None = None, since: int | None = None) -> Forest:
        """Trees are drawn as if the forest had been grown in one go."""
        X = accept(self, data)
        if fitted is None:
            model = _make(self.settled(params, *X.shape, data.task), len(X), data.task, seed)
            return self._grow(model, X, data, until, 0, rounds, goals=[until])
        start = len(fitted.model.estimators_)
        return self._grow(copy.copy(fitted.model), X, data, until - start, start, rounds, goals=[until],
                          heard=fitted.heard)

    def _grow(self, model: Any, X: np.ndarray, data: FitData, n_trees: int, start: int, rounds: Rounds, *,
              goals: list[int] | None = None, heard: np.ndarray | None = None) -> Forest:
        labels = None if data.task == "regression" else Labels.of(data)
        y = data.y if labels is None else labels.encode(data.y)
        nudge, total = Nudge(X), start + n_trees
        if start:
            model.estimators_ = list(model.estimators_)
        fitted = Forest(model, labels, X.shape[1])
        if heard is None and rounds is not no_rounds:
            heard = _votes(model.estimators_[:start] if start else [], X, labels, None)
        for goal in [total] if rounds is no_rounds else goals or _steps(start, total):
            model.set_params(n_estimators=goal, warm_start=True, n_jobs=device.threads(len(X)))
            before = len(getattr(model, "estimators_", []))
            model.fit(X, y)
            _move_thresholds(model.estimators_[before:], nudge)
            train = None
            if rounds is not no_rounds:
                heard = _votes(model.estimators_[before:], X, labels, heard)
                train = loss(data.y, heard / goal)
            if not rounds(goal, total, train, lambda rows: self.predict(fitted, rows)):
                break
        return replace(fitted, heard=None if rounds is no_rounds else heard)

    def rounds_done(self, fitted: Forest) -> int:
        return len(fitted.model.estimators_)

    def predict(self, fitted: Forest, X: np.ndarray) -> np.ndarray:
        X = matrix(X, fitted.width)
        fitted.model.set_params(n_jobs=device.threads(len(X)))
        return fitted.model.predict(X) if fitted.labels is None else fitted.labels.spread(fitted.model.predict_proba(X))

    def save(self, fitted: Forest, folder: Path) -> None:
        meta, arrays = _trees.dump(fitted.model)
        labels = fitted.labels
        if labels is not None:
            arrays["present"] = labels.present
        meta |= {"width": fitted.width, "n_classes": None if labels is None else labels.n_classes}
        _files.write(folder, self.name, meta, arrays)

    def load(self, folder: Path) -> Forest:
        meta, arrays, _ = _files.read(folder, self.name)
        labels = None if "present" not in arrays else Labels(arrays["present"], meta["n_classes"])
        return Forest(_trees.load(meta, arrays), labels, meta["width"])


def usual_trees(facts: Facts) -> int:
    """500; of a large table, whose trees each see a part of 20,000 rows and hardly differ, 300."""
    return 300 if facts.large else 500


def tree_zone(facts: Facts) -> Zone:
    """From where votes waver by under two points to where more trees cost time alone."""
    return (200, 600) if facts.large else (300, 1_000)


def least_leaf(wanted: int, n_cases: int) -> int:
    """Fewest rows in a leaf; a large table's leaves are larger, which keeps its forest in memory."""
    return max(wanted, min(n_cases, ROWS_A_TREE) // 2_000)


def _make(chosen: dict[str, Any], n_cases: int, task: Task, seed: int) -> Any:
    from sklearn import ensemble

    kind = ("RandomForest" if chosen["kind"] == RANDOM else "ExtraTrees") + \
        ("Regressor" if task == "regression" else "Classifier")
    part = ROWS_A_TREE if n_cases > ROWS_A_TREE else None
    leaf = least_leaf(int(chosen["leaf"]), n_cases)
    columns = float(chosen["columns"]) or (1.0 if task == "regression" else "sqrt")
    return getattr(ensemble, kind)(min_samples_leaf=leaf, max_features=columns, random_state=seed,
                                   bootstrap=chosen["kind"] == RANDOM or part is not None, max_samples=part)


def _steps(start: int, total: int) -> list[int]:
    """Goals of at least BATCHES batches (of one tree each where fewer trees are asked for)."""
    return sorted({start + max(1, round((total - start) * part / BATCHES)) for part in range(1, BATCHES + 1)})


def _move_thresholds(trees: list[Any], nudge: Nudge) -> None:
    """In place, all trees at once: four times as fast as tree by tree."""
    sizes = np.cumsum([tree.tree_.node_count for tree in trees])[:-1]
    moved = nudge(np.concatenate([tree.tree_.feature for tree in trees]),
                  np.concatenate([tree.tree_.threshold for tree in trees]))
    for tree, thresholds in zip(trees, np.split(moved, sizes), strict=True):
        tree.tree_.threshold[:] = thresholds


def _votes(trees: list[Any], X: np.ndarray, labels: Labels | None, heard: np.ndarray | None) -> np.ndarray | None:
    """What was heard so far and these trees' votes, one after the other: the same sum however they are grouped."""
    for tree in trees:
        vote = _vote(tree, X, labels)
        heard = vote if heard is None else heard + vote
    return heard


def _vote(tree: Any, X: np.ndarray, labels: Labels | None) -> np.ndarray:
    single = X.astype(np.float32)
    if labels is None:
        return tree.predict(single, check_input=False)
    return labels.spread(tree.predict_proba(single, check_input=False))


registry.add("forest", Forests())
