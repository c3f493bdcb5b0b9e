"""Networks that turn pictures into features: torchvision's, and a small one of our own for thumbnails.

Every one of them is a body (pictures -> feature maps) and the width of its feature maps; the head is ours, so that
heatmaps, frozen features and fine-tuning treat them alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from medml.vision.names import BACKBONES as TITLES
from medml.vision.names import SMALL, WIDTH
from medml.vision.shim import torchvision

if TYPE_CHECKING:
    from torch import nn

@dataclass(frozen=True, slots=True)
class Backbone:
    """One network body.

    name     as torchvision calls it
    make     builds the body without weights
    body_of  the part of torchvision's state dict that is the body: prefix there -> prefix here
    """

    name: str
    make: Callable[[], nn.Module]
    body_of: dict[str, str]

    @property
    def title(self) -> str:
        return TITLES[self.name]

    @property
    def width(self) -> int:
        """Channels of its last feature map."""
        return WIDTH[self.name]


def _features(name: str) -> Callable[[], nn.Module]:
    return lambda: getattr(torchvision().models, name)(weights=None).features


def _dense() -> nn.Module:
    from torch import nn

    return nn.Sequential(torchvision().models.densenet121(weights=None).features, nn.ReLU())


RESNET_PARTS = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")


def _resnet(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        from torch import nn

        whole = getattr(torchvision().models, name)(weights=None)
        return nn.Sequential(*(getattr(whole, part) for part in RESNET_PARTS))
    return make


def _small() -> nn.Module:
    """Three stages of two 3 x 3 convolutions, halved twice: (n, 3, h, w) -> (n, 128, h / 4, w / 4)."""
    from torch import nn

    def stage(before: int, after: int) -> list[Any]:
        layers: list[Any] = []
        for width in (before, after):
            layers += [nn.Conv2d(width, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.SiLU()]
        return layers
    return nn.Sequential(*stage(3, 32), nn.MaxPool2d(2), *stage(32, 64), nn.MaxPool2d(2), *stage(64, 128))


_RESNET_KEYS = {f"{part}.": f"{place}." for place, part in enumerate(RESNET_PARTS)}
_ALL = (
    Backbone("mobilenet_v2", _features("mobilenet_v2"), {"features.": ""}),
    Backbone("mobilenet_v3_small", _features("mobilenet_v3_small"), {"features.": ""}),
    Backbone("resnet18", _resnet("resnet18"), _RESNET_KEYS),
    Backbone("resnet50", _resnet("resnet50"), _RESNET_KEYS),
    Backbone("densenet121", _dense, {"features.": "0."}),
    Backbone("efficientnet_b0", _features("efficientnet_b0"), {"features.": ""}),
    Backbone(SMALL, _small, {"": ""}),
)
BACKBONES: dict[str, Backbone] = {each.name: each for each in _ALL}


def get(name: str) -> Backbone:
    """The backbone of that name; ValueError lists what there is."""
    if name not in BACKBONES:
        raise ValueError(f"there is no backbone {name!r}; there are {', '.join(BACKBONES)}")
    return BACKBONES[name]


def fold_norms(network: nn.Module) -> nn.Module:
    """The network with every batch norm that follows a convolution counted into it, in place: the same numbers but for
    rounding, in two thirds of the time. Only for looking: such a network cannot learn.

    In all these networks a convolution that is followed by a norm among its siblings feeds that norm and nothing else.
    """
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for parent in network.eval().modules():
        parts = list(parent.named_children())
        for (name, part), (after, norm) in pairwise(parts):
            if isinstance(part, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(part, norm))
                setattr(parent, after, nn.Identity())
    return network


def body_state(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """The body's part of a state dict as torchvision saves it, or as we do, under the names of `Backbone.make`.

    raises  ValueError naming how many entries are missing or do not fit in shape
    """
    wanted = {key: tuple(value.shape) for key, value in get(name).make().state_dict().items()}
    for prefixes in (get(name).body_of, {"": ""}):
        found = {}
        for key, value in state.items():
            for theirs, ours in prefixes.items():
                if key.startswith(theirs) and ours + key[len(theirs):] in wanted:
                    found[ours + key[len(theirs):]] = value
        if {key: tuple(value.shape) for key, value in found.items()} == wanted:
            return found
    raise ValueError(f"{len(wanted)} arrays are needed and do not all stand there in their shapes")
