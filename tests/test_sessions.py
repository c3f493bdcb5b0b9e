"""What a session holds goes with it: a hundred people a day leave nothing in the app's memory."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from tables import clinic, saved

from bench.soak import slope
from tests.e2e.scenes import scanned

ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"


@pytest.fixture
def study(tmp_path):
    return scanned(saved(clinic(), tmp_path), "Study")


def visit(study: str) -> list[weakref.ref]:
    """Look at the Preview in a session of its own, press a button there, and leave."""
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["project"] = study
    page.run().switch_page("preview.py").run()
    assert not page.exception
    sample = page.session_state["m_sample"][1]
    assert len(page.session_state["m_sample_kept"]) > 3
    return [weakref.ref(sample), weakref.ref(sample.frame)]


def test_rows_and_pictures_of_a_session_are_let_go_when_it_ends(study):
    left = [each for _ in range(2) for each in visit(study)]
    gc.collect()
    assert [each for each in left if each() is not None] == []


def test_a_slope_is_told_from_noise():
    seconds = np.linspace(0, 3600, 121)
    noise = np.random.default_rng(0).normal(0, 3, len(seconds))
    rise, low, high = slope(list(zip(seconds, 500 + noise + 40 * seconds / 3600, strict=True)), 180)
    assert low < 40 < high and low > 30 and rise == pytest.approx(40, abs=5)
    _, low, high = slope(list(zip(seconds, 500 + noise, strict=True)), 180)
    assert low < 0 < high
    assert slope([(0.0, 1.0), (1.0, 1.0)], 0) is None
