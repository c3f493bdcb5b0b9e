"""Pictures on their way into a network: slices of the store, on the device, as numbers around zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.vision.augment import Changes, changed
from medml.vision.pixels import Pictures

if TYPE_CHECKING:
    import torch

FLOATS_AT_ONCE = 64 * 3 * 224 * 224  # input numbers that one piece of a long question holds
FLOATS_ON_PROCESSOR = 8 * 3 * 224 * 224  # there smaller pieces are quicker: what they make stays near (measured 1.6 x)


class Stream:
    """What the loop slices: `stream[order]` is the same in another order, `stream[first:last]` a tensor (n, 3, h, w).

    mean, scale  (3,) of red, green, blue in 0-255;   changes  None where pictures are looked at as they are
    """

    def __init__(self, pictures: Pictures, mean: np.ndarray, scale: np.ndarray, device: torch.device, *,
                 changes: Changes | None = None, channels_last: bool = True) -> None:
        import torch

        self.pictures, self.device, self.changes, self.channels_last = pictures, device, changes, channels_last
        self._numbers = mean, scale
        self._mean, self._scale = (torch.as_tensor(each, dtype=torch.float32, device=device).reshape(1, 3, 1, 1)
                                   for each in (mean, scale))
        _, height, width, _ = pictures.shape
        most = FLOATS_ON_PROCESSOR if device.type == "cpu" else FLOATS_AT_ONCE
        self.at_once = max(1, most // (3 * height * width))

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, which: slice | torch.Tensor) -> Stream | torch.Tensor:
        if isinstance(which, slice):
            return self._tensor(self.pictures.read(which))
        return Stream(self.pictures[which.cpu().numpy()], *self._numbers, self.device, changes=self.changes,
                      channels_last=self.channels_last)

    def _tensor(self, pixels: np.ndarray) -> torch.Tensor:
        import torch

        found = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float()
        if self.changes is not None:
            found = changed(found, self.changes)
        found = (found - self._mean) / self._scale  # grey pictures become three channels here
        return found.contiguous(memory_format=torch.channels_last) if self.channels_last else found.contiguous()
