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
        sentence = _said(facts.damaged, facts.unread) if facts is not None else _said(0, 0)
        return frame, Effect(step=self.name, rows_before=frame.height, rows_after=frame.height, sentence=sentence)


def _said(damaged: int, unread: int) -> str:
    """Of pictures that could not be decoded, and of files whose headers said so before they became rows."""
    if damaged:
        return (f"{plural(damaged, 'picture')} could not be decoded by the scan; what cannot be read is left out when "
                "the training reads the pixels.")
    if unread:
        return f"{plural(unread, 'file')} cut off or damaged in no row; every other picture could be decoded."
    return "Every picture the scan looked at could be decoded."


registry.add(DamagedPictures.name, DamagedPictures())
