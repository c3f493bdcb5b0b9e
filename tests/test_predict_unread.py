"""Cells of new patients that cannot be read are never lost unsaid, and an answer that two rules tell apart says so."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest
from test_predict import NEW, answers, at_home, trained  # noqa: F401 - fixtures

from medml import answers as said_with
from medml import asking, gallery, home
from medml.__main__ import main
from medml.predict import predict_file

SOME = NEW.head(6)


def typed(column: str, *cells: str):
    """The first patients with those words in a column of numbers."""
    return SOME.assign(**{column: [*cells, *SOME[column].astype(str)[len(cells):]]})


def test_a_word_in_a_column_of_numbers_is_said_of_its_row(trained, tmp_path):  # noqa: F811
    """It counts as not recorded, as in training; what is empty or says so itself needs no word."""
    found = answers(trained, typed("pressure", "high", "", "n/a", ">80"), tmp_path)
    notes = found["note"].to_list()
    assert notes[0] == "internally validated only; pressure: could not be read, counts as not recorded"
    assert set(notes[1:]) == {"internally validated only"}
    assert "high" not in "".join(notes)


def test_who_answers_a_file_is_told_that_cells_could_not_be_read(trained, tmp_path, capsys):  # noqa: F811
    for table, said in ((typed("pressure", "high", "low"), "In 2 rows a cell could not be read and counts as not "
                         "recorded (column “note” says which)."), (SOME, None)):
        home.ensure(tmp_path / "n")
        table.to_csv(tmp_path / "n" / "new.csv", index=False)
        out = tmp_path / f"answers{said is None}.csv"
        assert main(["predict", trained[0], str(tmp_path / "n" / "new.csv"), "--out", str(out)]) == 0
        assert ("could not be read" in (printed := capsys.readouterr().out)) == bool(said) and (said or "") in printed
        found = asking.patients(trained[0], tmp_path / "n" / "new.csv", tmp_path / f"x{out.name}", sheet=None,
                                level=0.9, explain=False)
        assert found["unread"] == (2 if said else 0)


def test_a_zero_before_a_number_empties_no_column(trained, tmp_path):  # noqa: F811
    """“072” in one row and a word in another: the other patients' numbers are numbers all the same."""
    plain = answers(trained, SOME, tmp_path / "plain")
    whole = SOME.assign(pressure=SOME["pressure"].round().astype(int))
    expected = answers(trained, whole, tmp_path / "whole")
    odd = whole.assign(pressure=["high", f"0{whole['pressure'].iloc[1]}", *whole["pressure"].astype(str)[2:]])
    found = answers(trained, odd, tmp_path / "odd")
    assert found["probability of 1"][1:].to_list() == expected["probability of 1"][1:].to_list()
    assert found["note"][1:].to_list() == plain["note"][1:].to_list() and "pressure" in found["note"][0]


def between(run: str) -> np.ndarray:
    """An answer that is called “1” by a line below a half, though “0” alone belongs to its set."""
    report = gallery.open_run(run).report
    p = np.array([[1 - each, each] for each in np.linspace(0.01, 0.49, 97)])
    low = report.model_copy(update={"threshold": 0.01})
    return next(each for each in p if said_with.left_open(low, each[None], 0.8)[0] == ["0"])


def test_an_answer_that_line_and_set_tell_apart_says_why(trained):  # noqa: F811
    report, p = gallery.open_run(trained[0]).report, between(trained[0])
    low = report.model_copy(update={"threshold": 0.01})
    assert said_with.apart_said(low, p, 0.8) == (
        "Called “1”, though “0” alone is left open: the line of 1 % says whom to call, and it is not at 50 %. The set "
        "says what the answer can be.")
    assert said_with.apart_said(low.model_copy(update={"threshold": 0.5}), p, 0.8) == ""
    assert said_with.apart_said(low, np.array([0.02, 0.98]), 0.8) == ""


def test_the_card_of_an_answer_says_that_line_and_set_differ(trained):  # noqa: F811
    def drawn(run: str, p: float):
        import numpy as np

        from medml import gallery
        from pages._ui_predict_answer import open_answers

        open_answers(gallery.open_run(run).report.model_copy(update={"threshold": 0.01}), np.array([1 - p, p]))
    seen = AppTest.from_function(drawn, args=(trained[0], float(between(trained[0])[1])), default_timeout=60).run()
    assert not seen.exception
    seen.session_state["m_predict_level"] = 0.8
    said = " ".join(each.body for each in seen.run().html)
    assert "though “0” alone is left open" in said


def test_a_file_counts_answers_that_line_and_set_tell_apart():
    told = pl.DataFrame({"predicted": ["1", "1", "0", None], "set at 90%": ["0", "0 or 1", "0", None]})
    assert said_with.apart_counted(told) == (
        "In 1 row the class called is not the one left open: the line says whom to call, the set what the answer can "
        "be.")
    assert said_with.apart_counted(told[1:]) == ""
    assert said_with.apart_counted(pl.DataFrame({"predicted": [1.5]})) == ""


@pytest.mark.parametrize("n, said", [(1, "1 row written"), (2, "2 rows written")])
def test_one_row_is_one_row(trained, tmp_path, capsys, n, said):  # noqa: F811
    SOME.head(n).to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", trained[0], str(tmp_path / "new.csv"), "--out", str(tmp_path / "out.csv")]) == 0
    assert capsys.readouterr().out.startswith(said)
    assert predict_file(trained[0], tmp_path / "new.csv").height == n
