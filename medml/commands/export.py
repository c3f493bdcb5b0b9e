"""`export`: a model as ONNX, as a capsule for another hospital, or as a run for another gallery."""

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
    parser.add_argument("--whole", metavar="FILE.zip", help="the run itself, for the gallery of another MedML "
                        "(`bring`); what tells of single patients stays here")
    parser.add_argument("--result", metavar="FILE.json", help="what a capsule sent back: an external validation")


@command("export", "take a model out: ONNX, or a capsule for another hospital", options)
def do_export(args: argparse.Namespace) -> Printed:
    """Write the files, once the model in them has said what the model here says; or read a result."""
    from medml import export, one_file

    if args.result is not None:
        return _taken_back(args.run, existing(args.result))
    if not (args.onnx or args.capsule or args.whole):
        raise UserError(what="Nothing was asked for.", code="nothing_asked",
                        fix="Add --onnx FILE.onnx, --capsule FILE.zip or --whole FILE.zip.")
    opened = gallery.open_run(args.run)
    places = {name: output(asked, Path(opened.profile.source), ending) for name, asked, ending in (
        ("onnx", args.onnx, ".onnx"), ("capsule", args.capsule, ".zip"), ("whole", args.whole, ".zip")) if asked}
    if "whole" in places:
        save(places["whole"], one_file.pack(args.run))
    if places.keys() == {"whole"}:
        return [_size(places["whole"]), *(f"Note: {stamp}." for stamp in opened.report.stamps)]
    found, written = export.package(args.run, watch=Bar()), []
    if "onnx" in places:
        written += export.write_beside(found, places["onnx"])
    if "capsule" in places:
        save(places["capsule"], export.capsule(found))
        written.append(places["capsule"])
    if "whole" in places:
        written.append(places["whole"])
    return [*map(_size, written), export.g2(found.run).what,
            *(f"Note: {stamp}." for stamp in found.run.report.stamps)]


def _size(path: Path) -> str:
    return f"{path} ({path.stat().st_size:,} bytes)"


def _taken_back(run: str, path: Path) -> Printed:
    from medml import export

    found, hidden = export.take_back(run, path), gallery.open_run(run).report.hidden
    return [f"{found.n_cases:,} rows of {found.n_patients:,} patients from “{found.source}”, kept as a validation on "
            "data from elsewhere.", *(f"  {title(name)}: {figure(each)}" for name, each in found.metrics.items()
                                      if name not in hidden)]
