"""Where a result may be written, and writing it whole or not at all."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

from medml import home, room
from medml.commands import Printed
from medml.errors import UserError

ABSTAINED = "abstained"  # a column of every file of answers
LONGEST = 1 << 20  # characters of a header


def agreed(question: str) -> bool:
    """Ask on the terminal; UserError where there is nobody to answer."""
    if not sys.stdin.isatty():
        raise UserError(what="There is nobody at a terminal to ask whether that may be done, so nothing was done.",
                        fix="Add --yes if it may.", code="not_asked")
    sys.stderr.write(f"{question} Type yes to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("yes", "y")


def output(path: str, source: Path, *endings: str) -> Path:
    """Where a result may be written: not over what it is made from, nor over a file of another kind, and not into a
    folder that is not there.

    endings  of such a result (".pdf"); none: any file there may be an older one
    """
    if path == "-" or Path(path).expanduser().is_dir():
        found = "no name of a file" if path == "-" else "a folder"
        raise UserError(what=f"“{path}” is {found}: the result is written to a file.", code="no_file",
                        fix="Name the file. Nothing was written.")
    place = beside(path, source)
    if endings and place.is_file() and place.suffix.lower() not in endings:
        raise UserError(what=f"“{place.name}” is there already, and is no file of that kind: it would be destroyed.",
                        fix=f"Give the result a name that ends in {endings[0]}. Nothing was written.",
                        code="other_kind")
    return place


def beside(path: str, source: Path) -> Path:
    """Where results may lie, a file or a folder of them: not what they are made from, and in a folder that is there."""
    place = Path(path).expanduser().resolve()
    if place == source or (source.is_dir() and place.exists() and source in place.parents):
        raise UserError(what=f"“{place.name}” is one of your own files: writing there would destroy it.",
                        fix="Give the result another name or another folder. Nothing was written.", code="own_file")
    if not place.parent.is_dir():
        raise UserError(what=f"There is no folder “{place.parent}” to write “{place.name}” into.",
                        fix="Make the folder first, or choose another. Nothing was written.", code="no_folder")
    return place


def answers(path: str, source: Path) -> Path:
    """Where the answers for a file may be written: as `output`, and over a table only where that holds such answers."""
    place = output(path, source)
    if place.is_file() and place.stat().st_size and ABSTAINED not in _header(place):
        raise UserError(what=f"“{place.name}” is there already, and holds no answers of MedML: it would be destroyed.",
                        fix="Give the answers another name. Nothing was written.", code="other_kind")
    return place


def _header(place: Path) -> list[str]:
    """The names of the columns of a file as `medml.spreadsheet` writes them; none where it is no text."""
    with place.open(encoding="utf-8", errors="replace", newline="") as file:
        return next(csv.reader([file.readline(LONGEST)]), [])


def save(place: Path, content: bytes) -> None:
    """Write a result whole or not at all; a full disk or a missing right in one sentence."""
    try:
        home.write_bytes(place, content, mode=0o644)
    except PermissionError as refused:
        raise UserError(what=f"You may not write into “{place.parent}”.", fix="Choose another folder.",
                        code="no_permission") from refused
    except OSError as error:
        raise (room.no_room() if room.is_full(error) else error) from error


def save_json(path: str | None, content: dict[str, Any], source: Path | None = None) -> None:
    """Write --json FILE; NaN and infinity never get in. source: what was read, which is never written over."""
    if path is not None:
        save(output(path, source or home.home(), ".json"), json.dumps(content, indent=2, allow_nan=False).encode())


def words_or_json(path: str | None, content: Any, words: Printed) -> Printed:
    """The words of a command whose --json may stand without FILE: then what FILE would hold, in their place."""
    if path == "-":
        return [json.dumps(content, indent=2, allow_nan=False)]
    save_json(path, content)
    return words


def check_json(args: argparse.Namespace, source: Path) -> None:
    """Refuse a place for --json before the work, not after it."""
    if args.json is not None:
        output(args.json, source, ".json")
