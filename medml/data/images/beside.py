"""Pictures among the tables of a folder: their entries in the list of files, and the tables that they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from medml.data.archives import PICTURES_INSIDE
from medml.data.files import open_regular
from medml.data.images.elements import HEAD
from medml.data.images.image_file import ImageFile
from medml.data.images.index import find_images, read_header
from medml.data.images.npz import NpzTable, open_npz
from medml.data.images.table import ImageTable, picture_table
from medml.data.images.tags import PATIENT_TAGS
from medml.data.images.words import KINDS
from medml.data.images.zipped import ZipTable, find_zipped, zip_table
from medml.data.index import file_in, tables_in
from medml.data.kinds import PICTURE_ENDINGS, TABLE_ENDINGS, ending, sniff
from medml.data.notes import not_read
from medml.data.source import TableSource
from medml.errors import UserError
from medml.roots import check_source
from medml.types import FileEntry, TableRef
from medml.watch import Silent, Watch

# Codes of entries that find_images alone gives, whatever the name ends in ("1.2.840.113619.2").
_OF_PICTURES = frozenset({"damaged", "no_pixels", "too_deep", "too_many_pixels", "undecodable", "unsafe_path",
                          "dicomdir", "unsupported_type", "mask", "mask_size"})
_LABELS = frozenset({"csv", "tsv", "txt", "xlsx", "xlsm", "xls", "xlsb", "ods", "parquet", "json", "jsonl"})
MOST_NAMED = 200
_NO_PICTURES = TABLE_ENDINGS | {"gz", "json", "jsonl", "ods", "xlsb", "npz"}


class Labels(NamedTuple):
    """What a person said of who and what the pictures show; None: not said.

    file         of the table that labels them, as `shown_from` calls it;   column  the one in it that names them
    patient_tag  the DICOM tag that tells patients apart, of PATIENT_TAGS
    """

    file: str | None = None
    column: str | None = None
    patient_tag: str | None = None


class Seen(NamedTuple):
    """The files of a folder looked at as pictures: what became of each, by path, and those that can be read."""

    entries: dict[str, FileEntry]
    images: list[ImageFile]


def look(source: Path, watch: Watch | None = None, labels: Labels | None = None) -> Seen:
    """Every file of a folder looked at as a picture.

    raises  Stopped if the watch asks to stop; UserError where there are pictures and none holds the tag that a person
            named
    """
    tag = labels.patient_tag if labels else None
    entries, images = find_images(source, watch=watch, patient_tag=tag or "PatientID")
    if images:
        _refuse_unfilled(tag, images)
    return Seen({each.path: each for each in entries}, usable(images))


def with_pictures(source: Path, seen: Seen, entries: Sequence[FileEntry], tables: Sequence[TableSource],
                  labels: Labels | None = None, watch: Watch | None = None
                  ) -> tuple[list[FileEntry], list[TableSource]]:
    """The list of files and the tables of a folder, with those that its pictures make behind them.

    entries  what became of every file: of pictures as `look` says, of others as tables
    labels   which table says what they show, where a person said so
    """
    told = labels or Labels()
    found, zipped = _with_zips(source, [_better(each, seen.entries.get(each.path)) for each in entries], tables, told,
                               watch or Silent(), alone=not seen.images)
    more = list(tables)
    if seen.images:
        own = {each.ref.path for each in zipped}
        beside = [each for each in tables if told.file in (None, each.ref.path) and each.ref.path not in own]
        if told.file is not None and not beside:
            beside = tables_in(source, told.file)  # it lies elsewhere
        more.append(picture_table(source, seen.images, beside, told.column, told.patient_tag))
    for n, entry in enumerate(found):
        if entry.kind == "npz" and entry.action == "skip":
            found[n], archive = _archive(source, entry)
            more += [archive] if archive else []
    if told.patient_tag and not seen.images and not zipped:
        _refuse_unfilled(told.patient_tag, ())
    return found, [*more, *zipped]


def open_pictures(source: Path, ref: TableRef) -> ImageTable:
    """The table of pictures of that reference. UserError "gone" where there is none any more."""
    if ending(ref.path) == "npz":
        return open_npz(ref.path, file_in(source, ref.path))
    table = _zip_again(source, ref)
    if table is None:
        tables = [] if ref.path == "." else tables_in(source, ref.path)
        seen = look(source, labels=Labels(patient_tag=ref.patient_tag))
        table = picture_table(source, seen.images, tables, ref.key, ref.patient_tag)
    if table.ref != ref:
        raise not_read("gone", f"{ref.label} can no longer be read: the table no longer names the pictures.",
                       "Scan the folder again.")
    return table


def open_some(source: Path, ref: TableRef, names: Sequence[str]) -> ImageTable:
    """The pictures of these names alone (as in the column "picture", or as `each_frame` made them), without what a
    table says of them: a folder of any size is opened at once.

    raises  UserError "gone" or another where one can no longer be read
    """
    if ending(ref.path) == "npz":
        return open_npz(ref.path, file_in(source, ref.path))
    if ref.path != "." and _is_zip(source, ref.path):
        wanted = {each for name in names for each in (name, name.rpartition("#")[0])}
        path = file_in(source, ref.path)
        images = find_zipped(ref.path, path, only=wanted)[1]
        if images:
            return zip_table(ref.path, path, images)
    root = source if source.is_dir() else source.parent
    paths = dict.fromkeys(name if (root / name).is_file() else name.rpartition("#")[0] or name for name in names)
    return picture_table(source, [read_header(file_in(source, each), root=root) for each in paths])


def usable(images: Sequence[ImageFile]) -> list[ImageFile]:
    """Pictures whose names do not promise a table."""
    return [each for each in images if ending(each.path) not in TABLE_ENDINGS]


def tables_in_folder(folder: str | Path) -> list[Path]:
    """Files of a folder whose names promise a table, at most MOST_NAMED; for the owner's own screen.

    raises  UserError where the folder is gone or may not be read
    """
    place = check_source(folder)
    place = place if place.is_dir() else place.parent
    return sorted(each for each in place.iterdir() if ending(each.name) in _LABELS and each.is_file())[:MOST_NAMED]


def is_picture(entry: FileEntry) -> bool:
    """Whether an entry is that of a picture, one that could not be read too. Its name may be that of a patient."""
    if entry.rows is not None or ending(entry.path) in _NO_PICTURES:
        return False
    return entry.kind in KINDS or entry.kind in PICTURE_ENDINGS or entry.reason_code in _OF_PICTURES


def _refuse_unfilled(tag: str | None, images: Sequence[ImageFile]) -> None:
    """UserError where none of the pictures holds the tag that tells patients apart, if a person named one."""
    if not tag or any(each.patient for each in images):
        return
    there = {name for each in images for name in each.identifiers} & set(PATIENT_TAGS)
    raise UserError(what=f"No picture here holds {tag}.", code="no_patient_tag",
                    fix=f"Those that are filled in: {', '.join(sorted(there))}." if there else
                        "Leave it out, or name a column of the table that labels the pictures.")


def _with_zips(source: Path, entries: Sequence[FileEntry], tables: Sequence[TableSource], told: Labels, watch: Watch,
               *, alone: bool) -> tuple[list[FileEntry], list[ZipTable]]:
    """The list of files with every picture in a zip archive in it, and a table for each archive that holds some.

    alone   there are no loose pictures: what a person said is said of these
    raises  UserError where that cannot be so
    """
    found, zipped = [each for each in entries if each.reason_code != PICTURES_INSIDE], []
    for entry in {each.path: each for each in entries if each.reason_code == PICTURES_INSIDE}.values():
        try:
            path = file_in(source, entry.path)
            named, images = find_zipped(entry.path, path, watch=watch, patient_tag=told.patient_tag or "PatientID")
        except UserError as error:  # it changed meanwhile
            found.append(_refused(entry, error))
            continue
        found += named
        if images:
            if alone:
                _refuse_unfit(told, entry.path, images)
            inside = [each for each in tables if each.ref.path == entry.path]
            zipped.append(zip_table(entry.path, path, images, inside, told.column if alone else None,
                                    told.patient_tag))
    return found, zipped


def _refuse_unfit(told: Labels, archive: str, images: Sequence[ImageFile]) -> None:
    if told.file not in (None, archive):
        raise UserError(what=f"The pictures in {archive} can be labelled by a table in that archive alone.",
                        fix="Put the table into the archive, or unpack the archive and choose that folder.")
    _refuse_unfilled(told.patient_tag, images)


def _zip_again(source: Path, ref: TableRef) -> ZipTable | None:
    """The pictures in the archive of that reference; None where it is that of a table beside loose pictures."""
    if ref.path == "." or ref.elsewhere or not _is_zip(source, ref.path):
        return None
    path = file_in(source, ref.path)
    images = find_zipped(ref.path, path, patient_tag=ref.patient_tag or "PatientID")[1]
    return zip_table(ref.path, path, images, _inside(source, ref.path), ref.key, ref.patient_tag) if images else None


def _inside(source: Path, shown: str) -> list[TableSource]:
    """The tables in an archive, if there are any."""
    try:
        return tables_in(source, shown)
    except UserError as error:
        if error.code != PICTURES_INSIDE:
            raise
        return []


def _is_zip(source: Path, shown: str) -> bool:
    """Whether a file is an archive that pictures may lie in."""
    if not (source / shown if source.is_dir() else source).is_file():
        return False
    with open_regular(file_in(source, shown)) as file:
        return sniff(file.read(HEAD), shown).kind == "zip"


def _archive(source: Path, entry: FileEntry) -> tuple[FileEntry, NpzTable | None]:
    """What became of a file of arrays."""
    try:
        table = open_npz(entry.path, file_in(source, entry.path))
    except UserError as error:
        if error.code == "not_medmnist":
            return entry, None
        return _refused(entry, error), None
    return table.entry, table


def _refused(entry: FileEntry, error: UserError) -> FileEntry:
    action = "refuse" if error.detail == "refuse" else "skip"
    return entry.model_copy(update={"action": action, "reason_code": error.code, "message": error.what})


def _better(as_table: FileEntry, as_picture: FileEntry | None) -> FileEntry:
    """Of two answers about one file, the one that read it, else the one that knows more."""
    if as_picture is None or as_table.action.startswith("read") or ending(as_table.path) in TABLE_ENDINGS:
        return as_table
    return as_table if as_picture.reason_code == "not_an_image" and as_picture.action == "ignore" else as_picture
