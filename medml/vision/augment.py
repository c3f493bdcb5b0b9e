"""Small changes to training pictures that a patient could have shown on another day; none of them at judging.

Mirroring is off unless it is asked for: a mirrored chest film has the heart on the wrong side.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from medml.vision.shim import torchvision

if TYPE_CHECKING:
    import torch

TOGETHER = 8  # pictures that share one draw: a step sees several draws, and an epoch deals the pictures anew
FLIPS = ("none", "left-right", "both ways")


@dataclass(frozen=True, slots=True)
class Changes:
    """turn: degrees to either side; shift: share of the side; zoom, light: share of the whole; flip: one of FLIPS."""

    turn: float = 7.0
    shift: float = 0.06
    zoom: float = 0.1
    light: float = 0.15
    flip: str = "none"

    @property
    def any(self) -> bool:
        return bool(self.turn or self.shift or self.zoom or self.light or self.flip != "none")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def changed(pictures: torch.Tensor, changes: Changes) -> torch.Tensor:
    """(n, channels, height, width) float32, 0-255 -> the same, each group of TOGETHER changed alike.

    Draws from torch's own random numbers, so that equal seeds give equal pictures. What comes in from outside at the
    borders is black, as around a film.
    """
    import torch

    if not changes.any:
        return pictures
    change = _transform(changes)
    return torch.cat([change(pictures[first:first + TOGETHER]) for first in range(0, len(pictures), TOGETHER)])


@functools.cache
def _transform(changes: Changes) -> Any:
    torchvision()
    from torchvision.transforms import InterpolationMode, v2

    steps: list[Any] = []
    if changes.flip != "none":
        steps.append(v2.RandomHorizontalFlip())
    if changes.flip == "both ways":
        steps.append(v2.RandomVerticalFlip())
    if changes.turn or changes.shift or changes.zoom:
        steps.append(v2.RandomAffine(changes.turn, translate=(changes.shift, changes.shift),
                                     scale=(1 - changes.zoom, 1 + changes.zoom),
                                     interpolation=InterpolationMode.BILINEAR))
    if changes.light:
        steps.append(_Light(changes.light))
    return v2.Compose(steps)


class _Light:
    """Contrast around the middle grey, and brightness, clipped to 0-255 (torchvision's own wants 0-1)."""

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        import torch

        contrast, light = (self.share * (2 * torch.rand(2) - 1)).to(pictures.device)
        return ((pictures - 127.5) * (1 + contrast) + 127.5 + 127.5 * light).clamp(0.0, 255.0)
