"""Pretrained weights: files that a person puts under home()/pretrained, or imports; never downloaded.

A file is called as torchvision calls its own (`resnet18-f37072fd.pth`), or simply `resnet18.pt`. Beside it may stand a
JSON of the same stem with the scaling of the input ("mean" and "std" of red, green and blue, 0-1) where it is not that
of ImageNet. Only tensors are read (`weights_only`), so a file cannot run anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medml import home
from medml.errors import UserError
from medml.vision.names import BACKBONES, SMALL

log = logging.getLogger(__name__)

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and sd of red, green, blue (torchvision's presets)
SCALINGS = {"imagenet": IMAGENET, "minus one to one": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
            "bytes minus 128": ((128 / 255,) * 3, (128 / 255,) * 3)}
ENDINGS = (".safetensors", ".pth", ".pt")
MOST_BYTES = 2**30
TIMES = 4  # a file of weights is stored as it is, or packed a little


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of weights for one backbone, not read yet."""

    backbone: str
    path: Path
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def sha256(self) -> str:
        """Of the file as it lies there; kept with every run that began from it."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def brought_sha256(self) -> str:
        """Of the file that a person brought, which its publisher's can be compared with; of one that was put there by
        hand, as it lies there."""
        kept = self.sha256
        with contextlib.suppress(OSError, ValueError, AttributeError):
            told = json.loads(self.path.with_suffix(".json").read_text())
            if told.get("kept_sha256") == kept:
                return str(told["sha256"])
        return kept


def folder() -> Path:
    return home.ensure(home.home() / "pretrained")


def find(backbone: str) -> Weights | None:
    """The weights for a backbone that lie in the folder; None where there are none."""
    if backbone == SMALL:
        return None
    for path in sorted(folder().iterdir()):
        if path.suffix in ENDINGS and path.stem.split("-")[0] == backbone:
            return Weights(backbone, path, *_scaling(path))
    return None


def available() -> list[Weights]:
    """Of every backbone that has any."""
    return [found for name in BACKBONES if (found := find(name)) is not None]


def body(weights: Weights) -> dict[str, Any]:
    """The arrays of the body, named as `Backbone.make` names them.

    raises  UserError(code="bad_weights") where they do not fit
    """
    from medml.vision import backbones

    try:
        return backbones.body_state(weights.backbone, _read(weights.path, weights.backbone))
    except ValueError as error:
        raise _refused(weights.path.name, weights.backbone, str(error)) from error


def bring(path: Path, backbone: str, *, scaling: str = "imagenet") -> Weights:
    """Import weights from a file that the person has: checked whole, then kept as safetensors with their scaling.

    scaling  a name in SCALINGS: what the network's makers fed it
    raises   UserError where the file is no weights of that backbone; nothing is kept then
    """
    from safetensors.torch import save

    if backbone not in BACKBONES or backbone == SMALL or scaling not in SCALINGS:
        raise UserError(what="Weights are for one of the networks that MedML knows, fed in one of the known ways.",
                        fix=f"Choose one of {', '.join(name for name in BACKBONES if name != SMALL)}; fed as "
                            f"{' or '.join(SCALINGS)}.", code="bad_weights")
    mean, std = SCALINGS[scaling]
    arrays = body(Weights(backbone, path, mean, std))
    target = folder() / f"{backbone}.safetensors"
    content = save({name: array.contiguous() for name, array in arrays.items()})
    about = {"mean": mean, "std": std, "from": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
             "kept_sha256": hashlib.sha256(content).hexdigest()}
    _keep(target, content, about)
    return Weights(backbone, target, mean, std)


def _keep(target: Path, content: bytes, about: dict[str, Any]) -> None:
    """Weights with their scaling beside them: never the old ones with the new scaling, nor the other way round."""
    beside, words = target.with_suffix(".json"), json.dumps(about, indent=2).encode()
    if target.exists() and _scaling(target) == (about["mean"], about["std"]):
        home.write_bytes(target, content)
        home.write_bytes(beside, words)
    else:
        home.write_first(beside, words, then={target: content})


def _read(path: Path, backbone: str) -> dict[str, Any]:
    """Tensors by name, of a file of any of our endings; UserError where it is gone or holds anything else."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("larger than any backbone's weights")
        _unpacks_to_little(path)
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu",
                                                                                 weights_only=True)
    except (OSError, RuntimeError, SafetensorError, EOFError, ValueError, zipfile.BadZipFile,
            torch.serialization.pickle.UnpicklingError) as error:  # what weights_only refuses
        if not path.is_file():
            raise UserError(what=f"There is no file “{path.name}” in that folder.", fix="Check the path, from the "
                            "first folder to the file's ending. Nothing was changed.", code="gone") from None
        raise _refused(path.name, backbone, type(error).__name__) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else {}
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def _unpacks_to_little(path: Path) -> None:
    """ValueError for a file of torch's, a zip archive, that would grow beyond any backbone's weights."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > min(MOST_BYTES, TIMES * path.stat().st_size):
                raise ValueError("grows beyond any backbone's weights")


def _scaling(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    beside = path.with_suffix(".json")
    if not beside.exists():
        return IMAGENET
    try:
        read = json.loads(beside.read_text())
        mean, std = (tuple(float(each) for each in read[name]) for name in ("mean", "std"))
        if len(mean) == len(std) == 3 and min(std) > 0:
            return mean, std
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("the scaling beside a file of weights cannot be read")
    raise UserError(what=f"“{beside.name}” does not say how pictures are scaled for these weights.",
                    fix='It holds {"mean": [r, g, b], "std": [r, g, b]}; take it away for the scaling of ImageNet.',
                    code="bad_weights")


def gone(title: str) -> UserError:
    """The one sentence for weights that were there when a training was set up."""
    return UserError(what=f"The pretrained weights of {title} are no longer the file that this training began from.",
                     fix="Put that file back, or train anew from what is there now. Nothing was lost.",
                     code="bad_weights")


def _refused(name: str, backbone: str, detail: str) -> UserError:
    return UserError(what=f"“{name}” does not hold weights of {backbone}.", code="bad_weights", detail=detail,
                     fix="Choose the file that torchvision's makers publish for this network, or another network. "
                         "Nothing was changed.")
