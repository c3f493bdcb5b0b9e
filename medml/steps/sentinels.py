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
        read = [frame[name] for name in frame.columns if name != ROW and (name in words or listed.get(name))]
        emptied = _emptied(read, [listed.get(each.name, []) for each in read])
        told = [after.null_count() - before.null_count() for before, after in zip(read, emptied, strict=True)]
        cells, columns = sum(told), sum(map(bool, told))
        sentence = (f"{plural(cells, 'cell')} in {plural(columns, 'column')} {were(cells)} a code for missing and "
                    f"{were(cells)} emptied." if cells else "No cell holds a code for missing.")
        return frame.with_columns(emptied), Effect(step=self.name, rows_before=frame.height, rows_after=frame.height,
                                                   cells_changed=cells, sentence=sentence)


def _with_words(frame: pl.DataFrame) -> set[str]:
    """Columns where a cell holds a word for missing, or is no finite number though the file calls it one."""
    import polars as pl
    import polars.selectors as cs

    from medml.data.values import MISSING_WORDS

    text = cs.string().str.strip_chars().str.to_lowercase().is_in(list(MISSING_WORDS)).any()
    found = frame.select(text, cs.float().is_nan().any()) if frame.height else pl.DataFrame()
    return {name for name, hit in zip(found.columns, found.row(0), strict=True) if hit} if found.height else set()


def _emptied(columns: list[pl.Series], codes: list[list[str]]) -> list[pl.Series]:
    """The columns with words for missing, and cells equal to one of their codes as text or as a number, made null; all
    in two questions, of which each takes longer than the cells of a small table."""
    import polars as pl

    from medml.data.values import missing_cells

    gone = pl.DataFrame([each.alias(f"gone {at}") for at, each in enumerate(missing_cells(columns))])
    cells = pl.DataFrame([each.alias(f"{at}") for at, each in enumerate(columns)])  # "^a$" would name no column
    kept = cells.hstack(gone).select(
        pl.when(~(pl.col(f"gone {at}") | _is_code(pl.col(f"{at}"), column.dtype, texts))).then(pl.col(f"{at}"))
        for at, (column, texts) in enumerate(zip(columns, codes, strict=True)))
    return [each.alias(column.name) for each, column in zip(kept.get_columns(), columns, strict=True)]


def _is_code(cell: pl.Expr, kind: pl.DataType, codes: list[str]) -> pl.Expr:
    import polars as pl

    hit, texts = pl.lit(False), [str(code).strip() for code in codes]
    numbers = [value for value in map(_number, texts) if value is not None]
    if texts and not kind.is_numeric():
        hit = hit | cell.cast(pl.String).str.strip_chars().is_in(texts).fill_null(False)
    if numbers and (kind == pl.String or kind.is_numeric()):
        hit = hit | cell.cast(pl.Float64, strict=False).is_in(numbers).fill_null(False)
    return hit


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


registry.add(Sentinels.name, Sentinels())
