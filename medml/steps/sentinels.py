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
        listed = params.get("columns", {})
        words = _with_words(frame)
        wanted = [name for name in frame.columns if name != ROW and (name in words or listed.get(name))]
        cleaned = frame.with_columns([_emptied(frame[name], listed.get(name, [])) for name in wanted])
        emptied = [cleaned[name].null_count() - frame[name].null_count() for name in wanted]
        cells, columns = sum(emptied), sum(map(bool, emptied))
        sentence = (f"{plural(cells, 'cell')} in {plural(columns, 'column')} {were(cells)} a code for missing and "
                    f"{were(cells)} emptied." if cells else "No cell holds a code for missing.")
        return cleaned, Effect(step=self.name, rows_before=frame.height, rows_after=frame.height,
                               cells_changed=cells, sentence=sentence)


def _with_words(frame: pl.DataFrame) -> set[str]:
    """Columns where a cell holds a word for missing, or is no finite number though the file calls it one."""
    import polars as pl
    import polars.selectors as cs

    from medml.data.values import MISSING_WORDS

    text = cs.string().str.strip_chars().str.to_lowercase().is_in(list(MISSING_WORDS)).any()
    found = frame.select(text, cs.float().is_nan().any()) if frame.height else pl.DataFrame()
    return {name for name, hit in zip(found.columns, found.row(0), strict=True) if hit} if found.height else set()


def _emptied(column: pl.Series, codes: list[str]) -> pl.Series:
    """The column with words for missing, and cells equal to a code as text or as a number, made null."""
    import polars as pl

    from medml.data.values import is_missing

    hit = is_missing(column)
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
