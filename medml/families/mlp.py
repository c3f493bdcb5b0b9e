"""A small network on the house's one PyTorch loop. A round is an epoch; more rounds keep the optimizer's state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from medml.cases import FitData
from medml.families import _brakes, registry
from medml.families._cost import unit
from medml.families._guard import Labels, accept, matrix
from medml.families._network import Learner, Network, Scaling
from medml.families.facts import ORDINARY, VALIDATION, Facts, rounded
from medml.families.family import Cost, Param, Zone
from medml.types import Task

if TYPE_CHECKING:
    import torch

MEASURED = 500  # rows for which 64 units and a dropout of 0.2 are usual
WIDTHS = (64, 96, 128, 192, 256)  # a narrower one learns too slowly in the few steps that few rows make
FAR = 5.0  # standard deviations beyond which a value says no more


class MLP(Learner):
    name = "mlp"
    title = "Neural network"
    sentence = "Learns in rounds that you can watch, stop, continue and take back; pays with many patients."
    params = (
        Param("epochs", "Rounds over the table", "How often the network may see every training row; it stops earlier "
              "when it no longer improves.", None, low=1, high=5_000, picture="rounds"),
        Param("patience", "Patience", "After how many rounds without improvement it stops.", None, low=5, high=500,
              picture="patience", more=True),
        Param("width", "Units in the first layer", "How much the network can hold; more rows can feed more, and the "
              "second layer has half.", None, low=4, high=1_024, picture="network"),
        Param("dropout", "Dropout", "Share of units silenced at random while learning, against learning by heart; "
              "many rows need less.", None, low=0.0, high=0.8, kind="float", more_is="cautious", picture="silenced"),
        Param("rate", "Learning rate", "How far each step goes; the more rows a step, the farther.", None, low=0.00001,
              high=0.1, kind="log", picture="valley"),
        Param("decay", "Weight decay", "How strongly weights are pulled to zero; the fewer steps, the stronger.",
              None, low=0.0, high=1.0, kind="log", more_is="cautious", picture="pull", more=True),
        Param("batch", "Rows a step", "How many rows are looked at before the weights move.", None, low=8,
              high=8_192, more_is="cautious", picture="batch"),
        Param("class_weights", "Weigh rare classes up", "Rare classes count as much as frequent ones while learning; "
              "probabilities are put right again afterwards.", False, kind="switch", picture="weighed", more=True),
    )

    def usual(self, facts: Facts) -> dict[str, Any]:
        """A large table needs fewer rounds: each has more steps. Units grow with the fourth root of the rows, half the
        pace that pays at most (Barron, Machine Learning 1994;14:115); a step's reach with the root of the rows it
        averages, as its noise falls (Malladi et al., NeurIPS 2022)."""
        batch = 32 if facts.n_rows < 2_000 else 512 if facts.large else 128
        epochs = max(40, round(200 * ORDINARY / facts.n_rows, -1)) if facts.large else 200
        units = 64 / facts.scarcity(MEASURED, 1 / 4)
        return super().usual(facts) | {
            "batch": batch, "epochs": int(epochs), "patience": min(25, int(epochs) // 2),
            "width": min(WIDTHS, key=lambda each: abs(math.log(each / units))),
            "rate": rounded(0.001 * math.sqrt(batch / 32)), "dropout": _brakes.dropout(facts, MEASURED),
            "decay": _brakes.decay(facts, batch, int(epochs))}

    def zones(self, facts: Facts) -> dict[str, Zone]:
        """Around the usual value; wider networks and weaker brakes where there are many rows a column."""
        usual, rows = self.usual(facts), facts.n_rows
        epochs, patience, batch = usual["epochs"], usual["patience"], usual["batch"]
        return {"epochs": (epochs // 4, 5 * epochs // 2), "patience": (max(5, 2 * patience // 5), 12 * patience // 5),
                "width": (16, 128 if rows < 2_000 else 512 if facts.large else 256),
                "dropout": (0.1, 0.5) if rows < 1_000 else (0.05, 0.4),
                "rate": (0.0003, 0.003 if rows < 2_000 else 0.005),
                "decay": (0.003, 0.3) if rows < 300 else (0.001, 0.1),
                "batch": (max(8, batch // 4), max(2 * batch, min(8 * batch, rows // 8)))}

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        chosen = self.settled(params, n_cases, n_columns, task)
        rows, width = n_cases * (1 - VALIDATION), chosen["width"]
        weights = n_columns * width + width * width / 2
        steps = rows / chosen["batch"]
        epoch = 6 * rows * weights * unit("product") + steps * 2_300 * unit("call")  # calls a step: measured
        return Cost(float(chosen["epochs"] * epoch + 60_000 * unit("call")),
                    int(n_cases * n_columns * 4 * 3 + weights * 4 * 5 + 3e8))

    def accept(self, data: FitData) -> np.ndarray:
        return accept(self, data)

    def shape(self, X: np.ndarray, labels: Labels | None, chosen: dict[str, Any]) -> dict[str, Any]:
        width = int(chosen["width"])
        return {"inputs": X.shape[1], "hidden": [width, max(2, width // 2)], "dropout": float(chosen["dropout"]),
                "outputs": 1 if labels is None else len(labels.present)}

    def scaling(self, X: np.ndarray, y: np.ndarray, labels: Labels | None, chosen: dict[str, Any]) -> Scaling:
        mean, scale = X.mean(axis=0), X.std(axis=0)
        scale = np.where(scale > 1e-12 * np.maximum(1.0, np.abs(mean)), scale, 1.0)
        return Scaling.of(mean, scale, y, labels, chosen["class_weights"])

    def build(self, shape: dict[str, Any], *, fresh: bool = False) -> Any:
        """Linear -> SiLU -> dropout, twice, then the scores: (n, inputs) -> (n, outputs)."""
        from torch import nn

        layers: list[Any] = []
        for before, after in zip([shape["inputs"], *shape["hidden"]], shape["hidden"], strict=False):
            layers += [nn.Linear(before, after), nn.SiLU(), nn.Dropout(shape["dropout"])]
        return nn.Sequential(*layers, nn.Linear(shape["hidden"][-1], shape["outputs"]))

    def inputs(self, network: Network, X: np.ndarray, on: torch.device, *, learning: bool = False) -> torch.Tensor:
        import torch

        scaling, X = network.scaling, matrix(X, network.shape["inputs"])
        return torch.from_numpy(np.clip((X - scaling.mean) / scaling.scale, -FAR, FAR).astype(np.float32)).to(on)


registry.add("mlp", MLP())
