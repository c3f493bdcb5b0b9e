"""What a folder as a whole lacks before a model can be made of it: a table at all, or one table out of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from medml.data.notes import count_words
from medml.errors import UserError
from medml.types import FileEntry, Profile, Table

NOTES = frozenset({"txt", "text", "md", "rtf", "doc", "docx", "odt", "pdf"})  # as clinicians write letters and notes
MOST_NAMED = 5  # tables in a sentence
JOIN = ("MedML learns from one table at a time and joins none. If the model needs columns of more than one, join them "
        "into one file by that column first, then scan again.")


def no_table(files: Sequence[FileEntry]) -> UserError:
    """Why there is nothing to learn from, and what to do; of notes, that MedML reads none."""
    notes = sum(each.kind in NOTES and each.reason_code == "not_a_table" for each in files)
    if not notes:
        return UserError(what="No table could be read here.", code="no_table",
                         fix="See the list of files for what is wrong with each. Put a table (CSV, Excel, JSON or "
                             "Parquet) into the folder, or choose another one, then scan again.")
    found = count_words(notes, "file is text without columns, as a note is", "files are text without columns, as notes "
                        "are", capital=True)
    return UserError(what=f"No table could be read here. {found}.", code="no_table",
                     fix="MedML learns from a table (CSV, Excel, JSON or Parquet) or from pictures, and reads no free "
                         "text. Write what matters in the notes into columns of a table, a row for each patient, with "
                         "the outcome in one of them, then scan again.")


def in_common(profile: Profile) -> str:
    """Which tables share a column that tells who a row is about, so that they may belong together; "" where none do.

    Tables with the very same columns are parts of one list, not two sides of a patient: nothing is said of them.
    """
    sharing: defaultdict[str, list[Table]] = defaultdict(list)
    for table in profile.tables:
        for name in () if table.pictures is not None else _keys(table):
            sharing[name].append(table)
    found = {name: tables for name, tables in sharing.items() if len({_columns(each) for each in tables}) > 1}
    if not found:
        return ""
    name, tables = max(found.items(), key=lambda each: len(each[1]))
    shown = next(each.name for each in tables[0].columns if each.name.casefold() == name)
    return f"{_listed([each.ref.label for each in tables])} share the column “{shown}”, so they may belong together."


def _keys(table: Table) -> list[str]:
    """Columns that name who or what a row is about, told alike however a name is written."""
    patient = table.patient.column if table.patient else None
    return [each.name.casefold() for each in table.columns if each.kind == "identifier" or each.name == patient]


def _columns(table: Table) -> frozenset[str]:
    return frozenset(each.name.casefold() for each in table.columns)


def _listed(labels: Sequence[str]) -> str:
    named = [f"“{each}”" for each in labels[:MOST_NAMED]]
    rest = [f"{len(labels) - MOST_NAMED:,} more"] if len(labels) > MOST_NAMED else []
    *first, last = named + rest
    return f"{', '.join(first)} and {last}"
