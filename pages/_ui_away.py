"""A screen that could not be drawn because the shared queue is away comes back by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import streamlit as st

import worker
from medml import store
from medml.errors import UserError

EVERY = 5.0  # seconds between two tries


@contextlib.contextmanager
def coming_back() -> Iterator[None]:
    """Around what a page draws: where it ends because the queue is away, the page is drawn anew once it is there."""
    try:
        yield
    except UserError as error:
        if error.code == store.AWAY:
            st.fragment(draw_anew, run_every=EVERY)()
        raise


def draw_anew() -> None:
    """The whole page once more, if the queue can be reached; draws nothing itself."""
    try:
        worker.jobs("running")
    except UserError:
        return
    st.rerun()
