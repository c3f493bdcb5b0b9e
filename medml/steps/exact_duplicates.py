"""Rows that are exact copies of an earlier row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import ROW, About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl


class ExactDuplicates(Fixed):
    name = "exact_duplicates"
    title = "Exact copies"
    sentence = ("Leaves out rows whose every cell equals an earlier row: a copy on both sides of a split would let "
                "the model look up the answer.")
    drops_rows = True

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        columns = [name for name in frame.columns if name != ROW]
        kept = frame.unique(subset=columns, keep="first", maintain_order=True) if columns else frame
        gone = frame.height - kept.height
        sentence = (f"{plural(gone, 'row')} equal to an earlier row {were(gone)} left out." if gone
                    else "No row equals an earlier row.")
        return kept, Effect(step=self.name, rows_before=frame.height, rows_after=kept.height, sentence=sentence)


registry.add(ExactDuplicates.name, ExactDuplicates())
