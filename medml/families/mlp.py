"""A small network on the house's one PyTorch loop. A round is an epoch; more rounds keep the optimizer's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from medml.cases import FitData
from medml.families import registry
from medml.families._cost import unit
from medml.families._guard import Labels, accept, matrix
from medml.families._network import VALIDATION, Learner, Network, Scaling
from medml.families.family import Cost, Param
from medml.types import Task

if TYPE_CHECKING:
    import torch

FAR = 5.0  # standard deviations beyond which a value says no more


class MLP(Learner):
    name = "mlp"
    title = "Neural network"
    sentence = "Learns in rounds that you can watch, stop, continue and take back; pays with many patients."
    params = (
        Param("epochs", "Rounds over the table", "How often the network may see every training row; it stops earlier "
              "when it no longer improves.", 200, low=1, high=5_000, zones=(50, 500)),
        Param("patience", "Patience", "After how many rounds without improvement it stops.", 25, low=5, high=500,
              zones=(10, 60)),
        Param("width", "Units in the first layer", "How much the network can hold; the second layer has half.", 64,
              low=4, high=1_024, zones=(16, 128)),
        Param("dropout", "Dropout", "Share of units silenced at random while learning, against learning by heart.",
              0.2, low=0.0, high=0.8, kind="float", zones=(0.1, 0.4), more_is="cautious"),
        Param("rate", "Learning rate", "How far each step goes.", 0.001, low=0.00001, high=0.1, kind="log",
              zones=(0.0003, 0.003)),
        Param("decay", "Weight decay", "How strongly weights are pulled to zero.", 0.01, low=0.0, high=1.0,
              kind="float", zones=(0.001, 0.1), more_is="cautious"),
        Param("batch", "Rows a step", "How many rows are looked at before the weights move.", None, low=8,
              high=8_192, zones=(16, 1_024), more_is="cautious"),
        Param("class_weights", "Weigh rare classes up", "Rare classes count as much as frequent ones while learning; "
              "probabilities are put right again afterwards.", False, kind="switch"),
    )

    def usual(self, n_cases: int, n_columns: int, task: Task) -> dict[str, Any]:
        batch = 32 if n_cases < 2_000 else 128 if n_cases < 20_000 else 512
        return super().usual(n_cases, n_columns, task) | {"batch": batch}

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
