"""Outcome classes that a person counts as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import About, plural
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl

APART = "Every class stands for itself."


class JoinClasses(Fixed):
    """Several classes only. Setting `classes`: {name of the joined class: names of at least two that the scan shows}.

    Nothing is joined where fewer than two classes would be left. Names that the scan hides are never in a recipe.
    """

    name = "join_classes"
    title = "Outcome classes counted as one"
    sentence = "Joins outcome classes that need not be told apart, under a name of your own."
    lists = ("classes",)

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        import polars as pl

        from medml.recipe.reading import category_names

        choice, groups = about.choice, params.get("classes", {})
        if choice.task != "multiclass" or choice.target not in frame.columns or not groups:
            return frame, self._effect(frame, APART)
        labels = category_names(frame[choice.target])
        new = {member: name for name, members in groups.items() for member in members}
        joined = labels.replace(new)
        if joined.drop_nulls().n_unique() < 2:
            return frame, self._effect(frame, "Fewer than two classes would be left, so every class stands for itself.")
        hit = int(labels.is_in(list(new)).fill_null(False).sum())
        said = "; ".join(f"{plural(len(members), 'class', 'classes')} count as “{name}”"
                         for name, members in groups.items())
        column = pl.Series(choice.target, joined, dtype=pl.String)
        return frame.with_columns(column), self._effect(frame, f"{said} ({plural(hit, 'row')}).", cells=hit)

    def _effect(self, frame: pl.DataFrame, sentence: str, *, cells: int = 0) -> Effect:
        return Effect(step=self.name, rows_before=frame.height, rows_after=frame.height, cells_changed=cells,
                      sentence=sentence)


registry.add(JoinClasses.name, JoinClasses())
