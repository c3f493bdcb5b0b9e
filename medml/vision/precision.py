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
        plain, half = (_seconds(make, side, device, on=on) for on in (False, True))
        known[key] = bool(plain > FASTER * half)
        log.info("precision of %s at %d: float32 %.3f s a step, bfloat16 %.3f s", backbone, side, plain, half)
        home.write_bytes(path, json.dumps(known, indent=2).encode())
    return known[key]


def _seconds(make: Callable[[], Any], side: int, device: torch.device, *, on: bool) -> float:
    """The fastest of two steps after one to warm up."""
    import torch

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        model = make().to(device).train()
        pictures = torch.zeros(PICTURES, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
        taken = []
        for _ in range(3):
            started = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, enabled=on):
                model(pictures).float().square().mean().backward()
            _wait(device)
            taken.append(time.perf_counter() - started)
    return min(taken[1:])


def _wait(device: torch.device) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
