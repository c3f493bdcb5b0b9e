"""`weights`: pretrained weights that a person has."""

from __future__ import annotations

import argparse

from medml.commands import Printed, command
from medml.errors import UserError
from medml.roots import existing
from medml.terminal import table
from medml.vision.names import BACKBONES, SMALL


def options(parser: argparse.ArgumentParser) -> None:
    """A file to import, or nothing."""
    parser.add_argument("file", nargs="?", help="as torchvision's makers publish it (.pth, .pt or .safetensors)")
    parser.add_argument("--backbone", metavar="NAME", help="the network, where the file's name does not say")
    parser.add_argument("--scaling", default="imagenet", metavar="NAME",
                        help="how it was fed: imagenet, 'minus one to one' or 'bytes minus 128'")


@command("weights", "list pretrained weights of networks for pictures, or import a file", options)
def do_weights(args: argparse.Namespace) -> Printed:
    """Pretrained weights on this machine; a file that is named is checked and imported first."""
    from medml.vision import weights

    brought = []
    if args.file is not None:
        path = existing(args.file)
        found = weights.bring(path, args.backbone or meant(path.stem), scaling=args.scaling)
        brought = [f"Imported for {found.backbone}. The sha256 of your file, to be compared with its publisher's:",
                   found.brought_sha256]
    rows = [(each.backbone, each.path.name, each.brought_sha256[:16]) for each in weights.available()]
    return [*brought, table(rows, ["network", "file", "sha256 as brought"])] if rows else [
        "No pretrained weights are on this machine. Networks begin from nothing, which takes more pictures and time.",
        f"Import a file with `python -m medml weights FILE`, or put it into {weights.folder()}."]


def meant(stem: str) -> str:
    """The network that a file's name speaks of ("resnet18-f37072fd"); UserError where it does not say."""
    plain = stem.lower().replace("_", "").replace("-", "")
    found = [name for name in BACKBONES if name != SMALL and name.replace("_", "") in plain]
    if not found:
        raise UserError(what=f"The name “{stem}” does not say for which network these weights are.", code="no_backbone",
                        fix=f"Add --backbone, one of {', '.join(name for name in BACKBONES if name != SMALL)}.")
    return found[0]
