"""What screens say of an outcome that is a number: nothing speaks for or against it, columns raise or lower it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def test_what_lowers_a_number_is_not_called_associated_with_a_higher_one():
    def draw():
        from types import SimpleNamespace

        from pages._ui_predict_answer import went_by

        run = SimpleNamespace(report=SimpleNamespace(task="regression", classes=[]))
        found = {"columns": ["sex", "age"], "adds": [-0.42, -0.14], "p": 12.0, "unit": "outcome"}
        went_by(run, found, put_right=False)

    page = AppTest.from_function(draw).run()
    assert not page.exception
    said = " ".join([each.value for each in page.main if each.type in ("html", "caption", "markdown")])
    assert "-0.42" in said and "higher" not in said and "speaks for" not in said
    assert "amber raises it, teal lowers it" in said
