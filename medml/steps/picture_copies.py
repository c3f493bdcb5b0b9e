"""Pictures whose files are exact copies of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import About, plural, were
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl

CONTENT = "content"  # the column of a table of pictures that is equal for equal files
PLACE = "\x1fplace"


class PictureCopies(Fixed):
    name = "picture_copies"
    title = "Copies of pictures"
    sentence = ("Leaves out pictures whose file equals another one in every byte. Where copies of one picture stand "
                "in different classes, nobody knows which is right: all of them are left out.")
    drops_rows = True

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        if CONTENT not in frame.columns:
            return frame, self._effect(frame, frame, "There are no pictures to compare.")
        import polars as pl

        target, known, place = about.choice.target, pl.col(CONTENT).is_not_null(), pl.col(PLACE)
        answer = pl.col(target) if target in frame.columns else pl.lit(None, dtype=pl.String)
        torn = (answer.drop_nulls().n_unique().over(CONTENT) > 1) & known
        with_answer = pl.when(answer.is_not_null()).then(place).min().over(CONTENT)
        first = pl.coalesce(with_answer, place.min().over(CONTENT))
        asked = frame.with_row_index(PLACE).select(torn=torn, copy=known & ~torn & (place != first))
        n_torn, gone = int(asked["torn"].sum()), int(asked["copy"].sum())
        kept = frame.filter(~(asked["torn"] | asked["copy"]))
        said = [f"{plural(gone, 'picture')} equal to another one {were(gone)} left out."] if gone else []
        said += [f"{plural(n_torn, 'picture')} {were(n_torn)} left out whose copies stand in different classes."
                 ] if n_torn else []
        return kept, self._effect(frame, kept, " ".join(said) or "No file equals another one.")

    def _effect(self, before: pl.DataFrame, after: pl.DataFrame, sentence: str) -> Effect:
        return Effect(step=self.name, rows_before=before.height, rows_after=after.height, sentence=sentence)


registry.add(PictureCopies.name, PictureCopies())
