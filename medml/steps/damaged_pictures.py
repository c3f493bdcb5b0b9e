"""Pictures whose pixels cannot be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medml.steps import Fixed, registry
from medml.steps.step import About, plural
from medml.types import Effect

if TYPE_CHECKING:
    import polars as pl


class DamagedPictures(Fixed):
    """Which pictures cannot be decoded is known once they are decoded, after all steps: whoever decodes leaves them out
    where this step is on, and counts them in the flow; the rows pass through here unchanged."""

    name = "damaged_pictures"
    title = "Damaged pictures"
    sentence = ("Leaves out pictures whose pixels cannot be decoded. Switched off, one such picture ends the training "
                "with its reason.")

    def apply(self, frame: pl.DataFrame, params: dict[str, Any], about: About) -> tuple[pl.DataFrame, Effect]:
        facts = about.table.pictures
        n = facts.damaged if facts is not None else 0
        sentence = (f"{plural(n, 'picture')} could not be decoded by the scan; what cannot be read is left out when "
                    "the training reads the pixels." if n else "Every picture the scan looked at could be decoded.")
        return frame, Effect(step=self.name, rows_before=frame.height, rows_after=frame.height, sentence=sentence)


registry.add(DamagedPictures.name, DamagedPictures())
