"""Rows with too few fields: where they stand, and whether their cells seem to stand in the wrong columns."""

from __future__ import annotations

from array import array

import numpy as np

from medml.data.layout import Row, is_missing_word, is_number
from medml.data.notes import Note, count_words

LEARNED_FROM = 2_000  # whole rows that tell which columns hold numbers
JUDGED = 1_000  # short rows that are looked at closely
FEWEST = 5  # cells of a column below which nothing is said of it
NEARLY_ALL = 0.95


class ShortRows:
    """Rows that ended too early and were filled up with empty cells at the end.

    A row that lost a field in the middle has its cells one column too far left: a word then stands where whole rows
    hold numbers, or a number where they hold words.
    """

    def __init__(self) -> None:
        self.places = array("q")  # rows of the table, from 0
        self._judged: list[list[bool | None]] = []  # by field: a number, a word, or nothing
        self._numbers: list[int] = []
        self._known: list[int] = []
        self._whole = 0

    def add_whole(self, row: Row) -> None:
        """Learn from a row of the right width."""
        if self._whole >= LEARNED_FROM:
            return
        self._whole += 1
        if not self._known:
            self._numbers, self._known = [0] * len(row), [0] * len(row)
        for place, cell in enumerate(row):
            sort = _sort_of(cell)
            if sort is not None:
                self._known[place] += 1
                self._numbers[place] += sort

    def add(self, row: Row, place: int) -> None:
        """Note a row that is too short; `place` is where it stands in the table, from 0."""
        self.places.append(place)
        if len(self._judged) < JUDGED:
            self._judged.append([_sort_of(cell) for cell in row])

    def end(self, n_rows: int) -> None:
        """Forget rows at the end that turned out to be no cases (a footer)."""
        while self.places and self.places[-1] >= n_rows:
            self.places.pop()
        del self._judged[len(self.places):]

    def n_shifted(self) -> int:
        """Of the rows looked at closely, how many hold a cell that does not fit its column."""
        return sum(any(self._misfits(place, sort) for place, sort in enumerate(row)) for row in self._judged)

    def _misfits(self, place: int, sort: bool | None) -> bool:
        if sort is None or place >= len(self._known) or self._known[place] < FEWEST:
            return False
        share = self._numbers[place] / self._known[place]
        return share >= NEARLY_ALL and not sort or share <= 1 - NEARLY_ALL and sort

    def as_array(self) -> np.ndarray:
        """(m,) int64, rows of the table from 0, rising."""
        return np.array(self.places, dtype=np.int64)

    def notes(self, columns: list[str], n_rows: int) -> list[Note]:
        """For the file, and for the column that lost the most: the last one. No cell is quoted."""
        n, shifted, last = len(self.places), self.n_shifted(), columns[-1]
        if not n:
            return []
        figures = {"rows": n, "of": n_rows, "shifted": shifted}
        whose = count_words(n, "row has", "rows have", capital=True)
        lost = f"{whose} too few fields ({n:,} of {n_rows:,}), so “{last}” is empty there"
        wrong = f", and in {count_words(shifted, 'of them', 'of them')} values seem to stand in the wrong columns" \
            if shifted else ""
        return [Note("short_rows", f"{lost}{wrong}. Look at the cleanup before you train.", figures),
                Note("short_rows", f"{whose} too few fields and no value here{wrong}.", figures, last)]


def _sort_of(cell: str) -> bool | None:
    """True for a number, False for a word, None where nothing stands."""
    text = cell.strip()
    return None if not text or is_missing_word(text) else is_number(text)
