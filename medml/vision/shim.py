"""torchvision beside a torch that it was not linked against: models and transforms work, its compiled operators do not.

Its wheel is linked against CUDA; beside a CPU build of torch the compiled operators fail to load, and the import then
fails on two declarations. Declaring these two lets the rest be imported; nothing here calls them.
"""

from __future__ import annotations

import contextlib
import functools
from types import ModuleType
from typing import Any

SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept: list[Any] = []  # a library's declarations last as long as it does


@functools.cache
def torchvision() -> ModuleType:
    """The module `torchvision`, imported so that a missing operator does not stop it. Never called by a page."""
    import torch

    if not _declared("nms"):
        with contextlib.suppress(ImportError, OSError, RuntimeError):  # whole where it fits this torch
            import torchvision as found
            return found
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            if not _declared(name):
                library.define(f"{name}{SIGNATURE}")
        _kept.append(library)
    import torchvision as found
    return found


def _declared(name: str) -> bool:
    import torch

    return f"torchvision::{name}" in {each.name for each in torch._C._jit_get_all_schemas()}
