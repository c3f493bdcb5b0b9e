"""Answers for new patients: the same however their file is written, none, with the reason, where there is no ground."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tables import clinic, planned, saved

from medml import home
from medml.errors import UserError
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


def test_a_column_that_is_gone_is_named_before_any_answer(trained, tmp_path):
    with pytest.raises(UserError) as refused:
        answers(trained, NEW.drop(columns=["age", "ward"]), tmp_path)
    assert "age" in refused.value.what and "ward" in refused.value.what and "pressure" not in refused.value.what


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
