"""Pictures from another kind of machine than nearly all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.families.family import Param
from medml.steps import Fixed, registry
from medml.steps.step import About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl

MODALITY = "modality"  # the column of a table of pictures, where its pictures are of several


class OddModality(Fixed):
    """A picture that does not say its modality stays: most formats cannot."""

    name = "odd_modality"
    title = "Pictures of another modality"
    sentence = ("Leaves out pictures from another kind of machine (a CT slice among chest films) where one kind is "
                "nearly all of them: a stray export, not a finding.")
    drops_rows = True
    params = (Param("share", "Nearly all", "Share of the pictures that say their modality which must be of one kind.",
                    0.9, 0.5, 1.0, kind="float", zones=(0.8, 0.99), more_is="cautious"),)

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        if MODALITY not in frame.columns:
            return frame, self._effect(frame, frame, "All pictures are of one modality, or do not say of which.")
        counts = frame[MODALITY].drop_nulls().value_counts(sort=True)
        total = int(counts["count"].sum())
        if not total or counts["count"][0] <= params["share"] * total:
            return frame, self._effect(frame, frame, "No modality is nearly all of them, so every picture stays.")
        kept = frame.filter((frame[MODALITY] == counts[MODALITY][0]).fill_null(True))
        gone = frame.height - kept.height
        return kept, self._effect(frame, kept, f"{plural(gone, 'picture')} of another modality {were(gone)} left out."
                                  if gone else "Every picture is of the same modality.")

    def _effect(self, before: pl.DataFrame, after: pl.DataFrame, sentence: str) -> Effect:
        return Effect(step=self.name, rows_before=before.height, rows_after=after.height, sentence=sentence)


registry.add(OddModality.name, OddModality())
