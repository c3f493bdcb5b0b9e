"""Whether a network learns faster in half precision on this machine: tried once, then remembered for this machine."""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from medml import home

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

FASTER = 1.15  # a smaller gain is not worth the digits
PICTURES = 4
TRIAL, LEAST_TURNS, MOST_TURNS = 1.0, 2, 40  # seconds; steps of each precision


def mixed(backbone: str, make: Callable[[], Any], side: int, device: torch.device) -> bool:
    """True where a step of this network in bfloat16 takes less than 1 / FASTER of a step in float32 here.

    The answer is kept in state()/precision.json under the machine's name for its processor, so that two runs of the
    same configuration compute alike; not in home(), which several machines may share.
    """
    path = home.state() / "precision.json"
    try:
        known = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError):
        known = {}
    key = f"{platform.machine()} {device.type} {backbone} {side}"
    if key not in known:
        plain, half = _seconds(make, side, device)
        known[key] = bool(plain > FASTER * half)
        log.info("precision of %s at %d: float32 %.3f s a step, bfloat16 %.3f s", backbone, side, plain, half)
        home.write_bytes(path, json.dumps(known, indent=2).encode())
    return known[key]


def _seconds(make: Callable[[], Any], side: int, device: torch.device) -> tuple[float, float]:
    """The fastest step in float32 and in bfloat16, after one of each to warm up.

    Both are taken in turn, and often where a step is short: of two steps each, the trial of a network for thumbnails
    said that half precision was faster 5 times in 40, on a busy machine 17 times (it is not).
    """
    import torch

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        model = make().to(device).train()
        pictures = torch.zeros(PICTURES, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
        for on in (False, True):
            _step(model, pictures, on=on)
        fastest, end = [float("inf"), float("inf")], time.perf_counter() + TRIAL
        for turn in range(MOST_TURNS):
            if turn >= LEAST_TURNS and time.perf_counter() > end:
                break
            for on in (False, True):
                fastest[on] = min(fastest[on], _step(model, pictures, on=on))
    return fastest[0], fastest[1]


def _step(model: Any, pictures: torch.Tensor, *, on: bool) -> float:
    """Seconds of one step in half precision or in whole."""
    import torch

    started = time.perf_counter()
    with torch.autocast(pictures.device.type, torch.bfloat16, enabled=on):
        model(pictures).float().square().mean().backward()
    _wait(pictures.device)
    return time.perf_counter() - started


def _wait(device: torch.device) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
