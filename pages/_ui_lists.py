"""Long lists: the first of them, and all once somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

FIRST = 12  # rows with their buttons, which each drawing of the page makes anew
Item = TypeVar("Item")


def rows(listed: Sequence[Item], draw: Callable[[Item], None], key: str) -> None:
    """Draw the first of them, and a button that brings the others for as long as this window is open.

    key  of the list, as it stands in the session
    """
    whole = f"m_whole_{key}"
    first = listed if st.session_state.get(whole) else listed[:FIRST]
    for each in first:
        draw(each)
    if len(first) < len(listed):
        st.button(f"Show all {len(listed):,}", key=f"m_more_{key}", icon=":material/expand_more:", type="tertiary",
                  on_click=st.session_state.__setitem__, args=(whole, True))
