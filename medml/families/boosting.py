"""Gradient boosting by XGBoost: shallow by default. A round is a tree (one a class where there are several)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medml import device
from medml.cases import FitData
from medml.families import _files, registry
from medml.families._cost import unit
from medml.families._cuts import MOST_BINS, binned
from medml.families._guard import Labels, accept, loss, matrix
from medml.families.facts import FEW, MEASURED, Facts
from medml.families.family import Cost, Family, Param, Zone
from medml.types import Task
from medml.watch import Rounds, no_rounds

VOICE = {"rate": 0.05, "rows": 0.7, "columns": 0.6}  # of 500 rows; in `auto` of any table: measured there
ENDS = 125  # rows at each of the four ends of a tree on 500 rows
FEW_ROWS = 200
POINTS = 30  # how often a fit speaks; never less than every tenth of it
BOOSTER = "booster.ubj"


@dataclass(frozen=True, slots=True)
class Boosted:
    """An XGBoost booster that reads plain rows; its thresholds are borders between training values."""

    booster: Any
    labels: Labels | None
    width: int
    shown: Any = None  # the training rows as XGBoost wants them, while a fit goes on in stretches; never saved


class Boosting(Family):
    name = "boosting"
    title = "Boosted trees"
    sentence = "Small trees one after the other, each mending what the others missed; strong with many patients."
    round = "trees"
    rounds_param = "trees"
    params = (
        Param("trees", "Trees", "How many trees are added one after the other; too many learn the training rows by "
              "heart.", None, low=20, high=3_000, picture="added"),
        Param("depth", "Depth of a tree", "How many questions a tree may ask in a row; 2 lets two columns interact.",
              None, low=1, high=8, picture="depth"),
        Param("rate", "Learning rate", "How much of each tree is believed; more where more rows stand at its ends.",
              None, low=0.005, high=0.5, kind="log", picture="belief"),
        Param("rows", "Share of rows a tree", "Each tree sees a random part of the rows, which steadies the whole; "
              "many rows can spare more.", None, low=0.3, high=1.0, kind="float", picture="some_rows", more=True),
        Param("columns", "Share of columns a tree", "Each tree sees a random part of the columns, a smaller one where "
              "few rows let a column win by chance.", None, low=0.2, high=1.0, kind="float", picture="some_columns",
              more=True),
    )

    def usual(self, facts: Facts) -> dict[str, Any]:
        """Shrunk as the noise of what stands at a tree's ends asks; rows are spared as in Friedman 2002 (0.5 to 0.8,
        less of more); of columns a larger part where the best one is so by more than chance."""
        trees, depth = (150, 2) if facts.n_rows < MEASURED else (300, 3) if not facts.large else (500, 4)
        rate = VOICE["rate"] * (facts.n_rows / 2**depth / ENDS) ** (1 / 4)
        scale = 0 if facts.n_rows < FEW_ROWS else 1 if facts.n_rows < MEASURED else 3 if facts.large else 2
        return super().usual(facts) | {
            "trees": trees, "depth": depth, "rate": min(0.1, max(0.03, round(rate, 2))),
            "rows": (0.8, VOICE["rows"], 0.6, 0.5)[scale], "columns": (0.5, VOICE["columns"], 0.7, 0.8)[scale]}

    def zones(self, facts: Facts) -> dict[str, Zone]:
        """Few events carry few questions in a row; few rows or columns are not thinned out much."""
        usual = self.usual(facts)
        trees, depth = usual["trees"], usual["depth"]
        return {"trees": (trees // 2, 3 * trees),
                "depth": (max(1, depth - 1), depth + (facts.informative >= FEW)),
                "rate": (0.02, 0.2 if facts.large else 0.1),
                "rows": (0.6 if facts.n_rows < FEW_ROWS else 0.5, 0.9),
                "columns": (0.5 if facts.n_columns < 10 else 0.3 if facts.n_columns >= 100 else 0.4, 0.9)}

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        chosen = self.settled(params, n_cases, n_columns, task)
        trees = chosen["trees"] * (3 if task == "multiclass" else 1)
        looked = n_cases * chosen["rows"] * n_columns * chosen["columns"] * chosen["depth"]
        bins = n_columns * MOST_BINS * 2 ** chosen["depth"]
        binning = n_cases * n_columns * 2
        seconds = trees * ((looked + bins) * unit("sort") / 20 + 1_000 * unit("call")) + binning * unit("sort")
        return Cost(float(seconds), int(n_cases * n_columns * (8 + 4 + 1)))

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Boosted:
        X = accept(self, data)
        chosen = self.settled(params, *X.shape, data.task)
        return self._boost(None, X, data, int(chosen["trees"]), chosen, seed, rounds)

    def fit_to(self, fitted: Boosted | None, data: FitData, until: int, params: dict[str, Any], *, seed: int,
               rounds: Rounds = no_rounds, work: Path | None = None, since: int | None = None) -> Boosted:
        """Each stretch draws its rows and columns from a seed of its own, so its numbers do not depend on whether the
        trees before it were read back from a file."""
        X = accept(self, data)
        chosen, done = self.settled(params, *X.shape, data.task), 0 if fitted is None else self.rounds_done(fitted)
        stride = until - done if len(X) < device.SMALL else max(1, (until - done) // 5)
        return self._boost(fitted, X, data, until - done, chosen, seed + done, rounds, stride=stride)

    def _boost(self, before: Boosted | None, X: np.ndarray, data: FitData, n_trees: int, chosen: dict[str, Any],
               seed: int, rounds: Rounds, *, stride: int | None = None) -> Boosted:
        import xgboost

        labels = None if data.task == "regression" else Labels.of(data)
        y = data.y if labels is None else labels.encode(data.y)
        start = 0 if before is None else self.rounds_done(before)
        speaker = _speaker(self, X, data, labels, start, start + n_trees, rounds, stride or max(1, n_trees // POINTS))
        shown = before.shown if before is not None and before.shown is not None else xgboost.DMatrix(binned(X), y)
        booster = xgboost.train(_settings(chosen, labels, len(X), seed), shown, n_trees,
                                xgb_model=None if before is None else before.booster, callbacks=[speaker],
                                verbose_eval=False)
        booster.set_attr(best_iteration=None, best_score=None)
        return Boosted(booster, labels, X.shape[1], shown if stride else None)

    def rounds_done(self, fitted: Boosted) -> int:
        return fitted.booster.num_boosted_rounds()

    def predict(self, fitted: Boosted, X: np.ndarray) -> np.ndarray:
        import xgboost

        X = matrix(X, fitted.width)
        fitted.booster.set_param({"nthread": device.threads(len(X))})
        p = fitted.booster.predict(xgboost.DMatrix(X.astype(np.float32))).astype(np.float64)
        if fitted.labels is None:
            return p
        return fitted.labels.spread(np.column_stack([1 - p, p]) if p.ndim == 1 else p)

    def save(self, fitted: Boosted, folder: Path) -> None:
        labels = fitted.labels
        arrays = {"present": np.zeros(0, np.int64) if labels is None else labels.present}
        meta = {"width": fitted.width, "n_classes": None if labels is None else labels.n_classes}
        _files.write(folder, self.name, meta, arrays, {BOOSTER: bytes(fitted.booster.save_raw("ubj"))})

    def load(self, folder: Path) -> Boosted:
        import xgboost

        meta, arrays, others = _files.read(folder, self.name)
        booster = xgboost.Booster()
        booster.load_model(bytearray(others[BOOSTER]))
        labels = None if meta["n_classes"] is None else Labels(arrays["present"], meta["n_classes"])
        return Boosted(booster, labels, meta["width"])


def _settings(chosen: dict[str, Any], labels: Labels | None, n_cases: int, seed: int) -> dict[str, Any]:
    several = labels is not None and len(labels.present) > 2
    objective = "reg:squarederror" if labels is None else "multi:softprob" if several else "binary:logistic"
    settings = {"objective": objective, "max_depth": int(chosen["depth"]), "eta": chosen["rate"],
                "subsample": chosen["rows"], "colsample_bytree": chosen["columns"], "tree_method": "hist",
                "max_bin": 2 * MOST_BINS, "seed": seed, "nthread": device.threads(n_cases), "verbosity": 0}
    return settings | ({"num_class": len(labels.present)} if several else {})


def _speaker(family: Boosting, X: np.ndarray, data: FitData, labels: Labels | None, start: int, total: int,
             rounds: Rounds, stride: int) -> Any:
    """An XGBoost callback that calls `rounds` after every `stride` trees and stops when told."""
    from xgboost.callback import TrainingCallback

    class Speaker(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            done = model.num_boosted_rounds()
            if (done - start) % stride and done < total:
                return False

            def ask(rows: np.ndarray) -> np.ndarray:
                return family.predict(Boosted(model, labels, X.shape[1]), rows)

            return not rounds(done, total, loss(data.y, ask(X)), ask)

    return Speaker()


registry.add("boosting", Boosting())
