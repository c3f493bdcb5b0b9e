"""`export`: a model as ONNX, or as a capsule for another hospital."""

from __future__ import annotations

import argparse

from medml import gallery
from medml.commands import Printed, command
from medml.commands._places import output
from medml.errors import UserError
from medml.terminal import Bar


def options(parser: argparse.ArgumentParser) -> None:
    """RUN and where the file goes."""
    parser.add_argument("run")
    parser.add_argument("--onnx", metavar="FILE.onnx", help="the model; schema.json, run.py and run.mjs go beside it")


@command("export", "take a model out: ONNX, or a capsule for another hospital", options)
def do_export(args: argparse.Namespace) -> Printed:
    """Write the files, once the model in them has said what the model here says."""
    from pathlib import Path

    from medml import export

    if args.onnx is None:
        raise UserError(what="Nothing was asked for.", fix="Add --onnx FILE.onnx.", code="nothing_asked")
    place = output(args.onnx, Path(gallery.open_run(args.run).profile.source))
    found = export.package(args.run, watch=Bar())
    written = export.write_beside(found, place)
    return [*(f"{path} ({path.stat().st_size:,} bytes)" for path in written), export.g2(found.run).what,
            *(f"Note: {stamp}." for stamp in found.run.report.stamps)]
