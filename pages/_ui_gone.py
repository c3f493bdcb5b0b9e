"""A model that is no longer there: what happened, and the way on, where its screen would be."""

from __future__ import annotations

from medml import gallery
from medml.errors import UserError
from medml.gallery import Run
from pages import _ui as ui


def opened(run: str) -> Run | None:
    """The run of the address; None where it was deleted, and the screen says so with a button to the others."""
    try:
        return gallery.open_run(run)
    except UserError as gone:
        if gone.code != "no_run":
            raise
    ui.empty("This model is no longer there.", "It was deleted, or the address is an old one. Nothing else changed.")
    if ui.next_button("Go to the gallery", "gallery"):
        ui.forget("run")
        ui.go("gallery")
    return None
