"""A body, the mean of its feature maps, and a linear head."""

from __future__ import annotations

import torch
from torch import nn

from medml.vision import backbones


class Classifier(nn.Module):
    """(n, 3, height, width) -> scores (n, outputs) float32.

    mixed  the body computes in bfloat16; the head and all weights stay float32
    """

    def __init__(self, backbone: str, outputs: int, *, dropout: float = 0.0, mixed: bool = False) -> None:
        super().__init__()
        self.body = backbones.get(backbone).make()
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(backbones.get(backbone).width, outputs))
        self.outputs, self.mixed = outputs, mixed

    def maps(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) -> feature maps (n, width, h', w') float32."""
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.mixed):
            return self.body(pictures).float()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.maps(pictures).mean(dim=(2, 3)))


class Centred(nn.Module):
    """A body whose feature maps stand at what each is on average over the training pictures, (width,): what a head
    of standardised features is given. A field then speaks for an answer by what it has more, or less, than usual."""

    def __init__(self, body: nn.Module, middle: torch.Tensor) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("middle", middle.float()[:, None, None])

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.body(pictures) - self.middle
