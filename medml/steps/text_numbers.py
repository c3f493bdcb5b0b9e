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

        texts = {name for name, kind in frame.schema.items() if kind == pl.String}
        names = [name for name in about.numbers if name in texts]
        if not names:
            return frame, Effect(step=self.name, rows_before=frame.height, rows_after=frame.height,
                                 sentence=_sentence(0, 0))
        plain = frame.select(pl.col(names).cast(pl.Float64, strict=False))
        absent, unread = frame.select(names).null_count().row(0), plain.null_count().row(0)
        commas = set(params.get("decimal_comma", []))
        odd = [name for name, before, after in zip(names, absent, unread, strict=True) if before != after]
        read = {name: _read(frame[name], name in commas, about) for name in {*odd, *commas.intersection(names)}}
        cleaned = frame.with_columns(plain).with_columns([series.alias(name) for name, series in read.items()])
        won = sum(plain[name].null_count() - series.null_count() for name, series in read.items())
        lost = sum(series.null_count() - frame[name].null_count() for name, series in read.items())
        return cleaned, Effect(step=self.name, rows_before=frame.height, rows_after=frame.height,
                               cells_changed=max(won, 0), sentence=_sentence(max(won, 0), lost))


def _read(column: pl.Series, decimal_comma: bool, about: About) -> pl.Series:
    """Text -> Float64 by the one reader of numbers; what is no number becomes null."""
    import polars as pl

    from medml.data.values import read_numbers

    found = read_numbers(column, decimal_comma=True if decimal_comma else None)
    if found.stays_text:  # digits that could be names, in a column that the scan knows for numbers
        return column.cast(pl.Float64, strict=False)
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
