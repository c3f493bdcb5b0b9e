"""The sample of the table one works on: read once a session, kept in this session's memory alone, never on a disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from medml import project as projects
from medml.patience import READ, within
from medml.sample import Sample, take
from medml.types import Choice, Profile
from pages import _ui as ui

KEPT = "m_sample_kept"  # what was made from the sample, let go with it
HELD = "m_sample"  # one sample a session: opening another project lets go of the last one


def sample(project: projects.Project, profile: Profile, choice: Choice) -> Sample:
    """The first rows of the chosen table. UserError where the file is gone."""
    ui.looked(project.id)
    known = (project.id, choice.table.label, profile.table(choice.table).sha256)
    held = st.session_state.get(HELD)
    if held is None or held[0] != known:
        held = (known, within(READ, take, Path(project.source), profile.table(choice.table)))
        st.session_state[HELD] = held
        st.session_state[KEPT] = {}
    return held[1]


def kept(name: tuple, make: Callable[[], Any]) -> Any:
    """What was made from this sample before, under this name; made now where it was not.

    A picture costs 30 ms of work; a page of them is drawn again at every click.
    """
    made = st.session_state.setdefault(KEPT, {})
    if name not in made:
        made[name] = make()
    return made[name]


def groups(held: Sample, choice: Choice) -> np.ndarray | None:
    """(n,) object: each row's outcome in words, None where it has none; None for a number and for many classes."""
    if choice.task == "regression":
        return None
    if choice.positive == ">0":
        values = held.numbers(choice.target)
        words = np.where(values > 0, f"{choice.target} above 0", f"{choice.target} 0").astype(object)
        words[np.isnan(values)] = None
        return words
    names = held.names(choice.target)
    return names if len({each for each in names if each is not None}) <= 4 else None


def colours(found: np.ndarray | None, choice: Choice) -> dict[str, str]:
    """Each outcome's colour: the event stands out in the second colour, whatever the order of the names."""
    if found is None:
        return {}
    ink = ui.ink()
    names = sorted({str(each) for each in found if each is not None})
    if len(names) == 2:
        event = next((each for each in names if each == choice.positive or each.endswith("above 0")), names[1])
        return {name: ink.second if name == event else ink.accent for name in names}
    return dict(zip(names, ink.series, strict=False))


def needed(project: projects.Project) -> tuple[Profile, Choice] | None:
    """Profile and choice, or None with the way back on the screen where they are not there yet."""
    profile, choice = projects.profile(project.id), projects.choice(project.id)
    if profile is not None and choice is not None:
        return profile, choice
    ui.empty("Nothing to show yet.", "Scan the folder and choose what to predict first.")
    st.page_link("scan.py", label="Go to Scan", icon=":material/arrow_back:", query_params={"project": project.id})
    return None
