"""`export`: a model as ONNX, or as a capsule for another hospital."""

from __future__ import annotations

import argparse
from pathlib import Path

from medml import gallery
from medml.asked import existing
from medml.commands import Printed, command
from medml.commands._places import output, save
from medml.commands._words import title
from medml.errors import UserError
from medml.terminal import Bar, figure


def options(parser: argparse.ArgumentParser) -> None:
    """RUN and where the file goes."""
    parser.add_argument("run")
    parser.add_argument("--onnx", metavar="FILE.onnx", help="the model; schema.json and the programs that "
                        "show how it is used go beside it")
    parser.add_argument("--capsule", metavar="FILE.zip", help="a folder for another hospital, which sends back figures")
    parser.add_argument("--result", metavar="FILE.json", help="what a capsule sent back: an external validation")


@command("export", "take a model out: ONNX, or a capsule for another hospital", options)
def do_export(args: argparse.Namespace) -> Printed:
    """Write the files, once the model in them has said what the model here says; or read a result."""
    from medml import export

    if args.result is not None:
        return _taken_back(args.run, existing(args.result))
    if args.onnx is None and args.capsule is None:
        raise UserError(what="Nothing was asked for.", code="nothing_asked",
                        fix="Add --onnx FILE.onnx or --capsule FILE.zip.")
    source = Path(gallery.open_run(args.run).profile.source)
    places = {name: output(asked, source, ending) for name, asked, ending in (
        ("onnx", args.onnx, ".onnx"), ("capsule", args.capsule, ".zip")) if asked}
    found, written = export.package(args.run, watch=Bar()), []
    if "onnx" in places:
        written += export.write_beside(found, places["onnx"])
    if "capsule" in places:
        save(places["capsule"], export.capsule(found))
        written.append(places["capsule"])
    return [*(f"{path} ({path.stat().st_size:,} bytes)" for path in written), export.g2(found.run).what,
            *(f"Note: {stamp}." for stamp in found.run.report.stamps)]


def _taken_back(run: str, path: Path) -> Printed:
    from medml import export

    found, hidden = export.take_back(run, path), gallery.open_run(run).report.hidden
    return [f"{found.n_cases:,} rows of {found.n_patients:,} patients from “{found.source}”, kept as a validation on "
            "data from elsewhere.", *(f"  {title(name)}: {figure(each)}" for name, each in found.metrics.items()
                                      if name not in hidden)]
