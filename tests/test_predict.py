"""Answers for new patients: the same however their file is written, none, with the reason, where there is no ground."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tables import clinic, planned, saved

from medml import answers as said_with
from medml import gallery, home, spreadsheet
from medml.__main__ import main
from medml.predict import predict_file
from medml.train import train

NEW = clinic(25, seed=5).drop(columns="outcome").assign(age=lambda each: each["age"] + 0.1).dropna().query(
    "40 <= age < 80")  # of younger and older ones too few were seen


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run, and the home that it lies in."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(clinic(300), folder)
        return train(source, *planned(source)), folder / "home"


@pytest.fixture(autouse=True)
def at_home(trained, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(trained[1]))


def answers(trained, table: pd.DataFrame | str, folder, name: str = "new.csv", **how) -> pl.DataFrame:
    home.ensure(folder)
    if name.endswith("xlsx"):
        table.to_excel(folder / name, index=False)
    else:
        table.to_csv(folder / name, index=False, **how)
    return predict_file(trained[0], folder / name)


def commas(table: pd.DataFrame) -> pd.DataFrame:
    """Every number with a decimal comma, whole ones too: as many commas in every row as a separator would give."""
    numbers = table.select_dtypes("number").columns
    return table.assign(**{name: table[name].map(lambda each: f"{each:.1f}".replace(".", ",")) for name in numbers})


@pytest.mark.parametrize(("written", "name", "how"), [
    (lambda each: each[each.columns[::-1]], "permuted.csv", {}),
    (lambda each: each.assign(note="seen by Dr. A", extra=7), "extra.csv", {}),
    (lambda each: each, "semicolon.csv", {"sep": ";"}),
    (lambda each: each, "tab.txt", {"sep": "\t"}),
    (commas, "comma.csv", {"sep": ";"}),
    (commas, "comma.tsv", {"sep": "\t"}),
    (lambda each: each, "utf16.csv", {"encoding": "utf-16"}),
    (lambda each: each, "book.xlsx", {}),
])
def test_the_same_patients_get_the_same_answers_however_the_file_is_written(trained, tmp_path, written, name, how):
    plain = answers(trained, NEW, tmp_path / "plain")
    found = answers(trained, written(NEW), tmp_path, name, **how)
    assert found["patient_id"].to_list() == plain["patient_id"].to_list() == NEW["patient_id"].to_list()
    assert found["predicted"].to_list() == plain["predicted"].to_list() and plain["abstained"].is_null().all()
    assert np.allclose(found["probability of 1"], plain["probability of 1"], atol=1e-12)


def test_numbers_with_decimal_commas_alone_keep_their_separator(trained, tmp_path):
    from medml.data import find_tables, open_table

    rows = pd.DataFrame({name: [f"{each},0" for each in range(40)] for name in ("age", "crp", "lactate")})
    rows.to_csv(tmp_path / "x.csv", sep=";", index=False)
    _, tables = find_tables(tmp_path / "x.csv")
    assert open_table(tmp_path / "x.csv", tables[0].ref).frame().columns == ["age", "crp", "lactate"]


def test_columns_that_are_gone_are_named_with_what_makes_the_file_fit(trained, tmp_path, capsys):
    saved(NEW.drop(columns=["age", "ward"]), tmp_path)
    assert main(["predict", trained[0], str(tmp_path / "clinic.csv"), "--out", str(tmp_path / "out.csv")]) == 2
    said = capsys.readouterr().err
    assert "lacks 2 columns that this model needs: “age”, “ward”." in said and "scan it again" not in said
    assert "give it this name in a copy of the file" in said and "add an empty column" in said
    assert not (tmp_path / "out.csv").exists()


def test_an_empty_column_makes_the_file_fit_as_was_said(trained, tmp_path):
    without_ward = answers(trained, NEW.assign(ward=None), tmp_path / "ward")
    assert without_ward["abstained"].is_null().all()  # this model hardly leans on it
    without_age = answers(trained, NEW.assign(age=None), tmp_path / "age")
    assert set(without_age["abstained"]) == {"age: missing, and the answer depends on it"}


def test_a_row_without_ground_gets_no_number_and_the_reason(trained, tmp_path):
    odd = NEW.head(5).astype(object).reset_index(drop=True)
    odd.loc[0, "ward"], odd.loc[1, "age"], odd.loc[2, "age"], odd.loc[3, "sex"] = "moon", None, 1_000, None
    found = answers(trained, odd, tmp_path)
    said = found["abstained"].to_list()
    assert said[0].startswith("ward: a value that fewer than 10") and "moon" not in said[0]
    assert said[1] == "age: missing, and the answer depends on it"
    assert said[2] == "age: far outside what was seen in training"
    assert said[3] is None or said[3].startswith("sex: missing")  # by how much this model leans on it
    assert said[4] is None
    empty = found.filter(pl.col("abstained").is_not_null())
    assert empty["probability of 1"].is_null().all() and empty["predicted"].is_null().all()


def test_a_patient_of_an_age_of_whom_few_were_seen_gets_no_number(trained, tmp_path):
    young = NEW.head(2).reset_index(drop=True)
    young.loc[0, "age"] = 33.0
    said = answers(trained, young, tmp_path)["abstained"].to_list()
    assert said == ["age: fewer than 30 training patients were of this group", None]


def test_every_answer_says_how_often_it_is_right_what_it_leaves_open_and_what_it_went_by(trained, tmp_path):
    NEW.head(8).to_csv(tmp_path / "new.csv", index=False)
    found = predict_file(trained[0], tmp_path / "new.csv", level=0.8, explain=True)
    report = gallery.open_run(trained[0]).report
    assert set(found["note"]) == {"; ".join(report.stamps)} and "internally validated only" in found["note"][0]
    least = next(each.least for each in report.conformal.levels if each.level == 0.8)
    for row in found.iter_rows(named=True):
        p = np.array([row["probability of 0"], row["probability of 1"]])
        reached = [name for name, given, cut in zip("01", p, least, strict=True) if given >= cut]
        assert row["set at 80%"].split(" or ") == reached or not reached
        assert re.fullmatch(r"Of 100 patients given about \d+ %, \d+ had it \(\d+ to \d+\)\.|Hardly any .*",
                            row["how often right"])
        assert re.match("associated with a (higher|lower) probability of 1: ", row["reasons"])
    assert {"age", "pressure"} & set(re.findall(r"\w+", found["reasons"][0]))
    assert "reasons" not in predict_file(trained[0], tmp_path / "new.csv").columns


def test_the_calibration_statement_is_the_reports_own_curve(trained):
    report = gallery.open_run(trained[0]).report
    middle = report.calibration.x[50]
    said = said_with.calibration_said(report, np.array([1 - middle, middle]))
    assert f" {report.calibration.y[50] * 100:.0f} had it ({report.calibration.low[50] * 100:.0f} to" in said
    beyond = said_with.calibration_said(report, np.array([0.0001, 0.9999]))
    assert beyond == "Hardly any patient was given 100.0 %, so how often that is right could not be told."


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_that_comes_out_is_a_formula(cell):
    written = spreadsheet.csv(pl.DataFrame({"id": [cell, "P 1"], "=x": [1.5, -2.5], "n": ["-3.5", "+4"]})).decode()
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows[1][0] == f"'{cell}" and rows[2][0] == "P 1"
    assert rows[0] == ["id", "'=x", "n"] and rows[2][1:] == ["-2.5", "+4"] and rows[1][2] == "-3.5"  # numbers stay


def test_identifiers_that_look_like_formulas_are_harmless_in_the_answers(trained, tmp_path):
    odd = NEW.head(2).assign(patient_id=["=HYPERLINK(1)", "P2"])
    saved(odd, tmp_path)
    out = tmp_path / "out.csv"
    assert main(["predict", trained[0], str(tmp_path / "clinic.csv"), "--out", str(out), "--level", "95",
                 "--explain"]) == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["patient_id"] for row in rows] == ["'=HYPERLINK(1)", "P2"]
    assert rows[0]["set at 95%"] and rows[0]["reasons"]
