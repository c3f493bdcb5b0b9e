"""A frozen pretrained network and a regularised head on its features: minutes of fine-tuning become seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medml import device, mishaps
from medml.cases import FitData
from medml.errors import UserError
from medml.families import _files, _wide, logistic, registry
from medml.families._cost import unit
from medml.families._guard import Labels, refuse_outcome, refuse_task
from medml.families.facts import Facts
from medml.families.family import Cost, Family, Param
from medml.types import Task
from medml.vision import weights
from medml.vision.names import BACKBONES, SMALL, WIDTH, WORK
from medml.vision.pixels import Pictures
from medml.watch import Rounds, no_rounds

STRENGTHS = np.logspace(-5.5, 0.5, 13)  # of the head's penalty, as C on standardised features


@dataclass(frozen=True, slots=True)
class Frozen:
    """Which network looks, and the head on what it sees; `mean` and `scale` standardise its (width,) features."""

    backbone: str
    sha256: str  # of the file of weights
    side: int
    mean: np.ndarray
    scale: np.ndarray
    head: logistic.Linear  # of standardised features

    @property
    def labels(self) -> Labels | None:
        return self.head.labels


class CNNFeatures(Family):
    name = "cnn_features"
    title = "Pretrained network, frozen"
    sentence = "A network that learned on everyday photos looks once; only a small head learns. Seconds, not hours."
    sees = "pictures"
    on_card = True
    params = (
        Param("backbone", "Network", "Which network looks at the pictures; its weights must lie on this machine.", None,
              kind="choice", choices=tuple(name for name in BACKBONES if name != SMALL),
              words=tuple(title for name, title in BACKBONES.items() if name != SMALL), picture="backbone"),
    )

    def usual(self, facts: Facts) -> dict[str, Any]:
        here = [each.backbone for each in weights.available()]
        return {"backbone": here[0] if here else "mobilenet_v2"}

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        backbone = self.settled(params, n_cases, n_columns, task)["backbone"]
        looking = n_cases * WORK[backbone] * 1e9 * (n_columns / 224) ** 2 * unit("product") / device.cores()
        rank, outputs = min(n_cases, WIDTH[backbone]), 3 if task == "multiclass" else 1
        head = len(STRENGTHS) * 6 * 60 * n_cases * rank * outputs * unit("product") + 2e5 * unit("call")
        return Cost(looking / 6 + head, int(n_cases * (n_columns ** 2 * 3 + WIDTH[backbone] * 12) + 6e8))

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Frozen:
        """The features of all pictures of the store are computed once, for every fold; the head learns from these."""
        refuse_task(self, data)
        refuse_outcome(data)
        chosen = self.settled(params, *data.X.shape[:2], data.task)
        found = _weights(chosen["backbone"])
        sha256 = found.sha256
        seen = features(data.X, found, sha256)
        mean, scale = seen.mean(axis=0), seen.std(axis=0)
        scale = np.where(scale > 1e-6, scale, 1.0)
        # the head of all features, found where the pictures, fewer than the features, differ
        turned, back = _wide.turned((seen - mean) / scale)
        inner = FitData(X=turned, y=data.y, patients=data.patients, task=data.task, n_classes=data.n_classes, names=[],
                        origins=[])
        with device.few_threads(len(turned)):
            head, _ = logistic.walk(turned, inner, STRENGTHS, seed=seed, scaled=True, rounds=_asking(
                rounds, lambda X: ((features(X, found, sha256) - mean) / scale) @ back))
        whole = logistic.Linear(back @ head.mean, np.ones(len(mean)), back @ head.weights, head.offset, head.labels,
                                head.strength)
        return Frozen(chosen["backbone"], sha256, int(data.X.shape[1]), mean, scale, whole)

    def predict(self, fitted: Frozen, X: Pictures) -> np.ndarray:
        found = _weights(fitted.backbone)
        if found.sha256 != fitted.sha256:
            raise weights.gone(BACKBONES[fitted.backbone])
        seen = features(X, found, fitted.sha256)
        return logistic.predict(fitted.head, (seen - fitted.mean) / fitted.scale)

    def network(self, fitted: Frozen) -> Any:
        """Body and head as one network (n, 3, h, w) -> scores. Its body ends where the head's mean is taken off: what
        every picture has may outweigh, in all fields, what an answer goes by, and has no part in a heatmap."""
        import torch

        from medml.vision.classifier import Centred, Classifier

        found = _weights(fitted.backbone)
        model = Classifier(fitted.backbone, fitted.head.weights.shape[1])
        model.body.load_state_dict(weights.body(found))
        by_feature = _evenly(fitted.head.weights) / fitted.scale[:, None]
        offset = _evenly(fitted.head.offset - fitted.head.mean @ fitted.head.weights)
        model.body = Centred(model.body, torch.from_numpy(fitted.mean))
        with torch.no_grad():
            model.head[1].weight.copy_(torch.from_numpy(by_feature.T))
            model.head[1].bias.copy_(torch.from_numpy(offset))
        return model.eval()

    def stream(self, fitted: Frozen, X: Pictures) -> Any:
        """Pictures as that network is fed them, on the processor."""
        import torch

        from medml.vision.stream import Stream

        found = _weights(fitted.backbone)
        return Stream(X, np.array(found.mean) * 255, np.array(found.std) * 255, torch.device("cpu"))

    def save(self, fitted: Frozen, folder: Path) -> None:
        head = fitted.head
        arrays = {"mean": fitted.mean, "scale": fitted.scale, "weights": head.weights, "offset": head.offset,
                  "middle": head.mean}
        if head.labels is not None:
            arrays["present"] = head.labels.present
        _files.write(folder, self.name, {"backbone": fitted.backbone, "sha256": fitted.sha256, "side": fitted.side,
                                         "strength": head.strength,
                                         "n_classes": None if head.labels is None else head.labels.n_classes}, arrays)

    def load(self, folder: Path) -> Frozen:
        meta, arrays, _ = _files.read(folder, self.name)
        labels = Labels(arrays["present"], meta["n_classes"]) if "present" in arrays else None
        head = logistic.Linear(arrays["middle"], np.ones(len(arrays["mean"])), arrays["weights"], arrays["offset"],
                               labels, meta["strength"])
        return Frozen(meta["backbone"], meta["sha256"], meta["side"], arrays["mean"], arrays["scale"], head)


def _evenly(scores: np.ndarray) -> np.ndarray:
    """(..., n_present): less their mean over the classes, which tells none of them from another: the head of two
    classes has all its weights with the second, and nothing would ever speak for the first. A number stays."""
    return scores - scores.mean(axis=-1, keepdims=True) if scores.shape[-1] > 1 else scores


def features(X: Pictures, found: weights.Weights, sha256: str) -> np.ndarray:
    """(n, width) float64: what the frozen network sees, computed once for the whole store of these pictures."""
    store, name = X.store, f"features {found.backbone} {sha256}"
    if name not in store.computed:
        store.computed[name] = _look(Pictures(store, np.arange(len(store))), found)
    return store.computed[name][X.positions].astype(np.float64)


def _look(X: Pictures, found: weights.Weights) -> np.ndarray:
    """One pass of all pictures through the network, (n, width) float32: the mean of each feature map. Where the
    graphics card fails the processor begins it anew."""
    try:
        return _look_on(device.pick(), X, found)
    except RuntimeError as error:
        if not mishaps.card_is_gone(error):
            raise
    device.give_up()
    return _look_on(device.pick(), X, found)


def _look_on(on: Any, X: Pictures, found: weights.Weights) -> np.ndarray:
    import torch

    from medml.vision import backbones
    from medml.vision.classifier import Classifier
    from medml.vision.stream import Stream

    with device.repeatable(on, 0, device.SMALL), torch.inference_mode():
        model = Classifier(found.backbone, 1)
        model.body.load_state_dict(weights.body(found))
        model = backbones.fold_norms(model).to(on)
        stream = Stream(X, np.array(found.mean) * 255, np.array(found.std) * 255, on)
        parts = [model.maps(stream[first:first + stream.at_once]).mean(dim=(2, 3)).cpu().numpy()
                 for first in range(0, len(stream), stream.at_once)]
    return np.concatenate(parts)


def _asking(rounds: Rounds, turn: Any) -> Rounds:
    """The head's rounds, asked about pictures."""
    return lambda done, total, train, predict, unit="loss": rounds(
        done, total, train, None if predict is None else (lambda X: predict(turn(X))), unit)


def _weights(backbone: str) -> weights.Weights:
    found = weights.find(backbone)
    if found is None:
        raise UserError(what=f"There are no pretrained weights of {BACKBONES[backbone]} on this machine.",
                        fix="Import a file of weights, or choose the convolutional network, which can begin from "
                            "nothing.", code="no_weights")
    return found


registry.add("cnn_features", CNNFeatures())
