"""A small network on the house's one PyTorch loop. A round is an epoch; more rounds keep the optimizer's state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medml import device, loop, split
from medml.cases import FitData
from medml.families import _files, registry
from medml.families._cost import unit
from medml.families._guard import Labels, accept, matrix
from medml.families.family import Cost, Family, Param
from medml.types import Task
from medml.watch import Rounds, no_rounds

if TYPE_CHECKING:
    import torch

FAR = 5.0  # standard deviations beyond which a value says no more
VALIDATION = 0.2  # share of the training patients on which the best epoch is chosen


@dataclass(frozen=True, slots=True)
class Scaling:
    """How rows become inputs and outputs numbers; learned from the training rows of the fit."""

    mean: np.ndarray  # (p,)
    scale: np.ndarray  # (p,)
    centre: float  # of the outcome, where it is a number
    spread: float
    correction: np.ndarray  # (n_present,) log of the class weights, taken off the scores again

    def inputs(self, X: np.ndarray) -> np.ndarray:
        return np.clip((X - self.mean) / self.scale, -FAR, FAR).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Network:
    """The best epoch, to predict with, and where training stands, to go on from."""

    shape: dict[str, Any]  # inputs, hidden, outputs, dropout
    scaling: Scaling
    labels: Labels | None
    seed: int
    meta: dict[str, Any]
    arrays: loop.Arrays


class MLP(Family):
    name = "mlp"
    title = "Neural network"
    sentence = "Learns in rounds that you can watch, stop, continue and take back; pays with many patients."
    round = "epoch"
    rounds_param = "epochs"
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

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Network:
        X = accept(self, data)
        chosen = self.settled(params, *X.shape, data.task)
        labels = None if data.task == "regression" else Labels.of(data)
        parts = split.inner_holdout(data.y, data.patients, VALIDATION, seed, data.task)
        train = parts[0]
        network = Network(_shape(X, labels, chosen), _scaling(X[train], data.y[train], labels, chosen), labels, seed,
                          {}, {})
        return _train(network, X, data, parts, _plan(chosen, int(chosen["epochs"]), chosen["patience"]),
                      rounds, work)

    def fit_to(self, fitted: Network | None, data: FitData, until: int, params: dict[str, Any], *, seed: int,
               rounds: Rounds = no_rounds, work: Path | None = None) -> Network:
        """`fit` in stretches: to `until` epochs in all, patience kept."""
        chosen = self.settled(params, *data.X.shape, data.task)
        if fitted is None:
            return self.fit(data, chosen | {"epochs": until}, seed=seed, rounds=rounds, work=work)
        parts = split.inner_holdout(data.y, data.patients, VALIDATION, fitted.seed, data.task)
        plan = _plan(chosen, until, chosen["patience"])
        return _train(fitted, accept(self, data), data, parts, plan, rounds, work)

    def tired(self, fitted: Network, params: dict[str, Any]) -> bool:
        """Whether patience has run out: further rounds of this fit would change nothing."""
        patience = self.filled(params)["patience"]
        return fitted.meta["epoch"] - fitted.meta["best_epoch"] >= patience

    def more(self, fitted: Network, data: FitData, n_rounds: int, params: dict[str, Any], *, seed: int,
             rounds: Rounds = no_rounds, work: Path | None = None) -> Network:
        """n_rounds epochs from the last one, with the optimizer's state; the best epoch of all is kept."""
        X = accept(self, data)
        chosen = self.settled(params, *X.shape, data.task)
        parts = split.inner_holdout(data.y, data.patients, VALIDATION, fitted.seed, data.task)
        plan = _plan(chosen, self.rounds_done(fitted) + n_rounds, None)
        since = replace(fitted, meta=fitted.meta | {"since": self.rounds_done(fitted)})
        return _train(since, X, data, parts, plan, rounds, work)

    def rounds_done(self, fitted: Network) -> int:
        return int(fitted.meta["epoch"])

    def predict(self, fitted: Network, X: np.ndarray) -> np.ndarray:
        """On the processor, so that a model trained on a graphics card says the same everywhere."""
        import torch

        X = matrix(X, fitted.shape["inputs"])
        model = _build(fitted.shape)
        model.load_state_dict({name.removeprefix("best."): torch.from_numpy(array.copy())
                               for name, array in fitted.arrays.items() if name.startswith("best.")})
        return _ask(model.eval(), fitted, X, torch.device("cpu"))

    def save(self, fitted: Network, folder: Path) -> None:
        scaling, labels = fitted.scaling, fitted.labels
        arrays = {f"loop.{name}": array for name, array in fitted.arrays.items()}
        arrays |= {"mean": scaling.mean, "scale": scaling.scale, "correction": scaling.correction,
                   "outcome": np.array([scaling.centre, scaling.spread])}
        if labels is not None:
            arrays["present"] = labels.present
        _files.write(folder, self.name, {"shape": fitted.shape, "seed": fitted.seed, "loop": fitted.meta,
                                         "n_classes": None if labels is None else labels.n_classes}, arrays)

    def load(self, folder: Path) -> Network:
        meta, arrays, _ = _files.read(folder, self.name)
        labels = None if "present" not in arrays else Labels(arrays["present"], meta["n_classes"])
        centre, spread = arrays["outcome"]
        scaling = Scaling(arrays["mean"], arrays["scale"], float(centre), float(spread), arrays["correction"])
        inner = {name.removeprefix("loop."): array for name, array in arrays.items() if name.startswith("loop.")}
        return Network(meta["shape"], scaling, labels, meta["seed"], meta["loop"], inner)


