"""Codes that stand for "missing": "?", "-999", a zero where nobody can have zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import ROW, About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl


class Sentinels(Fixed):
    """Words for missing ("?", "NA", "unknown") are emptied in every column; codes such as -999 where the setting
    `columns` names them: {column: [texts or numbers as text]}, from the scan's `Column.sentinels`."""

    name = "sentinels"
    title = "Codes for missing"
    sentence = ("Empties cells that hold a code for missing, such as -999 or \"?\", so that the code is not taken for "
                "a measurement.")
    lists = ("columns",)

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        from medml.data.values import is_missing

        listed = params.get("columns", {})
        cleaned = frame.with_columns([_emptied(frame[name], listed.get(name, []), is_missing(frame[name]))
                                      for name in frame.columns if name != ROW])
        emptied = [cleaned[name].null_count() - frame[name].null_count() for name in frame.columns]
        cells, columns = sum(emptied), sum(map(bool, emptied))
        sentence = (f"{plural(cells, 'cell')} in {plural(columns, 'column')} {were(cells)} a code for missing and "
                    f"{were(cells)} emptied." if cells else "No cell holds a code for missing.")
        return cleaned, Effect(step=self.name, rows_before=frame.height, rows_after=frame.height,
                               cells_changed=cells, sentence=sentence)


def _emptied(column: pl.Series, codes: list[str], hit: pl.Series) -> pl.Series:
    """The column with the cells of `hit`, and those equal to a code, as text or as a number, made null."""
    import polars as pl

    texts = [str(code).strip() for code in codes]
    numbers = [value for value in map(_number, texts) if value is not None]
    if column.dtype == pl.String or not column.dtype.is_numeric():
        hit = hit | column.cast(pl.String).str.strip_chars().is_in(texts).fill_null(False)
    if numbers and (column.dtype == pl.String or column.dtype.is_numeric()):
        hit = hit | column.cast(pl.Float64, strict=False).is_in(numbers).fill_null(False)
    if not hit.any():
        return column
    nothing = pl.Series(column.name, [None] * len(column), dtype=column.dtype)
    return column.zip_with(~hit, nothing)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


registry.add(Sentinels.name, Sentinels())
