"""A model asked by a screen: which fields a form needs, the answer for one patient, the answers for a file.

Values are in memory for as long as the question takes. The answers for a file are written beside the person's own data
and nowhere else. `fields` and `place_for` load no model; the others run in a child (worker.standby, worker.aside) or as
a job.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from medml import gallery, home, righted, spreadsheet
from medml.abstain import key_columns
from medml.errors import UserError
from medml.recipe import Cleaner
from medml.roots import check_source

if TYPE_CHECKING:
    from medml.predict import Predictor
    from medml.types import Column
    from medml.watch import Watch

MODELS = 3  # kept in memory at a time


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form.

    low, high  5th and 95th percentile of what was seen (dates: days since 1970-01-01), a hint and no limit
    choices    categories that at least k training patients had
    needed     without it no answer is given
    """

    name: str
    kind: Literal["number", "choice", "date"]
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    needed: bool = False


def fields(run: gallery.Run) -> list[Field]:
    """What a form asks for one patient: the columns that the model uses, those first without which it says nothing.

    [] for a model of pictures. Columns are in the order of the table within either part.
    """
    if run.config.choice.pictures is not None:
        return []
    cleaner = Cleaner.from_json(run.sealed("final/cleaner.json").read_text())
    used = {cleaner.origin_of(name) for name in json.loads(run.sealed("final/columns.json").read_text())}
    needed = key_columns(json.loads(run.sealed("keys.json").read_text()), run.report.task, run.report.missing)
    table = run.profile.table(run.config.choice.table)
    asked = [_field(table.column(name), cleaner, name in needed) for name in cleaner.kinds
             if name in used | set(cleaner.groups)]
    return sorted((each for each in asked if each is not None), key=lambda each: not each.needed)


def _field(column: Column, cleaner: Cleaner, needed: bool) -> Field | None:
    """None for a column of words that hardly two patients share: the model has learned nothing from it."""
    kind = cleaner.kinds[column.name]
    if kind in ("number", "date"):
        return Field(column.name, kind, column.unit, column.low, column.high, needed=needed)
    known = cleaner.known.get(column.name, [])
    return Field(column.name, "choice", column.unit, choices=tuple(known), needed=needed) if known else None


@lru_cache(maxsize=MODELS)
def _ready(run: str, checkpoint: int, sealed: str, put_right: bool) -> Predictor:
    from medml.predict import Predictor

    found = Predictor.of(run)
    if (found.run.chain.current, found.steps is not None) != (checkpoint, put_right):  # it would be kept as that
        raise UserError(what="The model was changed while it was being read.", fix="Ask again.", code="turned")
    return found


def patient(run: str, values: dict[str, str | float]) -> dict[str, np.ndarray]:
    """The answer for one patient, as arrays by name.

    values   column -> number, ISO date or name of a category; columns that are not there are missing. {}: no
             question, the model is only made ready
    returns  why ((), text: why there is no answer, then nothing else; "" where there is one), p ((n_classes,) or ()),
             columns and adds ((m,) what the columns that matter most add to it, of several classes to the likeliest),
             unit
    raises   UserError where the run is gone or must not be used
    """
    chain = gallery.open_run(run)
    predictor = _ready(run, chain.chain.current, chain.checkpoint.files_sha256, righted.is_on(chain))
    asked = predictor.of_one(values)
    why = predictor.reasons(asked)[0]
    if not values:  # every library that an answer needs is loaded by one for nobody
        predictor.parts(asked.X, predictor.predict(asked.X))
    if why or not values:
        return {"why": np.array(why)}
    p = predictor.predict(asked.X)
    parts, _, unit = predictor.parts(asked.X, p)
    return {"why": np.array(""), "p": p[0], "columns": np.array([name for name, _ in parts[0]], dtype=np.str_),
            "adds": np.array([value for _, value in parts[0]]), "unit": np.array(unit)}


def place_for(file: str | Path, place: str | Path | None = None) -> Path:
    """Where the answers for a file or folder are written: beside it, or where somebody says; never over anything.

    raises  UserError where the file is not there, the folder is not, or the name is taken
    """
    source = check_source(file)
    if place is None or not str(place).strip():
        free = (source.with_name(f"{source.stem} answers{number}.csv") for number in ["", *range(2, 1000)])
        return next(each for each in free if not each.exists())
    wanted = Path(str(place).strip()).expanduser()
    folder = check_source(wanted.parent)
    if (folder / wanted.name).exists() or not wanted.name:
        raise _taken(wanted.name)
    return folder / wanted.name


def _taken(name: str) -> UserError:
    return UserError(what=f"There is already something called “{name}” in that folder.", code="taken",
                     fix="Give the answers another name. Nothing was written.")


def patients(run: str, file: Path, out: Path, *, sheet: str | None, level: float, explain: bool,
             watch: Watch | None = None) -> dict[str, int]:
    """Write the answers for a file beside the person's own data, whole or not at all; {"n": rows, "silent": those of
    them without an answer, "unread": those with a cell that could not be read}. UserError as predict_file and
    `place_for`."""
    from medml.answers import cells_not_read
    from medml.predict import predict_file

    place = place_for(file, out)
    answers = predict_file(run, check_source(file), sheet=sheet, level=level, explain=explain, watch=watch)
    _write(place, spreadsheet.csv(answers))
    return {"n": len(answers), "silent": int(answers["abstained"].is_not_null().sum()),
            "unread": cells_not_read(answers["note"].to_list())}


def _write(place: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole or not at all; UserError where somebody was faster, or it may not be
    written."""
    try:
        place.touch(mode=0o600, exist_ok=False)  # whoever is first has the name
    except FileExistsError:
        raise _taken(place.name) from None
    except PermissionError as refused:
        raise UserError(what=f"You may not write into “{place.parent.name}”.", code="no_permission",
                        fix="Name another folder for the answers.") from refused
    try:
        home.write_bytes(place, content)
    except OSError:
        place.unlink(missing_ok=True)
        raise


def look_at_new(run: str, file: Path, answers: dict[str, str]) -> dict[str, np.ndarray]:
    """Some pictures that `patients` answered, each beside where the model looked: "name" (n,), "pairs" (n, side, 2 *
    side, 3) uint8 as looking.beside has them.   answers  {name: predicted class}"""
    from medml import looking

    found = list(looking.look_at_new(run, check_source(file), answers))
    return {"name": np.array([name for name, _, _ in found], dtype=np.str_),
            "pairs": np.stack([looking.beside(pixels, heat) for _, pixels, heat in found]) if found else np.zeros(
                (0, 1, 2, 3), np.uint8)}
