"""What a scan would say of a frame made in place, by plain counting: for tests of what comes after the scan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from medml.data.values import is_missing
from medml.recipe import prepare, propose_recipe
from medml.types import Choice, Column, Kind, Level, Table, TableRef

REF = TableRef(path="made.csv")


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as a text file gives it: every cell text, empty cells null."""
    return frame.with_columns(pl.all().cast(pl.String))


def read_csv(path: Path) -> pl.DataFrame:
    """A CSV with every cell as stripped text, empty cells null."""
    frame = pl.read_csv(path, infer_schema=False)
    return frame.with_columns(pl.all().str.strip_chars().replace("", None))


def table_of(frame: pl.DataFrame, kinds: Mapping[str, Kind] | None = None,
             sentinels: Mapping[str, list[str]] | None = None) -> Table:
    """Counts of each column; kinds are given, or number where every present cell reads as one, else category."""
    columns = [_column(frame[name], (kinds or {}).get(name), (sentinels or {}).get(name, []))
               for name in frame.columns]
    return Table(ref=REF, sha256="0" * 64, rows=frame.height, columns=columns,
                 duplicates=frame.height - frame.unique().height)


def _column(column: pl.Series, kind: Kind | None, sentinels: list[str]) -> Column:
    known = column.cast(pl.String).filter(~is_missing(column))
    if kind is None:
        kind = "number" if known.cast(pl.Float64, strict=False).null_count() == 0 else "category"
    counts = sorted(known.value_counts().iter_rows(), key=lambda row: -row[1]) if kind != "number" else []
    shown = [Level(label=label, n=n) for label, n in counts if n >= 10]
    return Column(name=column.name, kind=kind, missing=len(column) - len(known), distinct=known.n_unique(),
                  levels=shown, hidden_levels=len(counts) - len(shown), sentinels=list(sentinels),
                  hidden_rows=sum(n for _, n in counts if n < 10))


def choice_of(target: str, task: str = "binary", **rest) -> Choice:
    return Choice(table=REF, target=target, task=task, **rest)


def cases_of(frame: pl.DataFrame, target: str, task: str = "binary", *, kinds: Mapping[str, Kind] | None = None,
             sentinels: Mapping[str, list[str]] | None = None, off: tuple[str, ...] = (), **rest):
    """(cases, recipe, table, choice) of a frame with the proposed recipe, the steps named in `off` switched off."""
    table, choice = table_of(frame, kinds, sentinels), choice_of(target, task, **rest)
    recipe = propose_recipe(table, choice, "0" * 64)
    steps = [step.model_copy(update={"on": step.on and step.name not in off}) for step in recipe.steps]
    recipe = recipe.model_copy(update={"steps": steps})
    cases, _ = prepare(frame, recipe, table, choice)
    return cases, recipe, table, choice
