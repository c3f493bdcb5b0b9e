"""The default: a calibrated average of a regularised regression, extra trees and small boosted trees.

Weights and calibration come from predictions for rows that no member had seen, by inner folds of whole patients. A
random forest joins where a nested comparison says that it helps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from medml import home
from medml.cases import FitData
from medml.families import _files, _inner, _stack, boosting, forest, registry
from medml.families._guard import accept, loss, matrix
from medml.families.facts import Facts
from medml.families.family import Cost, Family, Param, Zone
from medml.types import Task
from medml.watch import Rounds, no_rounds

INNER_TREES = 100  # a forest's inner stand-in: weights hardly move beyond
JOINS = 1.0  # standard errors by which a random forest must help to join
RANDOM = "random forest"  # the kind of tree in the forest family
BY_COMPARISON, ALWAYS, NEVER = "where it helps", "always", "never"
FAMILY_OF = {"logistic": "logistic", "extra": "forest", "boosting": "boosting", "random": "forest"}
Seats = dict[str, dict[str, Any]]  # seat -> settings of its family


@dataclasses.dataclass(frozen=True, slots=True)
class Vote:
    """Fitted members by the name of their seat, and how they are put together."""

    members: dict[str, Any]
    stack: _stack.Stack
    width: int


class Auto(Family):
    name = "auto"
    title = "Best of several"
    sentence = "Averages regression, forests and boosted trees, weighed and calibrated inside the training rows."
    params = (
        Param("trees", "Trees in a forest", "How many trees each forest of the vote has.", None, low=100, high=2_000,
              more_is="cautious", picture="votes"),
        Param("random_forest", "Random forest as a fourth voice", "Whether a random forest joins the regression, the "
              "extra trees and the boosted trees.", BY_COMPARISON, kind="choice",
              choices=(BY_COMPARISON, ALWAYS, NEVER), picture="voices"),
    )

    def usual(self, facts: Facts) -> dict[str, Any]:
        return super().usual(facts) | {"trees": forest.usual_trees(facts)}

    def zones(self, facts: Facts) -> dict[str, Zone]:
        return {"trees": forest.tree_zone(facts)}

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        seats = _seats(self.settled(params, n_cases, n_columns, task))
        seconds, memory = 0.0, 0
        for seat, settings in seats.items():
            family = registry.get(FAMILY_OF[seat])
            inner, final = (family.cost(n_cases, n_columns, task, each) for each in (_stand_in(settings), settings))
            times = 0 if seat == "logistic" else _inner.n_folds(n_cases)  # its own folds serve for the weights
            seconds += times * inner.seconds + final.seconds
            memory += final.bytes
        return Cost(seconds, memory)

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Vote:
        X = accept(self, data)
        chosen = self.settled(params, *X.shape, data.task)
        election = _Election(dataclasses.replace(data, X=X), _seats(chosen), seed, rounds)
        return election.hold(chosen["random_forest"] == BY_COMPARISON)

    def predict(self, fitted: Vote, X: np.ndarray) -> np.ndarray:
        X = matrix(X, fitted.width)
        return fitted.stack([registry.get(FAMILY_OF[seat]).predict(member, X)
                             for seat, member in fitted.members.items()])

    def save(self, fitted: Vote, folder: Path) -> None:
        for seat, member in fitted.members.items():
            registry.get(FAMILY_OF[seat]).save(member, home.ensure(folder / seat))
        _files.write(folder, self.name, {"seats": list(fitted.members), "width": fitted.width,
                                         "slope": fitted.stack.slope},
                     {"weights": fitted.stack.weights, "offset": fitted.stack.offset})

    def load(self, folder: Path) -> Vote:
        meta, arrays, _ = _files.read(folder, self.name)
        members = {seat: registry.get(FAMILY_OF[seat]).load(folder / seat) for seat in meta["seats"]}
        return Vote(members, _stack.Stack(arrays["weights"], meta["slope"], arrays["offset"]), meta["width"])


class _Election:
    """One fit of the vote: every member in every inner part, the weights, then every member on all rows.

    The regression comes first, so from its first penalty on there is a model to keep if somebody says stop.
    """

    def __init__(self, data: FitData, seats: Seats, seed: int, rounds: Rounds) -> None:
        self.data, self.seats, self.seed, self.rounds = data, seats, seed, rounds
        self.pairs = _inner.folds(data.y, data.patients, data.task, seed)
        self.trees = [seat for seat in seats if seat != "logistic"]
        self.done, self.stopped = 0, False
        walk = registry.get("logistic").settled({}, *data.X.shape, data.task)["penalties"] + 1
        self.total = walk + len(self.trees) * (len(self.pairs) + 1)
        self.out_of_fold: dict[str, np.ndarray] = {}

    def hold(self, compare: bool) -> Vote:
        members = {"logistic": self._regression()}
        for train, rest in self.pairs:
            self._inner_part(train, rest)
        joined = [seat for seat in self.trees if not (compare and seat == "random") or self._helps(seat)]
        for place, seat in enumerate(joined, start=1):
            if self.stopped:
                break
            members[seat] = _fit(seat, self.data, self.seats[seat], self.seed)
            vote = self._vote(members)
            self.done = self.total - len(joined) + place  # a seat that stays empty counts as done
            self._speak(loss(self.data.y, _predict(vote, self.data.X)), lambda X, v=vote: _predict(v, X))
        return self._vote(members)

    def _regression(self) -> Any:
        def listen(done: int, total: int, train: float | None, predict: Callable | None, unit: str = "loss") -> bool:
            self.done = done
            self._speak(train, predict)
            return not self.stopped
        family = registry.get("logistic")
        fitted, self.out_of_fold["logistic"] = family.fit_with_inner(self.data, self.seats["logistic"], self.pairs,
                                                                     listen)
        return fitted

    def _inner_part(self, train: np.ndarray, rest: np.ndarray) -> None:
        part, fitted = _part(self.data, train), {}
        for seat in self.trees:
            if self.stopped:
                return
            fitted[seat] = _fit(seat, part, _stand_in(self.seats[seat]), self.seed)
            p = registry.get(FAMILY_OF[seat]).predict(fitted[seat], self.data.X[rest])
            self.out_of_fold.setdefault(seat, np.full((len(self.data.y), *p.shape[1:]), np.nan))[rest] = p
            self.done += 1
            vote = Vote(dict(fitted), _stack.equal([p] * len(fitted)), self.data.X.shape[1])
            seen = np.mean([self.out_of_fold[each][rest] for each in fitted], axis=0)
            self._speak(loss(self.data.y[rest], seen), lambda X, v=vote: _predict(v, X))

    def _helps(self, seat: str) -> bool:
        """The nested comparison: does one more voice lower the loss on rows that neither it nor the weights saw?"""
        if self.stopped or len(self.pairs) < 2:
            return False
        place = np.full(len(self.data.y), -1)
        for number, (_, rest) in enumerate(self.pairs):
            place[rest] = number
        others = [self.out_of_fold[each] for each in self.seats if each != seat]
        rows = np.isfinite(_rows_of(self.out_of_fold[seat]))
        return _stack.gain([p[rows] for p in others], self.out_of_fold[seat][rows], self.data.y[rows],
                           place[rows]) > JOINS

    def _vote(self, members: dict[str, Any]) -> Vote:
        seen = [self.out_of_fold[seat] for seat in members]
        rows = np.all([np.isfinite(_rows_of(p)) for p in seen], axis=0)
        stack = _stack.equal(seen) if self.stopped else _stack.fit([p[rows] for p in seen], self.data.y[rows])
        return Vote(dict(members), stack, self.data.X.shape[1])

    def _speak(self, train: float | None, predict: Callable | None) -> None:
        self.stopped = self.stopped or not self.rounds(self.done, self.total, train, predict)


def _rows_of(p: np.ndarray) -> np.ndarray:
    return p if p.ndim == 1 else p[:, 0]


def _fit(seat: str, data: FitData, settings: dict[str, Any], seed: int) -> Any:
    return registry.get(FAMILY_OF[seat]).fit(data, settings, seed=seed)


def _predict(vote: Vote, X: np.ndarray) -> np.ndarray:
    return registry.get("auto").predict(vote, X)


def _part(data: FitData, rows: np.ndarray) -> FitData:
    return dataclasses.replace(data, X=data.X[rows], y=data.y[rows], patients=data.patients[rows])


def _seats(chosen: dict[str, Any]) -> Seats:
    """Who votes, with what settings; in this order."""
    seats: Seats = {"logistic": {}, "extra": {"trees": chosen["trees"]}, "boosting": dict(boosting.VOICE)}
    if chosen["random_forest"] != NEVER:
        seats["random"] = {"trees": chosen["trees"], "kind": RANDOM}
    return seats


def _stand_in(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a member's inner copy, whose only use is to be compared."""
    return settings | {"trees": min(settings["trees"], INNER_TREES)} if "trees" in settings else settings


registry.add("auto", Auto())
