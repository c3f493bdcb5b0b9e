"""To how many pixels pictures are brought, shown on one of the clinician's own, in this session's memory alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from medml import project as projects
from medml.cards.side import pixelated, say
from medml.patience import READ, within
from medml.types import PicturePlan, Table
from pages import _ui as ui
from pages import _ui_pictures as pictures

TRIED = 5  # pictures, until one can be decoded


def size_card(project: projects.Project, table: Table, target: str, plan: PicturePlan) -> None:
    """One picture at the size that stands in the form, each of its pixels to be seen, and what that keeps."""
    known = table.pictures
    ui.looked(project.id)
    with st.container(key="m_card_size"):
        left, right = st.columns([1, 2], gap="large", vertical_alignment="center")
        one = pictures.kept((project.id, table.sha256, "one", plan.size, plan.window, plan.frames),
                            lambda: within(READ, _decoded, project, table, target, plan))
        if one is not None:
            left.image(pixelated(one), width=240, alt="A picture at this size")
        side = known.side[1] if known is not None else None
        with right:
            ui.draw(f'<p class="m-card-says">{ui.linked(say(plan.size, table.rows, side), 400)}</p>')


def _decoded(project: projects.Project, table: Table, target: str, plan: PicturePlan) -> np.ndarray | None:
    """One picture as the network gets it; None where the first few cannot be decoded, which Scan has said."""
    from medml.data import open_table
    from medml.data.images.image_file import Unreadable

    opened = open_table(Path(project.source), table.ref)
    names = opened.frame([plan.column, target]).drop_nulls()[plan.column].to_list()
    some = [names[at] for at in np.random.default_rng(1).permutation(len(names))[:TRIED]]
    return next((each for _, each in opened.decode(some, plan) if not isinstance(each, Unreadable)), None)