def _plan(chosen: dict[str, Any], epochs: int, patience: int | None) -> loop.Plan:
    return loop.Plan(epochs=epochs, batch=int(chosen["batch"]), rate=float(chosen["rate"]),
                     decay=float(chosen["decay"]), patience=patience)


def _shape(X: np.ndarray, labels: Labels | None, chosen: dict[str, Any]) -> dict[str, Any]:
    width = int(chosen["width"])
    return {"inputs": X.shape[1], "hidden": [width, max(2, width // 2)], "dropout": float(chosen["dropout"]),
            "outputs": 1 if labels is None else len(labels.present)}


def _scaling(X: np.ndarray, y: np.ndarray, labels: Labels | None, chosen: dict[str, Any]) -> Scaling:
    mean, scale = X.mean(axis=0), X.std(axis=0)
    scale = np.where(scale > 1e-12 * np.maximum(1.0, np.abs(mean)), scale, 1.0)
    if labels is None:
        return Scaling(mean, scale, float(y.mean()), float(y.std()) or 1.0, np.zeros(1))
    counts = np.maximum(1, np.bincount(labels.encode(y), minlength=len(labels.present)))
    weights = counts.sum() / (len(counts) * counts) if chosen["class_weights"] else np.ones(len(counts))
    return Scaling(mean, scale, 0.0, 1.0, np.log(weights))


def _build(shape: dict[str, Any]) -> Any:
    """Linear -> SiLU -> dropout, twice, then the scores: (n, inputs) -> (n, outputs)."""
    from torch import nn

    layers: list[Any] = []
    for before, after in zip([shape["inputs"], *shape["hidden"]], shape["hidden"], strict=False):
        layers += [nn.Linear(before, after), nn.SiLU(), nn.Dropout(shape["dropout"])]
    return nn.Sequential(*layers, nn.Linear(shape["hidden"][-1], shape["outputs"]))


def _train(network: Network, X: np.ndarray, data: FitData, parts: tuple[np.ndarray, np.ndarray], plan: loop.Plan,
           rounds: Rounds, work: Path | None) -> Network:
    """One stretch of training: fresh where the network has no history, else on from its own state."""
    on, since = device.pick(), network.meta.get("since", 0)
    with device.repeatable(on, network.seed, len(X)):
        model = _build(network.shape).to(on)
        session = loop.start(model, plan)
        if network.meta:
            loop.restore(session, network.meta | {"finished": False}, network.arrays)
        checkpoints = None if work is None else loop.Checkpoints(
            work, loop.purpose_of(network.shape, network.seed, vars_of(plan) | {"epochs": None}, since, X, data.y))
        taken_up = checkpoints is not None and checkpoints.take_up(session)
        train_loss, val_loss = _losses(network, on)
        ask = lambda rows: _ask(model.eval(), network, matrix(rows, network.shape["inputs"]), on)  # noqa: E731
        session.finished = session.epoch >= plan.epochs or loop.tired(session, plan)  # a stretch may end before a fit
        if taken_up and session.finished:
            rounds(session.epoch, plan.epochs, None, ask)
        loop.run(session, _slices(network, X, data.y, parts, on), plan, train_loss=train_loss, val_loss=val_loss,
                 ask=ask, rounds=_in_units(rounds, network.scaling.spread ** 2), work=checkpoints)
        meta, arrays = loop.snapshot(session)
        meta["since"] = since  # the epoch from which this fit, or its continuation, set out
    return Network(network.shape, network.scaling, network.labels, network.seed, meta, arrays)


def _in_units(rounds: Rounds, factor: float) -> Rounds:
    """Speak of squared errors in the outcome's own unit, not of the standardised outcome that the network learns."""
    return lambda done, total, train, predict, unit="loss": rounds(done, total, None if train is None
                                                                   else train * factor, predict, unit)


def vars_of(plan: loop.Plan) -> dict[str, Any]:
    """A plan as JSON."""
    return {name: getattr(plan, name) for name in plan.__slots__}


def _slices(network: Network, X: np.ndarray, y: np.ndarray, parts: tuple[np.ndarray, np.ndarray],
            on: torch.device) -> loop.Slices:
    import torch

    inputs = torch.from_numpy(network.scaling.inputs(X)).to(on)
    if network.labels is None:
        target = ((y - network.scaling.centre) / network.scaling.spread).astype(np.float32)
    else:
        target = network.labels.encode(y)
    outcome = torch.from_numpy(target).to(on)
    train, rest = (torch.from_numpy(part).to(on) for part in parts)
    return loop.Slices(inputs[train], outcome[train], inputs[rest], outcome[rest])


def _losses(network: Network, on: torch.device) -> tuple[loop.Loss, loop.Loss]:
    """Loss to learn from, and loss to judge by: without class weights, as probabilities are given."""
    import torch
    from torch.nn import functional

    if network.labels is None:
        squared: loop.Loss = lambda scores, y: functional.mse_loss(scores[:, 0], y)  # noqa: E731
        return squared, squared
    log_weights = torch.from_numpy(network.scaling.correction.astype(np.float32)).to(on)
    if not network.scaling.correction.any():
        return functional.cross_entropy, functional.cross_entropy
    weights = log_weights.exp()
    return (lambda scores, y: functional.cross_entropy(scores, y, weight=weights),
            lambda scores, y: functional.cross_entropy(scores - log_weights, y))


def _ask(model: Any, network: Network, X: np.ndarray, on: torch.device) -> np.ndarray:
    """Probabilities or numbers of a network in hand. Weighted classes: p is proportional to p_weighted / weight."""
    import torch

    with torch.no_grad():
        scores = model(torch.from_numpy(network.scaling.inputs(X)).to(on)).cpu().numpy().astype(np.float64)
    if network.labels is None:
        return scores[:, 0] * network.scaling.spread + network.scaling.centre
    scores = scores - network.scaling.correction
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return network.labels.spread(shifted / shifted.sum(axis=1, keepdims=True))


registry.add("mlp", MLP())
