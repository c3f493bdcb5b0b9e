"""`predict`: answers for a file of patients."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from medml import gallery, righted, spreadsheet
from medml.commands import Printed, _places, command
from medml.commands._places import save
from medml.errors import UserError
from medml.evaluate.catalogue import many
from medml.roots import existing

if TYPE_CHECKING:
    import polars as pl


def options(parser: argparse.ArgumentParser) -> None:
    """RUN, the file and where the answers go."""
    parser.add_argument("run")
    parser.add_argument("file")
    parser.add_argument("--out", required=True, metavar="FILE.csv")
    parser.add_argument("--sheet", metavar="NAME")
    parser.add_argument("--level", type=int, choices=(80, 90, 95), default=90, metavar="80|90|95",
                        help="share of patients whose set of answers shall hold the truth")
    parser.add_argument("--explain", action="store_true", help="name the columns that go with each answer")
    parser.add_argument("--heatmaps", metavar="FOLDER", help="of pictures: where to write each beside its heatmap")


@command("predict", "predict a file of patients", options)
def do_predict(args: argparse.Namespace) -> Printed:
    """Predict a file of patients; abstains, with the reason, where it should not answer."""
    from medml.answers import apart_counted, cells_not_read, cells_said, level_said, silent_said, unread_said
    from medml.predict import predict_file

    file = existing(args.file)
    out = _places.answers(args.out, file)
    folder = _folder(args.heatmaps, file) if args.heatmaps else None
    answers = predict_file(args.run, file, sheet=args.sheet, level=args.level / 100, explain=args.explain)
    save(out, spreadsheet.csv(answers))
    abstained = int(answers["abstained"].is_not_null().sum())
    run = gallery.open_run(args.run)
    report = righted.report_of(run)
    drawn = _draw(args.run, file, answers, folder) if folder else []
    said = [] if report.threshold is None else \
        [f"“{report.positive}” is predicted from a probability of {report.threshold:.3g} on."]
    said += [each for each in (level_said(report, args.level / 100), apart_counted(answers),
                               cells_said(cells_not_read(answers["note"].to_list()))) if each]
    reasons = answers["abstained"].to_list()
    why = [] if run.config.choice.pictures is None else [
        each for each in (unread_said([str(name) for name in answers.to_series(0)], reasons), silent_said(reasons))
        if each]
    return [f"{many(len(answers), 'row')} written to {args.out}; no answer for {abstained:,} of them (column "
            "“abstained” says why).", *why, *drawn, *said,
            *(f"Note: {stamp}." for stamp in report.stamps)]


def _folder(path: str, source: Path) -> Path:
    """Where heatmaps may be written: a folder of its own, made where it is missing, never one of the pictures'."""
    place = _places.beside(path, source)
    if place == source or source in place.parents or place.is_file():
        raise UserError(what=f"Heatmaps cannot be written into “{place.name}”: it is one of your own files or folders.",
                        fix="Name another folder. Nothing was written.", code="own_file")
    place.mkdir(exist_ok=True)
    if any(place.iterdir()):
        raise UserError(what=f"The folder “{place.name}” holds files already, and none is ever written over.",
                        fix="Name an empty folder, or a new one. Nothing was written.", code="not_empty")
    return place


def _draw(run: str, file: Path, answers: pl.DataFrame, folder: Path) -> Printed:
    """Write every answered picture beside its heatmap as a PNG."""
    import io

    from PIL import Image

    from medml import looking

    checks = gallery.open_run(run).report.checks
    odd = [f"{each.what} {each.fix}".strip() for each in checks if each.id == "G3" and each.verdict != "pass"]
    answered = answers.filter(answers["abstained"].is_null())
    wanted = {str(name): str(said) for name, said in zip(answered.to_series(0), answered["predicted"], strict=True)}
    files = file_names(wanted)
    for name, pixels, heat in looking.look_at_new(run, file, wanted):
        content = io.BytesIO()
        Image.fromarray(looking.beside(pixels, heat)).save(content, "PNG")
        save(folder / f"{files[name]}.png", content.getvalue())
    return [f"{len(wanted):,} pictures written to {folder}, each beside what spoke for its answer: red where it did, "
            "on one scale for each answer.", *odd]


def file_names(names: Iterable[str]) -> dict[str, str]:
    """A file's name for each picture, folders joined by "__"; numbered where two would be one file (a/b and a__b, or
    X and x where a drive takes them for the same)."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names):
        plain, n = name.replace("/", "__"), 1
        while (file := plain if n == 1 else f"{plain} ({n})").casefold() in taken:
            n += 1
        found[name] = file
        taken.add(file.casefold())
    return found
