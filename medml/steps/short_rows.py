"""Rows of a text file that have too few fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import ROW, About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl


class ShortRows(Fixed):
    name = "short_rows"
    title = "Rows with too few fields"
    sentence = ("Leaves out rows that end too early: which field is missing cannot be told, so any value in them may "
                "stand in the wrong column.")
    drops_rows = True

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        none = about.short is None or ROW not in frame.columns
        kept = frame if none else frame.filter(~frame[ROW].is_in(about.short.tolist()))
        gone = frame.height - kept.height
        sentence = (f"{plural(gone, 'row')} with too few fields {were(gone)} left out." if gone
                    else "Every row has all its fields.")
        return kept, Effect(step=self.name, rows_before=frame.height, rows_after=kept.height, sentence=sentence)


registry.add(ShortRows.name, ShortRows())
