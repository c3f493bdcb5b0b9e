"""Numbers that were written as text: "<5", "1,234", "3,7", "10 mg"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.errors import UserError
from medml.steps import Fixed, registry
from medml.steps.step import About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl


class TextNumbers(Fixed):
    """Off: plain numbers alone are read ("12", "1.5e3"); any other text in a number column becomes missing.

    Setting `decimal_comma`: columns where the scan saw that a comma stands before the decimals, so that "1,234" of a
    single later patient is read as it was in training.
    raises  UserError where a column's cells carry another unit than at the scan: mg is never taken for g
    """

    name = "text_numbers"
    title = "Numbers written as text"
    sentence = ("Reads numbers that were typed as text: limits such as \"<5\" (as 5), thousands such as \"1,234\", "
                "decimal commas and units.")

    lists = ("decimal_comma",)

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        import polars as pl

        names = [name for name in about.numbers if name in frame.columns and frame[name].dtype == pl.String]
        commas = set(params.get("decimal_comma", []))
        read = {name: _read(frame[name], name in commas, about) for name in names}
        plain = {name: frame[name].cast(pl.Float64, strict=False) for name in names}
        won = sum(plain[name].null_count() - read[name].null_count() for name in names)
        lost = sum(read[name].null_count() - frame[name].null_count() for name in names)
        cleaned = frame.with_columns([series.alias(name) for name, series in read.items()])
        return cleaned, Effect(step=self.name, rows_before=frame.height, rows_after=frame.height,
                               cells_changed=max(won, 0), sentence=_sentence(max(won, 0), lost))


def _read(column: pl.Series, decimal_comma: bool, about: About) -> pl.Series:
    """Text -> Float64 by the one reader of numbers; what is no number becomes null."""
    from medml.data.values import read_numbers

    found = read_numbers(column, decimal_comma=True if decimal_comma else None)
    usual = about.table.column(column.name).unit
    if found.unit and usual and _plain(found.unit) != _plain(usual):
        raise UserError(what=f"Column “{column.name}” is in {found.unit} here, but was in {usual} when it was scanned.",
                        fix=f"Convert the column to {usual}, then try again.", code="unit_differs")
    return found.values


def _plain(unit: str) -> str:
    return unit.casefold().replace("μ", "µ").strip("[]() .")


def _sentence(won: int, lost: int) -> str:
    first = (f"{plural(won, 'number')} written as text {were(won)} read" if won
             else "No number had to be read from text")
    return f"{first}; {plural(lost, 'cell')} held no number and {were(lost)} emptied." if lost else f"{first}."


registry.add(TextNumbers.name, TextNumbers())
