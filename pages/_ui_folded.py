"""What is folded away behind a button: drawn while it is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages._ui_frame import guard


def folded(label: str, draw: Callable[..., None], *given: object, key: str, **shape: Any) -> None:
    """A button that opens what `draw` draws, guarded. Closed, nothing of it is made: with a fold on every row of a
    list, that was a third of the page, for something that hardly anybody opens.

    Opened once, it is drawn from then on: what was typed in it and not yet saved is still there after a look beside it.

    key  of the button;   shape  icon, help, disabled: as st.popover has them
    """
    with st.popover(label, key=key, on_change="rerun", **shape) as fold:
        if fold.open or st.session_state.get(f"{key}_seen"):
            st.session_state[f"{key}_seen"] = True
            with guard():
                draw(*given)
