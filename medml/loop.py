"""The one PyTorch loop of the house: epochs, early stopping, checkpoint, resume, progress.

Data in memory are walked in slices of one shuffled copy an epoch (no DataLoader), the optimizer is fused, and the
device is waited for once an epoch. Torch is imported inside functions: pages import this module and must not load it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medml import home, mishaps
from medml.errors import Paused
from medml.watch import Rounds, no_rounds

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 2.0  # of work that a killed process may have to do again, where an epoch takes less
CHECKPOINT = "checkpoint.medml"
LISTEN_SECONDS = 0.5  # time between two looks, within an epoch, whether somebody asked to stop

Arrays = dict[str, np.ndarray]
Loss = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
Ask = Callable[[np.ndarray], np.ndarray]


def nobody() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network learns. `patience` epochs without a better validation loss end it; None: never."""

    epochs: int  # in all, those of an earlier fit included
    batch: int
    rate: float
    decay: float
    patience: int | None


@dataclass(frozen=True, slots=True)
class Slices:
    """Rows on the device: inputs (n, ...) float32, outcomes (n,) int64 or float32; the same for validation.

    Inputs too large to lie there as float32 are made slice by slice by whatever has `device`, a length, `X[order]` (the
    same in another order) and `X[first:last]` (a tensor), and says in `at_once` how many it can be asked for.
    """

    X: Any
    y: torch.Tensor
    X_val: Any
    y_val: torch.Tensor


@dataclass(slots=True)
class Session:
    """A network in training: where it stands, and all that going on needs."""

    model: Any
    optimizer: Any
    scheduler: Any
    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    best: dict[str, Any] = field(default_factory=dict)  # weights of the best epoch, on the device
    finished: bool = False
    happened: dict[str, int] = field(default_factory=dict)  # what came in the way, by name: the epoch; see mishaps


def start(model: Any, plan: Plan) -> Session:
    """A fresh session: AdamW (Loshchilov and Hutter 2019), fused, the rate halved where validation stands still."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=plan.decay, fused=True)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=8)
    return Session(model, optimizer, scheduler)


def run(session: Session, slices: Slices, plan: Plan, *, train_loss: Loss, val_loss: Loss, ask: Ask,
        rounds: Rounds = no_rounds, work: Checkpoints | None = None, asked: Callable[[], bool] = nobody) -> Session:
    """Go on to `plan.epochs`, until patience ends, the loss is no number or `rounds` says stop; the session then holds
    the best epoch.
    Paused, raised by `rounds`, goes on to the caller once a checkpoint is written.

    ask   predictions of the network as it stands, for `rounds`
    work  where checkpoints go; one is taken up by `Checkpoints.take_up` before this is called
    asked whether somebody asked to stop; an epoch on the way is then given up where there is a best one to fall back to
    raises  UserError where the loss was no number before any epoch could be kept
    """
    while not session.finished and session.epoch < plan.epochs:
        train = _epoch(session, slices, plan.batch, train_loss, asked)
        if train is None:
            _fall_back(session)
            break
        if not (_judge(session, slices, val_loss) and math.isfinite(train)):
            _fall_back(session)
            session.happened[mishaps.NO_NUMBER] = session.epoch
            if work is not None:
                work.write(session)
            break
        try:
            go_on = rounds(session.epoch, plan.epochs, train, ask)
        except Paused:
            if work is not None:
                work.write(session)
            raise
        session.finished = tired(session, plan) or not go_on or session.epoch >= plan.epochs
        if work is not None:
            work.maybe(session)
    return session


def tired(session: Session, plan: Plan) -> bool:
    """Whether patience has run out."""
    return plan.patience is not None and session.epoch - session.best_epoch >= plan.patience


def _epoch(session: Session, slices: Slices, batch: int, loss: Loss, asked: Callable[[], bool] = nobody) \
        -> float | None:
    """One pass over the rows in a fresh order; returns the mean training loss on the way, None where a stop came."""
    import torch

    model, optimizer, n = session.model, session.optimizer, len(slices.X)
    model.train()
    order = torch.randperm(n).to(slices.X.device)
    X, y = slices.X[order], slices.y[order]
    total, looked = torch.zeros((), device=X.device), time.monotonic()
    for first in range(0, n, batch):
        optimizer.zero_grad(set_to_none=True)
        part = y[first:first + batch]
        value = loss(model(X[first:first + batch]), part)
        value.backward()
        optimizer.step()
        total += value.detach() * len(part)
        if session.best and time.monotonic() - looked > LISTEN_SECONDS:
            looked = time.monotonic()
            if asked():
                return None
    session.epoch += 1
    return total.item() / n  # waits for the device: once an epoch


def _judge(session: Session, slices: Slices, loss: Loss) -> bool:
    """Measure on the validation rows, turn the rate down where nothing improves, remember the best weights; False where
    what was measured is no number."""
    import torch

    session.model.eval()
    with torch.no_grad():
        value = loss(scores(session.model, slices.X_val), slices.y_val).item()
    if not math.isfinite(value):
        return False
    session.scheduler.step(value)
    if value < session.best_loss or not session.best:
        session.best_loss, session.best_epoch = value, session.epoch
        session.best = {name: tensor.detach().clone() for name, tensor in session.model.state_dict().items()}
    return True


def _fall_back(session: Session) -> None:
    """Back to the weights of the best epoch, without the optimizer's memory of what came after."""
    if not session.best:
        raise mishaps.nothing_learned()
    session.model.load_state_dict(session.best)
    session.optimizer.state.clear()
    session.finished = True


