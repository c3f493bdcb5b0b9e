"""Numbers that were written as text: "<5", "1,234", "3,7", "10 mg"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl


class TextNumbers(Fixed):
    """Off: plain numbers alone are read ("12", "1.5e3"); any other text in a number column becomes missing."""

    name = "text_numbers"
    title = "Numbers written as text"
    sentence = ("Reads numbers that were typed as text: limits such as \"<5\" (as 5), thousands such as \"1,234\", "
                "decimal commas and units.")

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        import polars as pl

        names = [name for name in about.numbers if name in frame.columns and frame[name].dtype == pl.String]
        read = {name: read_column(frame[name]) for name in names}
        plain = {name: frame[name].cast(pl.Float64, strict=False) for name in names}
        won = sum(plain[name].null_count() - read[name].null_count() for name in names)
        lost = sum(read[name].null_count() - frame[name].null_count() for name in names)
        cleaned = frame.with_columns([series.alias(name) for name, series in read.items()])
        return cleaned, Effect(step=self.name, rows_before=frame.height, rows_after=frame.height,
                               cells_changed=max(won, 0), sentence=_sentence(max(won, 0), lost))


def read_column(column: pl.Series) -> pl.Series:
    """Text -> Float64 by the one reader of numbers; what is no number becomes null."""
    from medml.data.values import read_numbers

    return read_numbers(column).values


def _sentence(won: int, lost: int) -> str:
    first = (f"{plural(won, 'number')} written as text {were(won)} read" if won
             else "No number had to be read from text")
    return f"{first}; {plural(lost, 'cell')} held no number and {were(lost)} emptied." if lost else f"{first}."


registry.add(TextNumbers.name, TextNumbers())
