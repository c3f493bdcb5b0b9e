"""Columns that cannot help: empty, constant, identifiers, free text, raw dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl


class DropColumns(Fixed):
    """Setting `columns`: names; the proposal gives a reason for each. The target and the patient column always stay."""

    name = "drop_columns"
    title = "Unusable columns"
    sentence = "Leaves out columns a model cannot learn from: empty, constant, identifiers, free text and raw dates."
    lists = ("columns",)

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        keep = {about.choice.target, about.choice.patient}
        here = set(frame.columns) - keep
        gone = [name for name in params.get("columns", []) if name in here]
        sentence = (f"{plural(len(gone), 'column')} {were(len(gone))} left out." if gone
                    else "Every column can be used.")
        return frame.drop(gone), Effect(step=self.name, rows_before=frame.height, rows_after=frame.height,
                                        columns_left_out=gone, sentence=sentence)


registry.add(DropColumns.name, DropColumns())
