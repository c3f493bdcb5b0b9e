"""A screen whose model was deleted says so and leads on; no command for a terminal stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from medml.types import Column, Suspicion
from pages import _scan_tables

PAGES = Path(__file__).resolve().parents[1] / "pages"


def draw():
    """Stands for the part of a page below its frame; returns nothing."""
    from pages import _ui_gone

    assert _ui_gone.opened("logistic-0000deadbeef") is None


@pytest.mark.parametrize("page", ["explain", "checks", "evaluate"])
def test_every_screen_of_a_run_asks_whether_it_is_there(page):
    assert "gone.opened(" in (PAGES / f"{page}.py").read_text(encoding="utf-8")


def test_a_deleted_model_is_said_with_a_button_to_the_gallery(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path))
    shown = AppTest.from_function(draw, default_timeout=60).run()
    words = " ".join(each.body for each in shown.get("html"))
    assert not shown.exception and "no longer there" in words and "python -m" not in words
    assert [each.label for each in shown.button] == ["Go to the gallery"]


def test_a_column_of_zeros_that_cannot_be_measured_is_not_called_complete():
    asked = Suspicion(code="sentinel_missing", severity="caution", what="", fix="", figures={"rows": 374})
    insulin = Column(name="Insulin", kind="number", missing=0, distinct=186, sentinels=["0"], suspicions=[asked])
    assert "may be missing: 374 cells with 0" in _scan_tables._missing(insulin, 768)
    few = insulin.model_copy(update={"suspicions": [asked.model_copy(update={"figures": {}})]})
    assert "may be missing: some cells with 0" in _scan_tables._missing(few, 768)
    assert "none" in _scan_tables._missing(insulin.model_copy(update={"suspicions": []}), 768)
    partly = _scan_tables._missing(insulin.model_copy(update={"missing": 77}), 768)
    assert "10 %" in partly and "may be missing" in partly
