"""What the reader of a file noticed about a column, added to what the scan itself suspects."""

from __future__ import annotations

from medml.data.notes import Note
from medml.types import Column, Suspicion

FIXES = {
    "short_rows": "Mend these rows in the file, or let the cleanup step \"Rows with too few fields\" leave them out.",
    "ambiguous_numbers": "Check whether the comma groups thousands or stands before decimals.",
    "formulas_without_values": "Open the file in Excel, save it and scan again.",
    "error_cells": "Correct the cells in Excel if they should hold a value; they count as missing.",
    "leading_zeros": "Nothing to do: the column is kept as text, zeros included.",
    "big_integers": "Nothing to do: the column is kept as text, so that no digit is lost.",
}
FACTS = {"leading_zeros", "big_integers", "decimal_comma", "booleans", "small_cells", "extreme_values", "markup",
         "prompt_injection"}


def with_notes(columns: list[Column], notes: list[Note], units: dict[str, str]) -> list[Column]:
    """The columns with the reader's notes as suspicions, where the scan has not said the same, and with units."""
    found = []
    for column in columns:
        known = {each.code for each in column.suspicions}
        more = [as_suspicion(each) for each in notes if each.column == column.name and each.code in FIXES
                and each.code not in known]
        unit = column.unit or units.get(column.name)
        if more or unit != column.unit:
            column = column.model_copy(update={"suspicions": [*column.suspicions, *more], "unit": unit})
        found.append(column)
    return found


def as_suspicion(noticed: Note) -> Suspicion:
    return Suspicion(code=noticed.code, severity="note" if noticed.code in FACTS else "caution",
                     what=noticed.message, fix=FIXES[noticed.code], figures=dict(noticed.figures))
