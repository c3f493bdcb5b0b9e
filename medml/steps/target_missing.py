"""Rows whose outcome is not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl


class TargetMissing(Fixed):
    name = "target_missing"
    title = "Rows without an outcome"
    sentence = "Leaves out rows whose outcome is not recorded: nothing can be learned from them or measured on them."
    drops_rows = True

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        target = about.choice.target
        kept = frame.filter(frame[target].is_not_null()) if target in frame.columns else frame
        gone = frame.height - kept.height
        sentence = (f"{plural(gone, 'row')} without an outcome {were(gone)} left out." if gone
                    else "Every row has an outcome." if frame.height >= about.table.rows
                    else "Every row that the steps before leave has an outcome.")
        return kept, Effect(step=self.name, rows_before=frame.height, rows_after=kept.height, sentence=sentence)


registry.add(TargetMissing.name, TargetMissing())
