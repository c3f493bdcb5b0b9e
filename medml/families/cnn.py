"""A convolutional network for pictures on the house's one PyTorch loop, from pretrained weights where they are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from medml import device
from medml.cases import FitData
from medml.families import _brakes, registry
from medml.families._cost import unit
from medml.families._guard import Labels, refuse_outcome, refuse_task
from medml.families._network import Learner, Network, Scaling
from medml.families.facts import VALIDATION, Facts
from medml.families.family import Cost, Param, Zone
from medml.types import Task
from medml.vision import weights
from medml.vision.names import BACKBONES, SMALL, WORK
from medml.vision.pixels import Pictures

if TYPE_CHECKING:
    import torch

MEASURED = 5_000  # pictures for which the usual values were measured (bench.pneumonia)
SAMPLE = 500  # training pictures from which mean and spread of grey are taken where a network starts from nothing


class CNN(Learner):
    name = "cnn"
    title = "Convolutional network"
    sentence = "Learns in rounds where to look in a picture; you can watch, stop, continue and take back."
    sees = "pictures"
    params = (
        Param("epochs", "Rounds over the pictures", "How often the network may see every training picture; it stops "
              "earlier when it no longer improves.", None, low=1, high=500, picture="rounds"),
        Param("backbone", "Network", "Which network looks at the pictures.", None, kind="choice",
              choices=tuple(BACKBONES), words=tuple(BACKBONES.values()), picture="backbone"),
        Param("start", "Begins from", "Pretrained: from weights that lie on this machine, learned on everyday photos. "
              "Scratch: from nothing, which takes more pictures and more rounds.", "pretrained", kind="choice",
              choices=("pretrained", "scratch"), words=("pretrained weights, where they are here", "nothing"),
              picture="begins"),
        Param("patience", "Patience", "After how many rounds without improvement it stops; few pictures judge "
              "a round less surely.", None, low=2, high=100, picture="patience", more=True),
        Param("rate", "Learning rate", "How far each step goes; what is usual goes by the network.", None,
              low=0.00001, high=0.1, kind="log", picture="valley"),
        Param("decay", "Weight decay", "How strongly weights are pulled to zero; the fewer steps, the stronger.",
              None, low=0.0, high=1.0, kind="log", more_is="cautious", picture="pull", more=True),
        Param("dropout", "Dropout", "Share of features silenced at random while learning, against learning by "
              "heart; many pictures need less.", None, low=0.0, high=0.8, kind="float", more_is="cautious",
              picture="silenced", more=True),
        Param("batch", "Pictures a step", "How many pictures are looked at before the weights move.", None, low=4,
              high=1_024, more_is="cautious", picture="batch"),
        Param("turn", "Turned by up to", "Degrees by which a training picture is turned at random; more where pictures "
              "are few.", None, low=0.0, high=45.0, kind="float", picture="turned"),
        Param("shift", "Moved by up to", "Share of its side by which a training picture is moved at random; more "
              "where pictures are few.", None, low=0.0, high=0.3, kind="float", picture="moved"),
        Param("light", "Light changed by up to", "Share by which brightness and contrast are changed at random; "
              "more where pictures are few.", None, low=0.0, high=0.5, kind="float", picture="lit"),
        Param("flip", "Mirrored", "Whether training pictures are mirrored at random. Never for chest films: the heart "
              "would be on the wrong side.", "none", kind="choice", choices=("none", "left-right", "both ways"),
              picture="mirrored"),
        Param("class_weights", "Weigh rare classes up", "Rare classes count as much as frequent ones while learning; "
              "probabilities are put right again afterwards.", False, kind="switch", picture="weighed", more=True),
    )

    def usual(self, facts: Facts) -> dict[str, Any]:
        """By the number of pictures, the side of a picture (n_columns) and the weights that are here.

        A changed picture stands for those near it: that neighbourhood narrows as a kernel's width does, with
        n ** -1 / (4 + 4) for four ways of changing (Chapelle et al., NIPS 2000; Silverman 1986, section 4.3). A large
        set needs fewer rounds, each has more steps, and shows with more certainty whether one was better.
        """
        n_cases, n_columns = facts.n_rows, facts.n_columns
        here = [each.backbone for each in weights.available()]
        backbone = SMALL if n_columns < 64 or not here else here[0]
        small, near = backbone == SMALL, facts.scarcity(MEASURED, 1 / 8)
        epochs = round((30 if small else 12) * min(1.0, facts.scarcity(MEASURED, 1 / 4)))
        batch = 16 if n_cases < 500 else 32 if n_cases < 3_000 else 64
        return super().usual(facts) | {
            "backbone": backbone, "epochs": epochs, "rate": 0.001 if small else 0.0003, "batch": batch,
            "patience": max(4, round(8 * near)), "turn": float(round(7 * near)), "shift": round(0.06 * near, 2),
            "light": round(0.15 * near, 2), "dropout": _brakes.dropout(facts, MEASURED),
            "decay": _brakes.decay(facts, batch, epochs)}

    def zones(self, facts: Facts) -> dict[str, Zone]:
        """Around the usual value; stronger changes where pictures are few, larger steps where a card computes them."""
        usual, few = self.usual(facts), facts.n_rows < 1_000
        epochs, batch = usual["epochs"], usual["batch"]
        return {"epochs": (2 * epochs // 5, 5 * epochs // 2), "patience": (4, 20 if few else 15),
                "rate": (0.3 * usual["rate"], 3 * usual["rate"]), "decay": (0.003, 0.3) if few else (0.001, 0.1),
                "dropout": (0.1, 0.5) if few else (0.05, 0.4),
                "batch": (batch // 2, max(2 * batch, min(batch * (8 if facts.graphics else 4), facts.n_rows // 8))),
                "turn": (3.0, 20.0 if few else 12.0), "shift": (0.02, 0.15 if few else 0.1),
                "light": (0.05, 0.35 if few else 0.25)}

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        chosen = self.settled(params, n_cases, n_columns, task)
        picture = WORK[chosen["backbone"]] * 1e9 * (n_columns / 224) ** 2
        epoch = n_cases * picture * (3 * (1 - VALIDATION) + VALIDATION) * unit("product") / device.cores()
        return Cost(float(chosen["epochs"] * epoch + 300_000 * unit("call")),
                    int(n_cases * n_columns ** 2 * 3 + chosen["batch"] * picture * 0.02 + 6e8))

    def accept(self, data: FitData) -> Pictures:
        refuse_task(self, data)
        refuse_outcome(data)
        if not isinstance(data.X, Pictures):
            raise ValueError("this family learns from Pictures")
        return data.X

    def shape(self, X: Pictures, labels: Labels | None, chosen: dict[str, Any]) -> dict[str, Any]:
        from medml.vision import precision

        backbone, side = chosen["backbone"], int(X.shape[1])
        found = weights.find(backbone) if chosen["start"] == "pretrained" else None
        half = precision.mixed(backbone, lambda: self.build({"backbone": backbone, "dropout": 0.0, "outputs": 2,
                                                             "mixed": False}), side, device.pick())
        return {"backbone": backbone, "height": side, "width": int(X.shape[2]), "dropout": float(chosen["dropout"]),
                "outputs": 1 if labels is None else len(labels.present), "mixed": half,
                "pretrained": None if found is None else found.sha256,
                "changes": {"turn": float(chosen["turn"]), "shift": float(chosen["shift"]),
                            "zoom": float(chosen["shift"]) * 1.5, "light": float(chosen["light"]),
                            "flip": chosen["flip"]}}

    def scaling(self, X: Pictures, y: np.ndarray, labels: Labels | None, chosen: dict[str, Any]) -> Scaling:
        """As the makers of the weights fed them; without weights, mean and spread of the training pictures' grey."""
        found = weights.find(chosen["backbone"]) if chosen["start"] == "pretrained" else None
        if found is not None:
            mean, scale = np.array(found.mean) * 255.0, np.array(found.std) * 255.0
        else:
            some = X.read(np.random.default_rng(0).permutation(len(X))[:SAMPLE]).astype(np.float64)
            mean, scale = np.full(3, round(some.mean())), np.full(3, max(1.0, round(some.std())))
        return Scaling.of(mean.astype(np.float64), scale.astype(np.float64), y, labels, chosen["class_weights"])

    def build(self, shape: dict[str, Any], *, fresh: bool = False) -> Any:
        from medml.vision import backbones
        from medml.vision.classifier import Classifier

        model = Classifier(shape["backbone"], shape["outputs"], dropout=shape["dropout"], mixed=shape["mixed"])
        if fresh and shape.get("pretrained"):
            found = weights.find(shape["backbone"])
            if found is None or found.sha256 != shape["pretrained"]:
                raise weights.gone(backbones.get(shape["backbone"]).title)
            model.body.load_state_dict(weights.body(found))
        return model

    def inputs(self, network: Network, X: Pictures, on: torch.device, *, learning: bool = False) -> Any:
        from medml.vision.augment import Changes
        from medml.vision.stream import Stream

        if X.shape[1:3] != (network.shape["height"], network.shape["width"]):
            raise ValueError(f"pictures of {X.shape[1:3]} for a network of {network.shape['height']}")
        return Stream(X, network.scaling.mean, network.scaling.scale, on,
                      changes=Changes(**network.shape["changes"]) if learning else None)

    def best(self, fitted: Network) -> Any:
        """In whole precision, however it learned: half precision is another number on every kind of processor."""
        model = super().best(fitted)
        model.mixed = False
        return model

    def network(self, fitted: Network) -> Any:
        """The network (n, 3, h, w) -> scores, for heatmaps."""
        return self.best(fitted)

    def stream(self, fitted: Network, X: Pictures) -> Any:
        """Pictures as that network is fed them, on the processor."""
        import torch

        return self.inputs(fitted, X, torch.device("cpu"))

    def size(self, X: Pictures) -> int:
        return device.SMALL  # pictures are worth every core, however few there are

    def contents(self, X: Pictures) -> np.ndarray:
        return X.digest()


registry.add("cnn", CNN())
