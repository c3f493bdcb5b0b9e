"""Rows of outcome classes that too few patients have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.families.family import Param
from medml.steps import Fixed, registry
from medml.steps.step import OTHER, About, plural, were
from medml.types import SMALL_GROUP, Effect

if TYPE_CHECKING:
    import polars as pl

LEAVE_OUT, JOIN = "leave out", "join"


class RareClasses(Fixed):
    """Several classes only. It goes by a count, so that no recipe names a class of a few patients.

    Setting `what`: "join" makes one class of the rare ones, with the next larger one where they are still too few.
    Where fewer than two classes would be left it does nothing: the split then says which class is too small.
    """

    name = "rare_classes"
    title = "Rare outcome classes"
    sentence = ("Leaves out rows of outcome classes that too few patients have, or joins such classes: from a handful "
                "nothing can be learned, and on none of them can it be measured.")
    drops_rows = True
    params = (
        Param("fewest", "Smallest class", "A class needs at least this many patients (rows, where no column tells "
              "patients apart).", SMALL_GROUP, 4, 1000, kind="int", zones=(SMALL_GROUP, 50), more_is="cautious"),
        Param("what", "Rarer classes", "Leave their rows out, or join them into one class with the next larger one.",
              LEAVE_OUT, kind="choice", choices=(LEAVE_OUT, JOIN)),
    )

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        choice = about.choice
        if choice.task != "multiclass" or choice.target not in frame.columns:
            return frame, self._effect(frame, frame, "Every class is large enough.")
        held = _patients_of_classes(frame, about)
        rare = [name for name, n in held if n < int(params["fewest"])]
        if not rare or len(held) - len(rare) + (params["what"] == JOIN) < 2:
            return frame, self._effect(frame, frame, "Every class is large enough." if not rare else
                                       "Too few classes would be left, so every row stays.")
        if params["what"] == JOIN:
            return self._joined(frame, held, rare, int(params["fewest"]), about)
        kept = frame.filter(~_classes(frame, about).is_in(rare).fill_null(False))
        gone = frame.height - kept.height
        of = plural(len(rare), "rare class", "rare classes")
        return kept, self._effect(frame, kept, f"{plural(gone, 'row')} of {of} {were(gone)} left out.")

    def _joined(self, frame: pl.DataFrame, held: list[tuple[str, int]], rare: list[str], fewest: int,
                about: About) -> tuple[pl.DataFrame, Effect]:
        """`held` goes from the smallest class to the largest."""
        import polars as pl

        larger = held[len(rare):]
        name, members = OTHER, list(rare)
        if sum(n for _, n in held[: len(rare)]) < fewest:
            if len(larger) < 2:
                return frame, self._effect(frame, frame, "Too few classes would be left, so every row stays.")
            name, members = f"{larger[0][0]} and rarer", [*rare, larger[0][0]]
        labels = _classes(frame, about)
        hit = labels.is_in(members).fill_null(False)
        joined = pl.select(pl.when(hit).then(pl.lit(name)).otherwise(labels)).to_series().alias(labels.name)
        said = f"{plural(int(hit.sum()), 'row')} of {plural(len(members), 'class', 'classes')} count as one class."
        return frame.with_columns(joined), self._effect(frame, frame, said, cells=int(hit.sum()))

    def _effect(self, before: pl.DataFrame, after: pl.DataFrame, sentence: str, *, cells: int = 0) -> Effect:
        return Effect(step=self.name, rows_before=before.height, rows_after=after.height, cells_changed=cells,
                      sentence=sentence)


def _classes(frame: pl.DataFrame, about: About) -> pl.Series:
    from medml.recipe.reading import category_names

    return category_names(frame[about.choice.target])


def _patients_of_classes(frame: pl.DataFrame, about: About) -> list[tuple[str, int]]:
    """(class, patients that have it at least once) from the smallest to the largest; rows where nobody repeats."""
    import numpy as np
    import polars as pl

    from medml.recipe.target import patient_codes

    patient = about.choice.patient
    named = frame[patient] if patient in frame.columns else None
    pairs = pl.DataFrame({"class": _classes(frame, about), "patient": patient_codes(named, np.arange(frame.height))})
    held = pairs.drop_nulls().group_by("class").agg(pl.col("patient").n_unique())
    return sorted(held.iter_rows(), key=lambda each: (each[1], each[0]))


registry.add(RareClasses.name, RareClasses())
