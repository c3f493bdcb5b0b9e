"""The list of files as it may be stored: pictures are told by folder and reason, for their names may name patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from medml.data.images.beside import is_picture
from medml.data.images.columns import FOLDER, PICTURE
from medml.data.images.image_file import Unreadable
from medml.data.images.npz import NpzTable
from medml.data.images.table import ImageTable
from medml.data.source import TableSource
from medml.types import FileEntry, Table
from medml.value import PICTURES as SHEET

MOST_NAMED = 200  # pictures; of more, only those that could not be read are named to their owner
PICTURES = "pictures"  # what stands for those outside of a folder that may be named


def undecodable(entries: Sequence[FileEntry], broken: dict[str, Unreadable]) -> list[FileEntry]:
    """The entries by name, with the reason of pictures whose pixels could not be decoded."""
    return [each if each.path not in broken else each.model_copy(update={
        "action": broken[each.path].action, "reason_code": broken[each.path].code, "message": broken[each.path].what})
        for each in entries]


def summarised(entries: Sequence[FileEntry], tables: Sequence[Table], sources: Sequence[TableSource]
               ) -> list[FileEntry]:
    """The entries with pictures together: a line a folder and reason, `rows` pictures in it; then a line a table of
    pictures, with what was noticed when it was put together.

    Only a folder whose name is a class of k pictures and more is named; any other name may be that of a patient.
    """
    together = [each for each in sources if isinstance(each, ImageTable) and not isinstance(each, NpzTable)]
    named: dict[str, str] = {}
    for each in together:
        named |= _folders(next((table for table in tables if table.ref == each.ref), None), each)
    groups: defaultdict[tuple[str, str, str], list[FileEntry]] = defaultdict(list)
    found: list[FileEntry] = []
    for entry in entries:
        if is_picture(entry):
            groups[named.get(entry.path, PICTURES), entry.action, entry.reason_code or ""].append(entry)
        else:
            found.append(entry)
    lines = [_together(place, groups[place, action, code]) for place, action, code in sorted(groups)]
    return [*found, *lines, *(each.entry for each in together)]


def for_owner(named: Sequence[FileEntry], summary: Sequence[FileEntry]) -> list[FileEntry]:
    """What the owner's own screen and terminal list: every file by name; of many pictures only those that could not be
    read, beside the summary of the others.

    named    every entry by name, in memory;   summary  as `summarised` gave it
    """
    if sum(is_picture(each) for each in named) <= MOST_NAMED:
        return [*named, *(each for each in summary if each.sheet == SHEET)]
    return [*(each for each in summary if each.action.startswith("read")),
            *(each for each in named if not each.action.startswith("read"))]


def _folders(table: Table | None, source: ImageTable) -> dict[str, str]:
    """Path -> the folder that it may be told under."""
    if table is None or FOLDER not in source.columns:
        return {}
    classes = {level.label for level in table.column(FOLDER).levels}
    return {source.listed(path): folder + "/" for path, folder in source.frame([PICTURE, FOLDER]).iter_rows()
            if folder in classes}


def _together(place: str, entries: Sequence[FileEntry]) -> FileEntry:
    """One line for files of one folder and one reason."""
    first, n = entries[0], len(entries)
    kinds = {each.kind for each in entries}
    told = f"{n:,} picture{'' if n == 1 else 's'}"
    alike = "" if n == 1 else ", each" if len({each.message for each in entries}) == 1 else ", for example"
    of_each = f"{told}{alike}: {first.message}" if first.message else f"{told}."
    return FileEntry(path=place, kind=kinds.pop() if len(kinds) == 1 else PICTURES, action=first.action, rows=n,
                     reason_code=first.reason_code, message=of_each,
                     bytes=sum(each.bytes for each in entries))
