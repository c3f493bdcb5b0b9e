"""The default: a calibrated average of a regularised regression, extra trees and small boosted trees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medml import home
from medml.cases import FitData
from medml.families import _files, _inner, _stack, registry
from medml.families._guard import accept, loss, matrix
from medml.families.family import Cost, Family, Param
from medml.types import Task
from medml.watch import Rounds, no_rounds

Pairs = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Vote:
    """Fitted members by the name of their seat, and how they are put together."""

    members: dict[str, Any]
    stack: _stack.Stack
    width: int


class Auto(Family):
    name = "auto"
    title = "Best of several"
    sentence = "Averages regression, a forest and boosted trees, weighed and calibrated inside the training rows."
    params = (
        Param("trees", "Trees in a forest", "How many trees each forest of the vote has.", 500, low=100, high=2_000,
              zones=(300, 1_000), more_is="cautious"),
    )

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        fits = _inner.n_folds(n_cases) + 1
        size = n_cases, n_columns, task
        seats = _seats(self.filled(params)).values()
        costs = [registry.get(family).cost(*size, settings) for family, settings in seats]
        return Cost(fits * sum(each.seconds for each in costs), sum(each.bytes for each in costs))

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Vote:
        X = accept(self, data)
        seats = _seats(self.settled(params, *X.shape, data.task))
        pairs = _inner.folds(data.y, data.patients, data.task, seed)
        total, done = len(seats) * (len(pairs) + 1) + 1, 0
        out_of_fold: dict[str, np.ndarray] = {}
        for train, rest in pairs:
            part = _part(data, train)
            for seat, (name, settings) in seats.items():
                family = registry.get(name)
                model = family.fit(part, settings, seed=seed)
                p = family.predict(model, X[rest])
                if seat not in out_of_fold:
                    out_of_fold[seat] = np.full((len(X), *p.shape[1:]), np.nan)
                out_of_fold[seat][rest] = p
                done += 1
                rounds(done, total, loss(data.y[rest], p), lambda rows, m=model, f=family: f.predict(m, rows))
        members: dict[str, Any] = {}
        for seat, (name, settings) in seats.items():
            members[seat] = registry.get(name).fit(data, settings, seed=seed)
            done += 1
            vote = Vote(dict(members), _stack.equal(len(members), max(1, data.n_classes)), X.shape[1])
            rounds(done, total, loss(data.y, self.predict(vote, X)), lambda rows, v=vote: self.predict(v, rows))
        rounds(total, total, loss(data.y, self.predict(vote, X)), lambda rows: self.predict(vote, rows))
        return vote

    def predict(self, fitted: Vote, X: np.ndarray) -> np.ndarray:
        X = matrix(X, fitted.width)
        return fitted.stack([registry.get(_family_of(seat)).predict(member, X)
                             for seat, member in fitted.members.items()])

    def save(self, fitted: Vote, folder: Path) -> None:
        for seat, member in fitted.members.items():
            registry.get(_family_of(seat)).save(member, home.ensure(folder / seat))
        _files.write(folder, self.name, {"seats": list(fitted.members), "width": fitted.width,
                                         "slope": fitted.stack.slope},
                     {"weights": fitted.stack.weights, "offset": fitted.stack.offset})

    def load(self, folder: Path) -> Vote:
        meta, arrays, _ = _files.read(folder, self.name)
        members = {seat: registry.get(_family_of(seat)).load(folder / seat) for seat in meta["seats"]}
        return Vote(members, _stack.Stack(arrays["weights"], meta["slope"], arrays["offset"]), meta["width"])


def _seats(chosen: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Seat -> family and its settings."""
    return {"logistic": ("logistic", {}), "extra": ("forest", {"trees": chosen["trees"]}), "boosting": ("boosting", {})}


def _family_of(seat: str) -> str:
    return {"extra": "forest", "random": "forest"}.get(seat, seat)


def _part(data: FitData, rows: np.ndarray) -> FitData:
    return FitData(X=data.X[rows], y=data.y[rows], patients=data.patients[rows], task=data.task,
                   n_classes=data.n_classes, names=data.names, origins=data.origins)


registry.add("auto", Auto())
