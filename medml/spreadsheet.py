"""Tables on their way out: CSV in which no cell is taken for a formula by the program that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FORMULA = r"^[=+\-@\t\r]"  # what a spreadsheet starts to work out (OWASP, CSV Injection)
NUMBER = r"^[+\-]?(\d+[.,]?\d*|[.,]\d+)([eE][+\-]?\d+)?$"  # -3.5 is one, and is left as it is


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """The same table with an apostrophe before every text and column name that would be worked out as a formula."""
    import polars as pl

    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    risky = [pl.col(name).str.contains(FORMULA) & ~pl.col(name).str.contains(NUMBER) for name in texts]
    made = frame.with_columns(pl.when(each).then(pl.lit("'") + pl.col(name)).otherwise(pl.col(name)).alias(name)
                              for name, each in zip(texts, risky, strict=True))
    return made.rename({name: f"'{name}" for name in frame.columns if name[:1] in tuple("=+-@\t\r")})


def csv(frame: pl.DataFrame) -> bytes:
    """`harmless`, as UTF-8."""
    return harmless(frame).write_csv().encode()