def scores(model: Any, X: Any) -> torch.Tensor:
    """The model's answer for all rows: in one piece, or in as many as `X.at_once` asks for."""
    import torch

    at_once = getattr(X, "at_once", len(X))
    if at_once >= len(X):
        return model(X[0:len(X)])
    return torch.cat([model(X[first:first + at_once]) for first in range(0, len(X), at_once)])


def snapshot(session: Session) -> tuple[dict[str, Any], Arrays]:
    """All that going on needs, as JSON and arrays: weights (last, best), optimizer, scheduler, random state, epoch."""
    tensors = {f"last.{name}": tensor for name, tensor in session.model.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in session.best.items()}
    optimizer = session.optimizer.state_dict()
    for place, state in optimizer["state"].items():
        tensors |= {f"optimizer.{place}.{name}": tensor for name, tensor in state.items()}
    tensors |= {f"random.{name}": state for name, state in _random_states(session).items()}
    meta = {"epoch": session.epoch, "best_epoch": session.best_epoch, "best_loss": session.best_loss,
            "finished": session.finished, "happened": dict(session.happened), "groups": optimizer["param_groups"],
            "scheduler": session.scheduler.state_dict()}
    return meta, {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def restore(session: Session, meta: dict[str, Any], arrays: Arrays) -> None:
    """Put a fresh session where `snapshot` was taken, the random state of torch included."""
    import torch

    device = next(session.model.parameters()).device
    parts: dict[str, dict[str, Any]] = {"last": {}, "best": {}, "optimizer": {}, "random": {}}
    for name, array in arrays.items():
        part, rest = name.split(".", 1)
        parts[part][rest] = torch.from_numpy(array.copy())
    session.model.load_state_dict(parts["last"])
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in parts["optimizer"].items():
        place, key = name.split(".", 1)
        state.setdefault(int(place), {})[key] = tensor
    session.optimizer.load_state_dict({"state": state, "param_groups": meta["groups"]})
    session.scheduler.load_state_dict(meta["scheduler"])
    session.best = {name: tensor.to(device) for name, tensor in parts["best"].items()}
    session.epoch, session.best_epoch, session.best_loss = meta["epoch"], meta["best_epoch"], meta["best_loss"]
    session.finished, session.happened = meta["finished"], dict(meta.get("happened", {}))
    _set_random_states(device, parts["random"])


def _random_states(session: Session) -> dict[str, Any]:
    import torch

    device, states = next(session.model.parameters()).device, {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def _set_random_states(device: torch.device, states: dict[str, Any]) -> None:
    import torch

    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    if device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


class Checkpoints:
    """The unfinished work of one fit in a folder: one file, written whole or not at all, with its own hash.

    purpose  what this fit is (parameters, seed, hash of the rows); a checkpoint of another fit is not taken up
    """

    def __init__(self, folder: Path, purpose: str) -> None:
        self.path, self.purpose = folder / CHECKPOINT, purpose
        self._written = self._asked = time.monotonic()

    def maybe(self, session: Session) -> None:
        """Write where one more epoch like the last would put more than CHECKPOINT_SECONDS at risk, and at the end: so
        at most the longer of one epoch and that time is ever done again."""
        now = time.monotonic()
        epoch, self._asked = now - self._asked, now
        if session.finished or now - self._written + epoch > CHECKPOINT_SECONDS:
            self.write(session)

    def write(self, session: Session) -> None:
        """Write now."""
        meta, arrays = snapshot(session)
        home.write_bytes(self.path, pack(meta | {"purpose": self.purpose}, arrays))
        self._written = time.monotonic()

    def take_up(self, session: Session) -> bool:
        """Go on from the checkpoint of this very fit, where there is a whole one; True if so."""
        try:
            meta, arrays = unpack(self.path.read_bytes())
        except FileNotFoundError:
            return False
        except ValueError:
            log.warning("a checkpoint is damaged; this fit starts again")
            return False
        if meta.pop("purpose") != self.purpose:
            return False
        restore(session, meta, arrays)
        return True


def pack(meta: dict[str, Any], arrays: Arrays) -> bytes:
    """One file: the SHA-256 of the rest (32 bytes), then safetensors with the JSON in its header."""
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()},
                   metadata={"meta": json.dumps(meta)})
    return hashlib.sha256(content).digest() + content


def unpack(blob: bytes) -> tuple[dict[str, Any], Arrays]:
    """What `pack` packed; ValueError if one bit of it changed."""
    from safetensors.numpy import load

    content = blob[32:]
    if hashlib.sha256(content).digest() != blob[:32]:
        raise ValueError("the checkpoint does not match its own hash")
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + length])
    return json.loads(header["__metadata__"]["meta"]), load(content)


def purpose_of(*parts: Any) -> str:
    """A hash that names a fit: of its settings (JSON) and arrays."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    return digest.hexdigest()
