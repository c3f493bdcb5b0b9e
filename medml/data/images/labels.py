"""Which table beside the pictures speaks of them, row by row: by the names of files, by SOPInstanceUID, by study
or by PatientID."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import polars as pl

from medml import home
from medml.data.columns import as_text
from medml.data.images.columns import FOLDER, PATIENT
from medml.data.images.image_file import ImageFile
from medml.data.notes import Note, count_words
from medml.data.source import TableSource
from medml.errors import UserError

SAMPLE = 200  # values of a column that are tried before all are
MOST_ROWS = 1_000_000  # of a table whose columns are read for their names alone
LIKELY = 0.1  # share of them that must name a picture for all to be tried
ENOUGH = 0.5  # share of the pictures, or of the rows, that must find each other
MOST_DIGITS = 16  # of a patient's number
ROW = "row of the table"
ANSWERS = {"predicted", "abstained", "note"}  # columns of every file of answers that `predict` writes
_NAMES_FILES = re.compile(r"file|path|image|img|picture|photo|scan|dicom|slide", re.I)
_NUMBERS_FILES = re.compile(_NAMES_FILES.pattern + r"|(?:^|[_ .-])(?:id|uid|name|no|nr)$", re.I)
_NAMES_KEYS = re.compile(r"uid|sop|instance|guid", re.I)
_NAMES_STUDIES = re.compile(r"acc|study|exam|order|request", re.I)
_NAMES_PATIENTS = re.compile(r"(?:^|[_ .-])(?:patient|subject|participant|person|pat|mrn|pid)s?(?:[_ .-]*"
                             r"(?:id|no|nr|number|key|code))?$", re.I)
Place = Callable[[str], Sequence[int]]  # a cell -> places of the pictures that it names


@dataclass(frozen=True, slots=True)
class Match:
    """A table whose rows name pictures. rows  (n pictures) the row of each, None where it has none."""

    table: TableSource
    column: str
    how: str  # file, uid, study, accession, patient, or a number without the zeros before it: of a patient, of a file
    rows: list[int | None]
    n_rows: int  # rows that name a picture
    again: int  # rows that name pictures which an earlier row names

    @property
    def n_pictures(self) -> int:
        return sum(row is not None for row in self.rows)


def find_labels(tables: Sequence[TableSource], images: Sequence[ImageFile], patients: Sequence[str | None],
                key: str | None = None) -> Match | None:
    """The table that names most of the pictures, if one names enough of them.

    patients  key of each picture's patient, None where unknown
    key       the only column that may name them
    """
    found = [match for table in tables if (match := _match(table, images, patients, key))]
    return max(found, key=lambda each: (each.n_pictures, each.how == "file"), default=None)


def joined(own: pl.DataFrame, match: Match, *, own_patient_is_told: bool) -> tuple[pl.DataFrame, str, list[Note]]:
    """The pictures' own columns with those of the table, the name of the column that joined them, and what did not fit.

    own_patient_is_told  the patient comes from a tag, not from a file's name: it then stands beside the table's own
    """
    theirs = match.table.frame()
    if not own_patient_is_told and PATIENT in own.columns and any(map(_NAMES_PATIENTS.search, theirs.columns)):
        own = own.drop(PATIENT)
    file = PurePosixPath(match.table.ref.path).name
    taken = {*own.columns, "content", ROW}
    renamed = {name: f"{name} ({file})" for name in theirs.columns if name in taken}
    theirs = theirs.rename(renamed)
    rows = pl.DataFrame({ROW: pl.Series(match.rows, dtype=pl.UInt32)})
    beside = rows.join(theirs.with_row_index(ROW), on=ROW, how="left", maintain_order="left").drop(ROW)
    whole = pl.concat([own, beside], how="horizontal")
    # what comes last is proposed as the outcome: a sub-folder, unless a person named the table for what is in it
    last = [name for name in (FOLDER,) if name in own.columns and not match.table.ref.elsewhere]
    return (whole.select(*(name for name in whole.columns if name not in last), *last),
            renamed.get(match.column, match.column), _notes(match, file, len(theirs)))


def _notes(match: Match, file: str, n_rows: int) -> list[Note]:
    notes = []
    alone = len(match.rows) - match.n_pictures
    if alone:
        who = count_words(alone, "picture has", "pictures have", capital=True)
        notes.append(Note("pictures_without_row", f"{who} no row in {file}.", {"pictures": alone}))
    empty = n_rows - match.n_rows
    if empty:
        who = count_words(empty, "row", "rows", capital=True)
        notes.append(Note("rows_without_picture", f"{who} of {file} name{'s' if empty == 1 else ''} no picture that is "
                          "here and can be read.", {"rows": empty}))
    if match.again:
        who = count_words(match.again, "row", "rows", capital=True)
        notes.append(Note("pictures_named_twice", f"{who} of {file} name{'s' if match.again == 1 else ''} a picture "
                          "that an earlier row names; the first row counts.", {"rows": match.again}))
    return notes


def _match(table: TableSource, images: Sequence[ImageFile], patients: Sequence[str | None],
           key: str | None = None) -> Match | None:
    """The best column of one table that names pictures; by file before by UID before by study before by patient."""
    try:
        sample = table.frame(n_rows=SAMPLE)
        if key is None and ANSWERS <= {*sample.columns}:
            return None  # what a model said of them is no label
        by_file, digits_only = _by_file(images, table.ref.path), all(_stem(each).isdigit() for each in images)
        by_uid = _by_key("uid", [each.uid for each in images])
        by_patient = _by_key("patient", patients)
        by_number = _by_key("patient", patients, zeros=True)
        ways: list[tuple[str, Place | None]] = [("file", by_file), ("uid", by_uid), *_by_study(images, patients),
                                                ("patient", by_patient), ("number", by_number),
                                                ("file number", _by_number(images))]
        for how, place in ways:
            names = [] if place is None else [name for name in _likely(sample, how, place, table.rows or 0)
                                              if _may_name(name, how, digits_only)]
            if key is not None:
                names = [key] if place is not None and key in sample.columns else []
            found = [each for name in names
                     if (each := _column(table, table.frame([name])[name], how, place, len(images)))]
            if found:
                return max(found, key=lambda each: each.n_pictures)
    except UserError:  # it changed while the pictures were looked at; the scan says so when it reads it
        return None
    return None


def _may_name(column: str, how: str, digits_only: bool) -> bool:
    """Whether a column's name lets its cells be understood so: "12" may be the name of a file, 00012 and anything else,
    so where numbers are meant it must say that it names files, patients."""
    if how == "number":
        return bool(_NAMES_PATIENTS.search(column))
    if how == "accession":
        return bool(_NAMES_STUDIES.search(column))
    return how != "file number" and not (how == "file" and digits_only) or bool(_NUMBERS_FILES.search(column))


def _likely(sample: pl.DataFrame, how: str, place: Place, n_rows: int) -> list[str]:
    """Columns that are worth reading whole: by their first values; in a table that is not huge also by their name, for
    it may speak of far more pictures than are here."""
    named = {"file": _NAMES_FILES, "file number": _NAMES_FILES, "uid": _NAMES_KEYS, "study": _NAMES_KEYS,
             "accession": _NAMES_STUDIES}.get(how, _NAMES_PATIENTS)
    found = []
    for name, cells in zip(sample.columns, sample, strict=True):
        if cells.dtype.is_float() or cells.dtype.is_temporal() or cells.dtype == pl.Boolean:
            continue
        values = [as_text(value) for value in cells.drop_nulls()]
        hits = sum(bool(place(value)) for value in values)
        if values and (hits >= LIKELY * len(values) or n_rows <= MOST_ROWS and named.search(name)):
            found.append(name)
    return found


def _column(table: TableSource, cells: pl.Series, how: str, place: Place, n_pictures: int) -> Match | None:
    """The match of one column, if enough of the pictures or of the rows find each other."""
    rows: list[int | None] = [None] * n_pictures
    named = again = 0
    values = [as_text(value) for value in cells]
    if how in ("number", "file number") and any(value and len(value) > 1 and value.startswith("0") for value in values):
        return None  # here zeros stand as they were typed
    for row, value in enumerate(values):
        places = place(value) if value else ()
        fresh = [each for each in places if rows[each] is None]
        named, again = named + bool(places), again + bool(places and not fresh)
        for each in fresh:
            rows[each] = row
    match = Match(table, cells.name, how, rows, named, again)
    return match if match.n_pictures >= ENOUGH * n_pictures or named >= ENOUGH * len(values) else None


def _by_file(images: Sequence[ImageFile], table: str) -> Place:
    """By path (from the source, or from the table's folder; of two paths one may be the end of the other, as lists are
    made on other machines), by name, by name without ending, small and capital letters alike; where only one has it."""
    parent = table.rpartition("/")[0]
    folder = f"{parent}/" if parent else ""
    paths = {each.path: place for place, each in enumerate(images)}
    ends = _unique_ends(list(paths))
    names = _unique([each.path.rpartition("/")[2] for each in images])
    stems = _unique([_stem(each) for each in images])
    folded = _unique([each.path.rpartition("/")[2].casefold() for each in images])

    def place(value: str) -> Sequence[int]:
        text = value.strip().replace("\\", "/").removeprefix("./")
        name = text.rpartition("/")[2]
        looked_up = (paths.get(text), paths.get(folder + text), *map(paths.get, _ends(text)), ends.get(text),
                     names.get(name), stems.get(name), stems.get(name.rpartition(".")[0]), folded.get(name.casefold()))
        return next(((found,) for found in looked_up if found is not None), ())
    return place


def _by_number(images: Sequence[ImageFile]) -> Place | None:
    """By the number that is a file's name, without the zeros before it: spreadsheets make 1 of 001. None where no name
    is a number; only where one has it."""
    numbers = _unique([_stem(each).lstrip("0") or "0" if _stem(each).isdecimal() else "" for each in images])
    numbers.pop("", None)

    def place(value: str) -> Sequence[int]:
        found = numbers.get(value.strip())
        return () if found is None else (found,)
    return place if numbers else None


def _by_study(images: Sequence[ImageFile], patients: Sequence[str | None]) -> list[tuple[str, Place | None]]:
    """By what names a study: a finding is of one study, and a patient may have several. Not by what stands in the files
    of two patients, or is the same in all: it was blotted out."""
    found = []
    for how, keys in (("study", [each.study for each in images]), ("accession", [each.accession for each in images])):
        pairs = {(key, whose) for key, whose in zip(keys, patients, strict=True) if key is not None and whose}
        often = Counter(key for key, _ in pairs)
        kept = [None if often[key] > 1 else key for key in keys]
        found.append((how, _by_key(how, kept) if len({*kept} - {None}) > 1 else None))
    return found


def _ends(path: str) -> list[str]:
    """The ends of a path that hold a folder at least, the longest first: "a/b/c.png" -> "b/c.png"."""
    parts = path.split("/")
    return ["/".join(parts[first:]) for first in range(1, len(parts) - 1)]


def _unique_ends(paths: Sequence[str]) -> dict[str, int]:
    """End of a path -> place, of ends that only one has."""
    ends = [(end, place) for place, path in enumerate(paths) for end in _ends(path)]
    often = Counter(end for end, _ in ends)
    return {end: place for end, place in ends if often[end] == 1}


def _unique(names: Sequence[str]) -> dict[str, int]:
    """Name -> place, of names that only one has."""
    often = Counter(names)
    return {name: place for place, name in enumerate(names) if often[name] == 1}


def _by_key(kind: str, keys: Sequence[str | None], *, zeros: bool = False) -> Place | None:
    """By the keyed hash of what a cell holds, as `patient_key` and `uid_key` make it; None where no picture has one.

    zeros  also with zeros before it, where only one number of zeros names anybody: spreadsheets make 12 of 00012
    """
    places: dict[str, list[int]] = {}
    for place, each in enumerate(keys):
        if each is not None:
            places.setdefault(each, []).append(place)
    hashed = home.hasher()

    def place(value: str) -> Sequence[int]:
        text = value.strip()
        found = places.get(hashed(kind, text))
        if found is None and zeros and text.isdecimal():
            longer = [places.get(hashed(kind, text.zfill(n))) for n in range(len(text) + 1, MOST_DIGITS + 1)]
            there = [each for each in longer if each is not None]
            found = there[0] if len(there) == 1 else None
        return () if found is None else found
    return place if places else None


def _stem(image: ImageFile) -> str:
    name = image.path.rpartition("/")[2]
    return name.rpartition(".")[0] or name
