"""What families of networks share: one fit on the house's loop, in stretches, further, saved and read back.

A family says how its inputs look (`accept`, `shape`, `scaling`, `inputs`) and builds the network; all else is here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medml import device, loop, mishaps, split
from medml.cases import FitData
from medml.families import _files
from medml.families._guard import Labels
from medml.families.facts import VALIDATION
from medml.families.family import Family
from medml.watch import Rounds, no_rounds

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Scaling:
    """How inputs and outcomes become numbers around zero; learned from the training rows of the fit."""

    mean: np.ndarray  # (p,), or (channels,) of pictures
    scale: np.ndarray  # the same
    centre: float  # of the outcome, where it is a number
    spread: float
    correction: np.ndarray  # (n_present,) log of the class weights, taken off the scores again
    weighed: int = 0  # rows that the class weights were worked out from; 0: there are none

    @classmethod
    def of(cls, mean: np.ndarray, scale: np.ndarray, y: np.ndarray, labels: Labels | None,
           weigh_classes: bool) -> Scaling:
        """With centre and spread of a number, or weights of classes, from these training rows."""
        if labels is None:
            return cls(mean, scale, float(y.mean()), float(y.std()) or 1.0, np.zeros(1))
        counts = np.maximum(1, np.bincount(labels.encode(y), minlength=len(labels.present)))
        weights = counts.sum() / (len(counts) * counts) if weigh_classes else np.ones(len(counts))
        return cls(mean, scale, 0.0, 1.0, np.log(weights), len(y) if weigh_classes else 0)


@dataclass(frozen=True, slots=True)
class Network:
    """The best epoch, to predict with, and where training stands, to go on from."""

    shape: dict[str, Any]  # what `build` needs, as JSON; "outputs" among it
    scaling: Scaling
    labels: Labels | None
    seed: int
    meta: dict[str, Any]
    arrays: loop.Arrays


class Learner(Family):
    """A family whose round is an epoch of the one loop."""

    round = "epoch"
    rounds_param = "epochs"
    on_card = True

    # ---- what a family of this sort says ---------------------------------------------------------------------------

    def accept(self, data: FitData) -> Any:
        """X, if this family can learn from `data`; UserError if not."""
        raise NotImplementedError

    def shape(self, X: Any, labels: Labels | None, chosen: dict[str, Any]) -> dict[str, Any]:
        """What `build` needs."""
        raise NotImplementedError

    def scaling(self, X: Any, y: np.ndarray, labels: Labels | None, chosen: dict[str, Any]) -> Scaling:
        """From the training rows of the fit alone."""
        raise NotImplementedError

    def build(self, shape: dict[str, Any], *, fresh: bool = False) -> Any:
        """The network without what it learned: inputs -> (n, outputs). fresh: to begin to learn from here."""
        raise NotImplementedError

    def inputs(self, network: Network, X: Any, on: torch.device, *, learning: bool = False) -> Any:
        """X as the loop slices it (see loop.Slices); UserError where it is not what the network was trained on."""
        raise NotImplementedError

    # ---- what follows from it --------------------------------------------------------------------------------------

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Network:
        X = self.accept(data)
        chosen = self.settled(params, *X.shape[:2], data.task)
        labels = None if data.task == "regression" else Labels.of(data)
        train = split.inner_holdout(data.y, data.patients, VALIDATION, seed, data.task)[0]
        network = Network(self.shape(X, labels, chosen), self.scaling(X[train], data.y[train], labels, chosen), labels,
                          seed, {}, {})
        return self._train(network, X, data, plan_of(chosen, int(chosen["epochs"]), chosen["patience"]), rounds, work)

    def fit_to(self, fitted: Network | None, data: FitData, until: int, params: dict[str, Any], *, seed: int,
               rounds: Rounds = no_rounds, work: Path | None = None, since: int | None = None) -> Network:
        """To `until` epochs in all, with the optimizer's state; patience is kept in a first fit, and has no say when a
        finished one goes on. The best epoch of all is kept."""
        chosen = self.settled(params, *data.X.shape[:2], data.task)
        if fitted is None:
            return self.fit(data, chosen | {"epochs": until}, seed=seed, rounds=rounds, work=work)
        if since is not None:
            fitted = replace(fitted, meta=fitted.meta | {"since": since})
        plan = plan_of(chosen, until, chosen["patience"] if since is None else None)
        return self._train(fitted, self.accept(data), data, plan, rounds, work)

    def weighed(self, fitted: Network) -> int | None:
        return fitted.scaling.weighed or None

    def tired(self, fitted: Network, params: dict[str, Any]) -> bool:
        """Whether patience has run out: further rounds of this fit would change nothing. params  settled ones"""
        return fitted.meta["epoch"] - fitted.meta["best_epoch"] >= params["patience"]

    def ended(self, fitted: Network, since: int) -> bool:
        return self.happened(fitted).get(mishaps.NO_NUMBER, 0) > since

    def happened(self, fitted: Network) -> dict[str, int]:
        return fitted.meta.get("happened", {})

    def rounds_done(self, fitted: Network) -> int:
        return int(fitted.meta["epoch"])

    def predict(self, fitted: Network, X: Any) -> np.ndarray:
        """On the processor, so that a model trained on a graphics card says the same everywhere."""
        import torch

        return self.ask(self.best(fitted), fitted, X, torch.device("cpu"))

    def best(self, fitted: Network) -> Any:
        """The network with the weights of its best epoch, on the processor, ready to be asked."""
        import torch

        model = self.build(fitted.shape)
        model.load_state_dict({name.removeprefix("best."): torch.from_numpy(array.copy())
                               for name, array in fitted.arrays.items() if name.startswith("best.")})
        return model.eval()

    def ask(self, model: Any, network: Network, X: Any, on: torch.device) -> np.ndarray:
        """Probabilities or numbers of a network in hand. Weighted classes: p is proportional to p_weighted / weight."""
        import torch

        with torch.no_grad():
            scores = loop.scores(model, self.inputs(network, X, on)).cpu().numpy().astype(np.float64)
        if network.labels is None:
            return scores[:, 0] * network.scaling.spread + network.scaling.centre
        scores = scores - network.scaling.correction
        shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
        return network.labels.spread(shifted / shifted.sum(axis=1, keepdims=True))

    def save(self, fitted: Network, folder: Path) -> None:
        scaling, labels = fitted.scaling, fitted.labels
        arrays = {f"loop.{name}": array for name, array in fitted.arrays.items()}
        arrays |= {"mean": scaling.mean, "scale": scaling.scale, "correction": scaling.correction,
                   "outcome": np.array([scaling.centre, scaling.spread]), "weighed": np.array([scaling.weighed])}
        if labels is not None:
            arrays["present"] = labels.present
        _files.write(folder, self.name, {"shape": fitted.shape, "seed": fitted.seed, "loop": fitted.meta,
                                         "n_classes": None if labels is None else labels.n_classes}, arrays)

    def load(self, folder: Path) -> Network:
        meta, arrays, _ = _files.read(folder, self.name)
        labels = None if "present" not in arrays else Labels(arrays["present"], meta["n_classes"])
        centre, spread = arrays["outcome"]
        scaling = Scaling(arrays["mean"], arrays["scale"], float(centre), float(spread), arrays["correction"],
                          int(arrays["weighed"][0]))
        inner = {name.removeprefix("loop."): array for name, array in arrays.items() if name.startswith("loop.")}
        return Network(meta["shape"], scaling, labels, meta["seed"], meta["loop"], inner)

    def _train(self, network: Network, X: Any, data: FitData, plan: loop.Plan, rounds: Rounds,
               work: Path | None) -> Network:
        """One stretch of training: fresh where the network has no history, else on from its own state. Where the
        graphics card fails the processor goes on from the last checkpoint."""
        try:
            return self._train_on(device.pick(), network, X, data, plan, rounds, work)
        except RuntimeError as error:
            if not mishaps.card_is_gone(error):
                raise
        device.give_up()
        return self._train_on(device.pick(), network, X, data, plan, rounds, work, moved=True)

    def _train_on(self, on: torch.device, network: Network, X: Any, data: FitData, plan: loop.Plan, rounds: Rounds,
                  work: Path | None, *, moved: bool = False) -> Network:
        since = network.meta.get("since", 0)
        with device.repeatable(on, network.seed, self.size(X)):
            model = self.build(network.shape, fresh=not network.meta).to(on)
            session = loop.start(model, plan)
            if network.meta:
                loop.restore(session, network.meta | {"finished": False}, network.arrays)
            checkpoints = None if work is None else loop.Checkpoints(
                work, loop.purpose_of(network.shape, network.seed, vars_of(plan) | {"epochs": None}, since,
                                      self.contents(X), data.y))
            taken_up = checkpoints is not None and checkpoints.take_up(session)
            if moved:
                session.happened.setdefault(mishaps.CARD_GONE, session.epoch + 1)
            learn_by, judge_by = losses(network, on)
            ask = lambda rows: self.ask(model.eval(), network, rows, on)  # noqa: E731
            session.finished = session.epoch >= plan.epochs or loop.tired(session, plan) \
                or session.happened.get(mishaps.NO_NUMBER, 0) > since  # a stretch may end early
            if taken_up and session.finished:
                rounds(session.epoch, plan.epochs, None, ask)
            loop.run(session, self._slices(network, X, data, on), plan, train_loss=learn_by, val_loss=judge_by,
                     ask=ask, rounds=_in_units(rounds, network.scaling.spread ** 2), work=checkpoints,
                     asked=getattr(rounds, "asked", loop.nobody))
            meta, arrays = loop.snapshot(session)
            meta["since"] = since  # the epoch from which this fit, or its continuation, set out
        return Network(network.shape, network.scaling, network.labels, network.seed, meta, arrays)

    def _slices(self, network: Network, X: Any, data: FitData, on: torch.device) -> loop.Slices:
        import torch

        if network.labels is None:
            target = ((data.y - network.scaling.centre) / network.scaling.spread).astype(np.float32)
        else:
            target = network.labels.encode(data.y)
        outcome = torch.from_numpy(target).to(on)
        train, rest = split.inner_holdout(data.y, data.patients, VALIDATION, network.seed, data.task)
        return loop.Slices(self.inputs(network, X[train], on, learning=True), outcome[torch.from_numpy(train).to(on)],
                           self.inputs(network, X[rest], on), outcome[torch.from_numpy(rest).to(on)])

    def size(self, X: Any) -> int:
        """Rows of a table that this much work amounts to: by it the number of threads is chosen."""
        return len(X)

    def contents(self, X: Any) -> np.ndarray:
        """What a checkpoint's purpose is hashed from: the very inputs."""
        return X


def plan_of(chosen: dict[str, Any], epochs: int, patience: int | None) -> loop.Plan:
    return loop.Plan(epochs=epochs, batch=int(chosen["batch"]), rate=float(chosen["rate"]),
                     decay=float(chosen["decay"]), patience=patience)


def vars_of(plan: loop.Plan) -> dict[str, Any]:
    """A plan as JSON."""
    return {name: getattr(plan, name) for name in plan.__slots__}


def losses(network: Network, on: torch.device) -> tuple[loop.Loss, loop.Loss]:
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


def _in_units(rounds: Rounds, factor: float) -> Rounds:
    """Speak of squared errors in the outcome's own unit, not of the standardised outcome that the network learns."""
    return lambda done, total, train, predict, unit="loss": rounds(done, total, None if train is None
                                                                   else train * factor, predict, unit)
