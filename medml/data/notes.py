"""What a reader noticed about a file: a code, a sentence in plain words, figures; and which one is told first."""

from __future__ import annotations

from typing import NamedTuple

from medml.errors import UserError

# Most important first. All notes are kept; the first one names the file's reason.
WARNINGS = (
    "wrong_extension", "duplicate_entries", "mixed_encoding", "encoding_guessed", "stray_quotes", "ragged",
    "short_rows", "two_lines_of_names", "preamble", "units_row", "footer", "no_header", "row_names",
    "duplicate_columns", "unnamed_columns", "empty_rows", "long_field", "json_nonstandard", "nested_values",
    "error_cells", "formulas_without_values", "far_cells", "macros", "separator_guessed", "more_columns_than_rows",
    "one_class", "repeated_subjects", "ambiguous_dates", "short_years", "mixed_types", "sentinel_missing",
    "censored_values", "units_in_cells", "ambiguous_numbers", "unreadable_cells", "pictures_without_row",
    "rows_without_picture", "pictures_named_twice",
)
FACTS = ("prompt_injection", "markup", "decimal_comma", "leading_zeros", "booleans", "small_cells", "extreme_values")
LEFT_OUT = {"preamble", "units_row", "footer", "empty_rows", "far_cells"}  # rows or cells that no step counts later
_ORDER = {code: place for place, code in enumerate(WARNINGS + FACTS)}
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Note(NamedTuple):
    """One thing noticed. `message` never quotes a cell; `column` is None where it concerns the whole table."""

    code: str
    message: str
    figures: dict[str, float] = {}
    column: str | None = None

    @property
    def warns(self) -> bool:
        """Whether the person should know before going on (else it is a mere fact about the file)."""
        return self.code in WARNINGS


def sort_notes(notes: list[Note]) -> list[Note]:
    """The most important first."""
    return sorted(notes, key=lambda note: _ORDER[note.code])


def first_note(notes: list[Note]) -> Note | None:
    """The note that names the file's reason: a warning before a fact, then by the order above."""
    return min(notes, key=lambda note: _ORDER[note.code], default=None)


def count_words(n: int, one: str, many: str, *, capital: bool = False) -> str:
    """"one row", "three rows", "1,204 rows"."""
    number = _WORDS[n] if n < len(_WORDS) else f"{n:,}"
    text = f"{number} {one if n == 1 else many}"
    return text[:1].upper() + text[1:] if capital else text


def not_read(code: str, message: str, fix: str = "Take the file out of the folder, or mend it and scan again.",
             *, refuse: bool = False) -> UserError:
    """A file that cannot be read, as an error that find_tables turns into an entry; `refuse` marks a danger."""
    return UserError(what=message, fix=fix, code=code, detail="refuse" if refuse else "skip")
