"""One training at a time on a graphics card, whichever home or account of this machine it belongs to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from medml import device, store
from medml.errors import Stopped
from medml.watch import Watch

LOOK = 1.0  # seconds between two looks whether the card is free
WAITING = "Waits for the graphics card: another training on this machine uses it"


@contextlib.contextmanager
def alone(computes_there: bool, watch: Watch) -> Iterator[None]:
    """Hold this machine's graphics card inside; waits for another training to end, and says so.

    computes_there  False for a family that never asks the card: nothing is held then, nor on a machine without one
    raises          Stopped, or Paused, where somebody asked to while it waits
    """
    name = name_of_card() if computes_there else None
    if name is None:
        yield
        return
    while True:
        with store.only_one_here(name) as free:
            if free:
                yield
                return
        watch.say("waiting", 0.0, WAITING)
        if watch.stopping():
            raise Stopped
        watch.safe_point()
        time.sleep(LOOK)


def name_of_card() -> str | None:
    """The card that a training here would use, by its own number; None where there is none."""
    on = device.pick()
    if on.type == "cpu":
        return None
    if on.type != "cuda":
        return on.type
    import torch

    return f"cuda-{torch.cuda.get_device_properties(on).uuid}"
